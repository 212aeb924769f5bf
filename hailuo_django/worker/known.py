"""Which of the jobs that Krea listed are known here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from hailuo_django.clock import site_time
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.states import RUNNING, Status

IDS_A_QUERY = 500

_WHAT_IS_SAID = ("krea_job_id", "named_for", "dismissed_at")
"""Of a stranger; its raw answer may be long."""


class Sorted(NamedTuple):
    """Listed jobs, by what is known of them."""

    ours: list[JobReport]
    """On record."""
    strangers: list[JobReport]
    """Of nobody here, less those that were dismissed."""
    candidates: set[str]
    """The ids of strangers that Krea is being asked about for a submission."""
    told: set[str]
    """The ids of strangers that a submission's own webhook has named."""


def sort_out(jobs: Collection[JobReport]) -> Sorted:
    """Ask the rows. To be called after the list was made: what is recorded since explains a job."""
    rows = Submission.objects.using(VideoJob.database())
    seen = Stranger.objects.using(rows.db)
    known, named = set[str | None](), set[str]()
    told, dismissed = set[str](), set[str]()
    for ids in _in_parts(job.krea_job_id for job in jobs):
        known.update(rows.filter(krea_job_id__in=ids).values_list("krea_job_id", flat=True))
        named.update(rows.filter(candidate_id__in=ids).values_list("candidate_id", flat=True))
        for stranger in seen.filter(krea_job_id__in=ids).only(*_WHAT_IS_SAID):
            if stranger.named_for_id is not None:
                told.add(stranger.krea_job_id)
            if stranger.dismissed_at is not None:
                dismissed.add(stranger.krea_job_id)
    ours = [job for job in jobs if job.krea_job_id in known]
    strangers = [job for job in jobs if job.krea_job_id not in known | dismissed]
    return Sorted(ours, strangers, named, told)


def lacks_any(jobs: Collection[JobReport], account: str, since: datetime, until: datetime) -> bool:
    """Tell whether a list that should go from ``since`` to ``until`` lacks a job of ours.

    By our own clock. Those that were cancelled may be gone from it; where any other is missing,
    what else it does not show proves nothing.
    """
    rows = Submission.objects.using(VideoJob.database())
    there = Q(status__in=RUNNING) | Q(status=Status.COMPLETED, ended_at__gte=site_time(since))
    ours = rows.filter(there, account=account, krea_job_id__isnull=False)
    ours = ours.filter(sent_at__gte=site_time(since), sent_at__lt=site_time(until))
    listed = {job.krea_job_id for job in jobs}
    return any(name not in listed for name in ours.values_list("krea_job_id", flat=True))


def _in_parts(ids: Iterable[str]) -> Iterator[list[str]]:
    whole = list(ids)
    for first in range(0, len(whole), IDS_A_QUERY):
        yield whole[first : first + IDS_A_QUERY]
