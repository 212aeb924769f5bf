"""Jobs of Krea's that were named for a submission: one gives way to another, or to none."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone

from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.states import Status

from .recipe import POLL, By, lock_job, write_note


def keep_displaced(rows: QuerySet[Submission], krea_job_id: str, by: By) -> None:
    """Say that a job was named for a submission before another took its place.

    Both may be its own, where a gateway has passed its request on twice. So what its webhook named
    is kept among the unknown upstream jobs; what a person named stands in the history.
    """
    row = rows.filter(krea_job_id=None).exclude(candidate_id__in=("", krea_job_id)).first()
    if row is None or row.was_named_by_a_person:
        return
    strangers, its_own = Stranger.objects.using(rows.db), {"account": row.account}
    if strangers.get_or_create(krea_job_id=row.candidate_id, defaults=its_own)[1]:
        said = f"Krea job {row.candidate_id} was named for it before {krea_job_id}, and may be"
        write_note(row, f"{said} paid for as well.", by)


def reject_candidate(submission: Submission, reason: str) -> None:
    """Forget a candidate that Krea did not confirm; the row waits as before."""
    alias = VideoJob.database()
    rows = Submission.objects.using(alias)
    mine = rows.filter(pk=submission.pk, candidate_id=submission.candidate_id)
    with transaction.atomic(using=alias):
        lock_job(submission.job_id)
        # To be sent, or to be looked for in Krea's list; what has ended waits for nothing.
        waits = Q(status__in=[Status.UNSENT, Status.UNCONFIRMED])
        due_at = Case(When(waits, then=Value(timezone.now())))
        detail = f"{submission.candidate_id} was named and not adopted: {reason}"
        if mine.update(candidate_id="", not_found_since=None, due_at=due_at, note=detail):
            write_note(submission, detail, POLL)
