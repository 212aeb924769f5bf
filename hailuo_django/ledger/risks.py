"""What a further submission of a job may be paid beside."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.models.submission_querysets import SubmissionQuerySet
from hailuo_django.states import Status


@dataclass(frozen=True)
class Risk:
    """What may still become a video of one job."""

    alive: Collection[Submission] = ()
    named: Collection[Stranger] = ()
    """Jobs of Krea's that were named for its submissions and that are on no record."""

    @classmethod
    def of(cls, job_id: Any) -> Risk:
        """Read it. The job's lock is held."""
        return cls(list(_alive(job_id)), list(_named(job_id)))

    def in_words(self) -> Iterator[str]:
        """Say what a further submission may cost."""
        for older in self.alive:
            which, usd = f"submission {older.number}", f"{older.price_usd} USD"
            if older.status == Status.UNSENT:
                yield f"{which.capitalize()} was not sent and is replaced."
            else:
                yield f"{which.capitalize()} may be alive: {usd} twice."
        for stranger in self.named:
            yield f"Krea job {stranger.krea_job_id}, named for a submission, may be billed."


def without_risk() -> Q:
    """Return the condition on a job that nothing may still become a video of it."""
    return Q(~Exists(_alive(OuterRef("pk"))), without_a_named_job())


def without_a_named_job() -> Q:
    """Return the condition on a job that nothing unknown was named for its submissions."""
    return Q(~Exists(_named(OuterRef("pk"))))


def _alive(job_id: Any) -> SubmissionQuerySet:
    rows: SubmissionQuerySet = Submission.objects.using(VideoJob.database())
    return rows.may_arrive().filter(job_id=job_id)


def _named(job_id: Any) -> QuerySet[Stranger]:
    strangers = Stranger.objects.using(VideoJob.database())
    return strangers.named_for_job(job_id)
