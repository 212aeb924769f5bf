"""What people and programs want, written on the rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django import budget
from hailuo_django.exceptions import HailuoError, TooSoon
from hailuo_django.krea.wire import GENERATE_PATH, generate_body
from hailuo_django.models import REQUEST_FIELDS, JobEvent, Submission, VideoJob
from hailuo_django.models.conditions import HAS_A_NAME
from hailuo_django.models.submission_querysets import SubmissionQuerySet
from hailuo_django.nudge import nudge_after_commit
from hailuo_django.states import LIVE, RESUBMITTABLE, WITHOUT_VIDEO, Action, Status

from .conflicts import BY_ACTION, CANCEL, LOOK, conflict, stale, too_dear
from .recipe import SYSTEM, By, Move, lock_job, move, write_decision, write_event
from .risks import Risk, without_risk

HAS_ITS_VIDEO = "The job has its video."


def submit(job: VideoJob, *, by: By, max_price_usd: Decimal | None = None) -> Submission:
    """Turn a draft into a wanted video. Raises HailuoError or ValidationError; see the verb."""
    job.clean_request()
    unsaved = job._state.adding
    try:
        with transaction.atomic(using=VideoJob.database()):
            budget.lock()
            if unsaved:
                job.save(force_insert=True, using=VideoJob.database())
            where = allowed(Action.SUBMIT)
            return want(job, where, Action.SUBMIT, by, max_price_usd=max_price_usd)
    except BaseException:
        job._state.adding = unsaved  # what was not committed can be submitted anew
        raise


def resubmit(
    job: VideoJob, *, by: By, force: bool = False, max_price_usd: Decimal | None = None
) -> Submission:
    """Want it once more. Raises HailuoError or ValidationError; see the verb."""
    job.clean_request()
    anyway = ~Q(status__in=[Status.DRAFT, Status.COMPLETED])
    where = anyway if force else allowed(Action.RESUBMIT)
    with transaction.atomic(using=VideoJob.database()):
        budget.lock()
        return want(job, where, Action.RESUBMIT, by, forced=force, max_price_usd=max_price_usd)


def allowed(action: Action) -> Q:
    """Return what has to hold for a job to be submitted, or to be resubmitted unforced."""
    if action == Action.SUBMIT:
        return Q(status=Status.DRAFT, submission_count=0)
    return Q(status__in=RESUBMITTABLE) & without_risk()


def want(
    job: VideoJob,
    where: Q,
    action: Action,
    by: By,
    *,
    forced: bool = False,
    max_price_usd: Decimal | None = None,
    instead_of: tuple[Move, dict[str, Any]] | None = None,
) -> Submission:
    """Write a new submission, in a transaction that began with ``budget.lock()``.

    ``instead_of`` is the move that ends an older one, made before the budget is asked. Raises
    Conflict, also where it costs more than ``max_price_usd``, or BudgetExceeded.
    """
    alias, now = VideoJob.database(), timezone.now()
    row = _take(job, where, action, now)
    price_usd = _price_of(row, max_price_usd)
    if instead_of:
        ended, fields = instead_of
        if not move(ended, **fields):
            raise conflict(row, BY_ACTION[action])
    risk = Risk.of(row.pk) if forced or instead_of else Risk()
    for older in risk.alive:
        # Whatever was not sent yet is replaced, never sent beside the new one.
        _withdraw(older, by, _("Replaced by submission %d.") % row.submission_count)
    budget.reserve(price_usd, row.owner_id)
    submission = Submission.objects.using(alias).create(
        job=row,
        number=row.submission_count,
        endpoint=GENERATE_PATH,
        body=generate_body(**{name: getattr(row, name) for name in REQUEST_FIELDS}),
        price_usd=price_usd,
        due_at=now,
        beside_others=forced or (instead_of is not None and by != SYSTEM),
    )
    risks = [*(["Forced."] if forced else []), *risk.in_words()]
    _write_wanted(submission, action, by, risks)
    nudge_after_commit(row.pk, using=alias)
    job.refresh_from_db(using=alias)
    return submission


def _price_of(row: VideoJob, max_price_usd: Decimal | None) -> Decimal:
    """Return what it costs today, in USD. Raises Conflict where that is more than it may."""
    price_usd = row.quote_usd()
    if max_price_usd is not None and price_usd > max_price_usd:
        raise too_dear(price_usd, max_price_usd)
    return price_usd


def _write_wanted(submission: Submission, action: Action, by: By, risks: Iterable[str]) -> None:
    event = JobEvent(
        job=submission.job,
        submission=submission,
        action=action,
        from_status=submission.job.previous_status,
        to_status=Status.UNSENT,
        detail=" ".join([f"{submission.price_usd} USD", *risks]),
        announcement="job_submitted",
    )
    write_event(event, by)


def _take(job: VideoJob, where: Q, action: Action, now: datetime) -> VideoJob:
    """Mark the job as wanted once more and return its row. Raises Conflict."""
    alias = VideoJob.database()
    # What ``where`` reads of other tables is then as it is now, not as it was before a wait.
    lock_job(job.pk)
    changed = (
        VideoJob.objects.using(alias)
        .filter(where, pk=job.pk)
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
        raise conflict(row, BY_ACTION[action])
    if job.request_changes(row):
        # What is paid for must be what the caller looked at.
        raise stale()
    return row


def cancel(job: VideoJob, *, by: By) -> None:
    """Wish every live submission cancelled. Raises Conflict when there is none."""
    alias = VideoJob.database()
    with transaction.atomic(using=alias):
        lock_job(job.pk)
        rows = VideoJob.objects.using(alias).filter(pk=job.pk)
        alive = Exists(_alive().filter(job_id=OuterRef("pk")))
        if not rows.filter(alive).update(updated_at=timezone.now()):
            raise conflict(rows.first(), CANCEL)
        wish_cancelled(job.pk, by=by)
        nudge_after_commit(job.pk, using=alias)
        job.refresh_from_db(using=alias)


def wish_cancelled(job_id: uuid.UUID, *, by: By, detail: str = "") -> None:
    """Withdraw what was not sent and wish the rest cancelled; the job's lock is held."""
    now = timezone.now()
    rows = _rows().filter(job_id=job_id)
    for submission in _alive().filter(job_id=job_id):
        if submission.status == Status.UNSENT:
            _withdraw(submission, by, detail)
            continue
        wish: dict[str, datetime] = {"cancel_requested_at": now}
        if submission.status != Status.SUBMITTING:  # there, due_at is the sender's
            wish["due_at"] = now
        if rows.filter(pk=submission.pk, cancel_requested_at=None).update(**wish):
            write_decision(submission, Action.REQUEST_CANCEL, detail, by)


