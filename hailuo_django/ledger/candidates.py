"""Jobs of Krea's that are named for a submission, by its own webhooks or by a person.

Krea's answer to a GET confirms the last that was named; ``told.py`` keeps what was said of it.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django.exceptions import Conflict
from hailuo_django.krea.wire import is_job_id
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.models.submission_querysets import SubmissionQuerySet
from hailuo_django.nudge import nudge_after_commit
from hailuo_django.states import WITHOUT_VIDEO, Action, Status

from .conflicts import undecidable
from .recipe import POLL, By, lock_job, write_decision, write_note
from .told import told_beside
from .wishes import stop_twins_of_a_video


def choose(submission: Submission, krea_job_id: str, *, by: By) -> None:
    """Name the upstream job that this submission became; Krea's answer to a GET confirms it.

    Raises Conflict when the answer was not lost although it was sent, a job is on record that
    may still become a video or whose webhooks named no other, or the job named is another's.
    """
    alias = VideoJob.database()
    if not is_job_id(krea_job_id):
        raise Conflict(_("This cannot be the id of a Krea job."), code="invalid_id")
    with transaction.atomic(using=alias):
        lock_job(submission.job_id)
        row = _nameable(submission, krea_job_id)
        if row is None:
            raise undecidable()
        _check_whose(row, krea_job_id)
        note_displaced(_rows().filter(pk=row.pk), krea_job_id, by)
        named: dict[str, Any] = {"candidate_id": krea_job_id, "not_found_since": None}
        if row.krea_job_id:
            _set_aside(row, by)
            # A wish to cancel was about the one that gives way.
            named |= {"krea_job_id": None, "krea_status": "", "written_off_at": None}
            named |= {"cancel_requested_at": None, "cancel_sent_at": None}
        _rows().filter(pk=row.pk).update(**named, due_at=timezone.now())
        write_decision(row, Action.CHOOSE, krea_job_id, by)
        stop_twins_of_a_video(row.job_id, by=by)
        nudge_after_commit(row.job_id, using=alias)


def note_displaced(rows: QuerySet[Submission], krea_job_id: str, by: By) -> None:
    """Say that a webhook had named a job for a submission before another takes its place."""
    row = rows.filter(krea_job_id=None).exclude(candidate_id__in=("", krea_job_id)).first()
    # What a person named stands in the history.
    if row and not row.was_named_by_a_person:
        detail = f"Krea job {row.candidate_id} was named for it before {krea_job_id}"
        write_note(row, f"{detail}, and may be billed as well.", by)


def reject_candidate(
    submission: Submission, reason: str, *, by: By = POLL, is_anothers: bool = False
) -> None:
    """Forget a candidate that Krea did not confirm; the row waits as before.

    Or Krea is asked for another one, should a webhook have told of a video of that.
    ``is_anothers``: it cannot be this submission's, although its webhook named it.
    """
    mine = _rows().filter(pk=submission.pk, candidate_id=submission.candidate_id)
    with transaction.atomic(using=VideoJob.database()):
        lock_job(submission.job_id)
        if is_anothers:
            named = Stranger.objects.using(mine.db).filter(named_for=submission)
            named.filter(krea_job_id=submission.candidate_id).update(named_for=None)
        # To be sent, or to be looked for in Krea's list; what has ended waits for nothing.
        waits, beside = Q(status__in=[Status.UNSENT, Status.UNCONFIRMED]), told_beside(submission)
        due_at = timezone.now() if beside else Case(When(waits, then=Value(timezone.now())))
        detail = f"{submission.candidate_id} was named and not adopted: {reason}"
        if mine.update(candidate_id=beside, not_found_since=None, due_at=due_at, note=detail):
            write_note(submission, detail, by)


def _nameable(submission: Submission, krea_job_id: str) -> Submission | None:
    mine = _rows().filter(pk=submission.pk)
    named = Q(named_jobs__krea_job_id=krea_job_id)
    return (
        mine.nameable().exclude(candidate_id=krea_job_id).first()
        or mine.replaceable().filter(named).first()
    )


def _check_whose(submission: Submission, krea_job_id: str) -> None:
    """Raise Conflict where a job is another submission's, or was named for another."""
    others = _rows().exclude(pk=submission.pk)
    named = Stranger.objects.using(others.db).open().filter(krea_job_id=krea_job_id)
    its_own = Q(krea_job_id=krea_job_id) | Q(candidate_id=krea_job_id)
    owner = others.filter(its_own | Q(pk__in=named.values("named_for"))).first()
    if owner:
        message = _("This Krea job belongs to submission %(number)d of job %(job)s.")
        names = {"number": owner.number, "job": owner.job_id}
        raise Conflict(message % names, code="known_job")


def _set_aside(submission: Submission, by: By) -> None:
    """Remember the Krea job that gives way to another of the same submission.

    Where Krea never said that it has ended it may be billed yet, and stays in question.
    """
    is_over = submission.krea_status in WITHOUT_VIDEO or submission.due_at is None
    told = {"krea_status": submission.krea_status, "raw": submission.raw}
    about = {"named_for": submission, "dismissed_at": timezone.now() if is_over else None}
    strangers = Stranger.objects.using(VideoJob.database())
    row, is_new = strangers.get_or_create(
        krea_job_id=submission.krea_job_id,
        defaults={"account": submission.account, **about, **told},
    )
    if not is_new:
        mine = strangers.filter(pk=row.pk)
        mine.update(**about)
        if is_over:
            mine.update(**told)
    how = " ".join(filter(None, [submission.status, submission.failure_code]))
    write_note(submission, f"Krea job {submission.krea_job_id} gives way: {how}.", by)


def _rows() -> SubmissionQuerySet:
    rows: SubmissionQuerySet = Submission.objects.using(VideoJob.database())
    return rows
