"""What is decided about a submission whose answer was lost, by a person or by Krea's own list."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django import budget
from hailuo_django.clock import site_time
from hailuo_django.exceptions import Conflict
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.models.conditions import NEVER_ENDING, lost_for_good
from hailuo_django.states import ENDED, Action, FailureCode, Status

from .candidates import reject_candidate
from .conflicts import undecidable
from .recipe import SYSTEM, By, Move, lock_job, move, write_decision, write_note
from .risks import without_a_named_job
from .schedule import rare_look
from .wishes import want


def give_up(submission: Submission, *, by: By) -> None:
    """Count as failed what is lost, or overdue and never ended. Raises Conflict.

    What ended here, and Krea tells of no end, stays as it is. The money of any of these is no
    longer reserved. Should it be completed after all, the job gets its video:
    one that Krea knows goes on being asked for, rarely.
    """
    now, why = timezone.now(), _why(FailureCode.GIVEN_UP)
    # Krea may go on being asked about a job that was named: nothing is reserved for that either.
    off = Case(When(~Q(candidate_id=""), then=Value(now)))
    if move(_given_up(submission, by, lost_for_good(now)), **why, written_off_at=off):
        return
    written_off: dict[str, Any] = {"written_off_at": now, "due_at": rare_look(now)}
    if move(_given_up(submission, by, NEVER_ENDING), **why, **written_off):
        return
    if not _write_off(submission, by, written_off):
        raise undecidable()


def _write_off(submission: Submission, by: By, fields: dict[str, Any]) -> bool:
    """Reserve nothing any more for one that ended here, whatever Krea may still tell of it."""
    rows = Submission.objects.using(VideoJob.database())
    with transaction.atomic(using=rows.db):
        lock_job(submission.job_id)
        mine = rows.filter(NEVER_ENDING, pk=submission.pk, status__in=ENDED)
        if not mine.update(**fields):
            return False
        write_decision(submission, Action.GIVE_UP, "Nothing is reserved for it any more.", by)
    return True


def send_again(submission: Submission, *, by: By) -> Submission:
    """Give it up and write a new submission, which costs money: both may be billed.

    Raises Conflict, also where a newer submission exists, or BudgetExceeded.
    """
    given_up = _given_up(submission, by, lost_for_good(timezone.now()))
    return _replace(submission, given_up, FailureCode.GIVEN_UP, by)


def resend_absent(submission: Submission, *, proof: str) -> Submission:
    """Replace what provably never reached Krea. Raises Conflict or BudgetExceeded.

    Not beside a job that was named for another submission: that is a person's to accept.
    """
    absent = _absent(submission, Status.FAILED, proof, Q(cancel_requested_at=None))
    return _replace(submission, absent, FailureCode.NOT_FOUND, SYSTEM)


def end_absent(submission: Submission, *, proof: str) -> bool:
    """End as failed what provably never reached Krea and has a newer one in its place."""
    absent = _absent(submission, Status.FAILED, proof)
    replaced = replace(absent, job_where=Q(submission_count__gt=submission.number))
    return move(replaced, **_why(FailureCode.NOT_FOUND)) is not None


def cancel_absent(submission: Submission, *, proof: str) -> bool:
    """End as cancelled what provably never reached Krea and nobody wants any more."""
    unwanted = Q(cancel_requested_at__isnull=False)
    return move(_absent(submission, Status.CANCELLED, proof, unwanted), note="") is not None


def write_evidence(
    taken: Submission,
    evidence: dict[str, Any],
    *,
    due_at: datetime | None,
    proof: str = "",
    **changes: str,
) -> None:
    """Keep what Krea's list showed, and give the row back; a new ``proof`` is an event."""
    rows = Submission.objects.using(VideoJob.database())
    with transaction.atomic(using=rows.db):
        lock_job(taken.job_id)
        mine = rows.filter(pk=taken.pk, status=Status.UNCONFIRMED, due_at=taken.due_at)
        if mine.update(evidence=evidence, due_at=due_at, **changes) and proof:
            write_note(taken, proof, SYSTEM)