def stop_twins_of_a_video(job_id: uuid.UUID, *, by: By) -> None:
    """Where the job has its video, wish cancelled whatever else may run; its lock is held."""
    jobs = VideoJob.objects.using(VideoJob.database()).filter(pk=job_id)
    if jobs.filter(status=Status.COMPLETED).exists():
        wish_cancelled(job_id, by=by, detail=HAS_ITS_VIDEO)


def sync(job: VideoJob, *, by: By, cooldown_seconds: float = 0) -> None:
    """Make due now whatever Krea may still have news of.

    Raises Conflict for a draft, and TooSoon within ``cooldown_seconds`` of the last time.
    """
    alias, now = VideoJob.database(), timezone.now()
    with transaction.atomic(using=alias):
        rows = VideoJob.objects.using(alias).filter(pk=job.pk)
        rested = _rested(now, cooldown_seconds)
        if not rows.filter(rested, status__in=LOOK.allowed).update(sync_asked_at=now):
            raise _no_look(rows.first(), now, cooldown_seconds)
        mine = Submission.objects.using(alias).filter(job_id=job.pk)
        waiting = Q(status__in=LIVE - {Status.UNSENT, Status.SUBMITTING})
        waiting |= Q(status=Status.UNSENT) & ~Q(candidate_id="")
        reversible = HAS_A_NAME & Q(status__in=WITHOUT_VIDEO)
        # Where the video may not be linked, Krea may know a better address by now.
        lacking = Q(status=Status.COMPLETED)
        if not rows.get().is_flagged:
            lacking &= Q(result_url="")
        mine.filter(waiting | reversible | lacking).update(due_at=now)
        stop_twins_of_a_video(job.pk, by=by)
        nudge_after_commit(job.pk, using=alias)


def _rested(now: datetime, cooldown_seconds: float) -> Q:
    if not cooldown_seconds:
        return Q()
    long_ago = Q(sync_asked_at__lte=now - timedelta(seconds=cooldown_seconds))
    # A time to come is that of a clock which was set back since, or of another host's.
    return Q(sync_asked_at=None) | long_ago | Q(sync_asked_at__gt=now)


def _no_look(row: VideoJob | None, now: datetime, cooldown_seconds: float) -> HailuoError:
    if row is None or row.status not in LOOK.allowed:
        return conflict(row, LOOK)
    rested = now - (row.sync_asked_at or now)
    message = _("Somebody asked a moment ago to look at this job.")
    return TooSoon(message, wait_seconds=cooldown_seconds - rested.total_seconds())


def _withdraw(submission: Submission, by: By, detail: str) -> None:
    unsent = Q(status=Status.UNSENT)
    wanted = Move.of(submission, Action.WITHDRAW, Status.CANCELLED, by, detail, where=unsent)
    # Should a job that was named turn out to be its own, nobody wants that either.
    wish: dict[str, Any] = {"note": ""}
    if submission.candidate_id:
        wish["cancel_requested_at"] = timezone.now()
    move(wanted, **wish)


def _rows() -> SubmissionQuerySet:
    rows: SubmissionQuerySet = Submission.objects.using(VideoJob.database())
    return rows


def _alive() -> SubmissionQuerySet:
    """Return those that Krea may work on, now or soon."""
    return _rows().live() | _rows().running_upstream()
