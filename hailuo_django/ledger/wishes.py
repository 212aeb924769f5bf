"""What people and programs want, written on the rows."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django.exceptions import Conflict
from hailuo_django.krea.wire import GENERATE_PATH, generate_body
from hailuo_django.models import REQUEST_FIELDS, JobEvent, Submission, VideoJob
from hailuo_django.nudge import nudge_after_commit
from hailuo_django.states import ENDED, LIVE, RESUBMITTABLE, Action, Status

from .recipe import By, Move, move, write_event


def submit(job: VideoJob, *, by: By) -> Submission:
    """Turn a draft into a wanted video. Raises ValidationError or Conflict; see the verb."""
    job.clean_request()
    with transaction.atomic(using=VideoJob.database()):
        if job._state.adding:
            job.save(force_insert=True, using=VideoJob.database())
        return _want(job, Q(status=Status.DRAFT), Action.SUBMIT, by)


def resubmit(job: VideoJob, *, by: By, force: bool = False) -> Submission:
    """Want it once more. Raises Conflict; see the verb."""
    job.clean_request()
    if force:
        allowed = ~Q(status__in=[Status.DRAFT, Status.COMPLETED])
    else:
        alive = Exists(_live().filter(job_id=OuterRef("pk")))
        allowed = Q(~alive, status__in=RESUBMITTABLE)
    with transaction.atomic(using=VideoJob.database()):
        submission = _want(job, allowed, Action.RESUBMIT, by)
        # Whatever was not sent yet is replaced, never sent beside the new one.
        for older in _live().filter(job_id=job.pk, status=Status.UNSENT).exclude(pk=submission.pk):
            _withdraw(older, by, _("Replaced by submission %d.") % submission.number)
        return submission


def _want(job: VideoJob, allowed: Q, action: Action, by: By) -> Submission:
    alias, now = VideoJob.database(), timezone.now()
    row = _take(job, allowed, action, now)
    submission = Submission.objects.using(alias).create(
        job=row,
        number=row.submission_count,
        endpoint=GENERATE_PATH,
        body=generate_body(**{name: getattr(row, name) for name in REQUEST_FIELDS}),
        price_usd=row.quote_usd(),
        due_at=now,
    )
    event = JobEvent(
        job=row,
        submission=submission,
        action=action,
        from_status=row.previous_status,
        to_status=Status.UNSENT,
        detail=f"{submission.price_usd} USD",
        announcement="job_submitted",
    )
    write_event(event, by)
    nudge_after_commit(row.pk, using=alias)
    job.refresh_from_db(using=alias)
    return submission


def _take(job: VideoJob, allowed: Q, action: Action, now: datetime) -> VideoJob:
    """Mark the job as wanted once more and return its row. Raises Conflict."""
    alias = VideoJob.database()
    changed = (
        VideoJob.objects.using(alias)
        .filter(allowed, pk=job.pk)
        .update(
            previous_status=F("status"),
            submission_count=F("submission_count") + 1,
            submitted_at=now,
            updated_at=now,
            failure_code="",
            status=Status.UNSENT,
        )
    )
    row = VideoJob.objects.using(alias).filter(pk=job.pk).first()
    if row is None or not changed:
        raise _conflict(row, action)
    if job.request_changes(row):
        # What is paid for must be what the caller looked at.
        message = _("The job in the database differs from this one: save it, or read it again.")
        raise Conflict(message, code="stale")
    return row


def cancel(job: VideoJob, *, by: By) -> None:
    """Wish every live submission cancelled. Raises Conflict when there is none."""
    alias = VideoJob.database()
    with transaction.atomic(using=alias):
        rows = VideoJob.objects.using(alias).filter(pk=job.pk)
        alive = Exists(_live().filter(job_id=OuterRef("pk")))
        if not rows.filter(alive).update(updated_at=timezone.now()):
            raise _conflict(rows.first(), Action.REQUEST_CANCEL)
        wish_cancelled(job.pk, by=by)
        nudge_after_commit(job.pk, using=alias)
        job.refresh_from_db(using=alias)


def wish_cancelled(job_id: uuid.UUID, *, by: By, detail: str = "") -> None:
    """Withdraw what was not sent and wish the rest cancelled; the job's lock is held."""
    now = timezone.now()
    for submission in _live().filter(job_id=job_id):
        if submission.status == Status.UNSENT:
            _withdraw(submission, by, detail)
            continue
        wish: dict[str, datetime] = {"cancel_requested_at": now}
        if submission.status != Status.SUBMITTING:  # there, due_at is the sender's
            wish["due_at"] = now
        if _live().filter(pk=submission.pk, cancel_requested_at=None).update(**wish):
            event = JobEvent(
                job_id=job_id,
                submission=submission,
                action=Action.REQUEST_CANCEL,
                from_status=submission.status,
                to_status=submission.status,
                detail=detail,
            )
            write_event(event, by)


def sync(job: VideoJob, *, by: By) -> None:
    """Make due now whatever Krea may still have news of. Raises Conflict for a draft."""
    del by  # a look is no change, and leaves no event
    alias = VideoJob.database()
    with transaction.atomic(using=alias):
        mine = Submission.objects.using(alias).filter(job_id=job.pk)
        waiting = Q(status__in=LIVE - {Status.UNSENT, Status.SUBMITTING})
        reversible = Q(status__in=ENDED - {Status.COMPLETED}, krea_job_id__isnull=False)
        mine.filter(waiting | reversible).update(due_at=timezone.now())
        row = VideoJob.objects.using(alias).filter(pk=job.pk).first()
        if row is None or row.status == Status.DRAFT:
            raise _conflict(row, Action.NOTE)
        nudge_after_commit(job.pk, using=alias)


def _withdraw(submission: Submission, by: By, detail: str) -> None:
    unsent = Q(status=Status.UNSENT)
    wanted = Move.of(submission, Action.WITHDRAW, Status.CANCELLED, by, detail, where=unsent)
    move(wanted, note="")


def _live() -> QuerySet[Submission]:
    return Submission.objects.using(VideoJob.database()).live()


def _conflict(row: VideoJob | None, action: Action) -> Conflict:
    if row is None:
        return Conflict(_("This job does not exist in the database."), code="missing")
    messages = {
        Action.SUBMIT: _("The job is %s; only a draft can be submitted."),
        Action.RESUBMIT: _(
            "The job is %s; only a failed or cancelled job can be resubmitted, and only when"
            " none of its submissions may still become a video."
        ),
        Action.REQUEST_CANCEL: _("The job is %s; there is nothing to cancel."),
        Action.NOTE: _("The job is %s; there is nothing to look for upstream."),
    }
    return Conflict(messages[action] % row.get_status_display())