def dismiss(stranger: Stranger, *, by: By) -> None:
    """Say that an unknown upstream job is none of ours. Raises Conflict when it is known."""
    alias = VideoJob.database()
    actor_id = by.actor.pk if by.actor else None
    mine = Stranger.objects.using(alias).open().filter(pk=stranger.pk)
    rows = Submission.objects.using(alias)
    lost = rows.unconfirmed().filter(account=stranger.account)
    waiting = [row for row in lost if stranger.krea_job_id in row.evidence.get("strangers", ())]
    waiting += rows.filter(named_jobs=stranger).exclude(pk__in=[row.pk for row in waiting])
    with transaction.atomic(using=alias):
        VideoJob.objects.using(alias).lock({row.job_id for row in waiting})
        if not mine.update(dismissed_at=timezone.now(), dismissed_by_id=actor_id):
            message = _("This upstream job was dismissed already, or a submission has it.")
            raise Conflict(message, code="not_open")
        keys = [row.pk for row in waiting]
        rows.unconfirmed().filter(pk__in=keys).update(due_at=timezone.now())
        for row in waiting:
            if row.candidate_id == stranger.krea_job_id:
                reject_candidate(row, "it is not ours.", by=by)
            else:
                write_note(row, f"Not ours: Krea job {stranger.krea_job_id}", by)


def remember_strangers(account: str, jobs: Sequence[JobReport]) -> None:
    """Keep what Krea listed and nobody here knows, for a person to look at."""
    rows, now = Stranger.objects.using(VideoJob.database()), timezone.now()
    seen = {job.krea_job_id: job for job in jobs}
    for row in rows.filter(krea_job_id__in=seen):
        job = seen.pop(row.krea_job_id)
        news = {"krea_status": job.status, "raw": job.raw, "last_seen_at": now}
        if job.created_at:
            news["krea_created_at"] = site_time(job.created_at)
        # An end that a webhook told of is not forgotten for a list that lags: only a video counts
        # for more.
        kept = ENDED if job.status != Status.COMPLETED else {Status.COMPLETED}
        told = Q(named_for__isnull=False, krea_status__in=kept)
        rows.filter(~told, pk=row.pk).update(**news)
    rows.bulk_create(
        [
            Stranger(
                krea_job_id=job.krea_job_id,
                account=account,
                krea_status=job.status,
                krea_created_at=site_time(job.created_at) if job.created_at else None,
                raw=job.raw,
            )
            # In one order: two workers that insert the same ones would wait for each other.
            for _id, job in sorted(seen.items())
        ],
        ignore_conflicts=True,  # another worker lists as well
    )


def _replace(submission: Submission, ended: Move, failure_code: FailureCode, by: By) -> Submission:
    alias = VideoJob.database()
    job = VideoJob.objects.using(alias).get(pk=submission.job_id)
    newest = Q(status=Status.UNCONFIRMED, submission_count=submission.number)
    fields = _why(failure_code)
    with transaction.atomic(using=alias):
        budget.lock()
        if by == SYSTEM:
            _check_that_none_is_named(job)
        with _in_these_words():
            return want(job, newest, Action.RESUBMIT, by, instead_of=(ended, fields))


def _check_that_none_is_named(job: VideoJob) -> None:
    lock_job(job.pk)
    if not VideoJob.objects.using(job._state.db).filter(without_a_named_job(), pk=job.pk).exists():
        message = _("A job of Krea's was named for a submission of this job and may be billed.")
        raise Conflict(message, code="known_job")


def _given_up(submission: Submission, by: By, where: Q) -> Move:
    return Move.of(submission, Action.GIVE_UP, Status.FAILED, by, where=where)


def _absent(submission: Submission, target: Status, proof: str, where: Q = Q()) -> Move:
    unnamed = Q(candidate_id="")
    return Move.of(submission, Action.ABSENT, target, SYSTEM, proof, where=unnamed & where)


def _why(failure_code: FailureCode) -> dict[str, Any]:
    return {"failure_code": failure_code, "note": ""}


@contextlib.contextmanager
def _in_these_words() -> Iterator[None]:
    """Say of a verdict that cannot be what is said of verdicts, not of resubmitting."""
    try:
        yield
    except Conflict as error:
        raise undecidable() from error
