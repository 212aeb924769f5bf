"""When a submission is looked at, the lease of one look, the time of the next, and too late."""

from __future__ import annotations

import contextlib
import logging
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, QuerySet, Value, When
from django.utils import timezone

from hailuo_django.conf import conf
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Batch, DeletedSubmission, JobEvent, Submission, VideoJob
from hailuo_django.states import Action

from .recipe import SYSTEM, lock_job, write_decision

logger = logging.getLogger(__name__)

AGE_OF_FULL_INTERVAL_SECONDS = 1200
"""Polls grow rarer with age, and are rarest from here on."""

LONGEST_RARE_INTERVAL_SECONDS = 3600

LONGEST_WAIT = timedelta(days=1)
"""Besides what settings say; nothing is put off for so long."""

LONGEST_UNSETTLED = timedelta(days=2)
"""For so long what ended here alone is asked for in silence; most is settled within one."""

MAX_LISTED = 100
"""How many lost answers one listing is made for."""


def first_look(submission: Submission) -> Case:
    """Return when a submission just sent is looked at.

    At once when it is to be cancelled, and when a webhook came before the answer to its POST.
    """
    seconds = conf.WEBHOOK_GRACE_SECONDS if submission.has_webhook else conf.POLL_INTERVAL_SECONDS
    now = timezone.now()
    pressing = Q(cancel_requested_at__isnull=False) | ~Q(candidate_id="")
    return Case(
        When(pressing, then=Value(now)), default=Value(now + timedelta(seconds=seconds * _jitter()))
    )


def next_look(submission: Submission) -> datetime:
    """Return when to look again at one that still runs."""
    now = timezone.now()
    shortest, longest = conf.POLL_INTERVAL_SECONDS, conf.POLL_MAX_INTERVAL_SECONDS
    age = (now - (submission.sent_at or submission.created_at)).total_seconds()
    grown = shortest + (longest - shortest) * min(age / AGE_OF_FULL_INTERVAL_SECONDS, 1)
    return now + timedelta(seconds=max(grown, shortest) * _jitter())


def rare_look(since: datetime) -> datetime:
    """Return when to look again at one that ended here ``since`` then; Krea may go on."""
    now = timezone.now()
    seconds = max((now - since).total_seconds() / 4, conf.POLL_INTERVAL_SECONDS)
    return now + timedelta(seconds=min(seconds, LONGEST_RARE_INTERVAL_SECONDS) * _jitter())


def _jitter() -> float:
    return random.uniform(1.0, 1.2)  # noqa: S311 - spreads polls, keeps no secret


def take_look(submission: Submission, *, lease_seconds: float) -> Submission | None:
    """Become the one who looks, for as long as the lease; None when somebody else does.

    ``due_at`` is the lease: whoever moves it on from the value that both read has the row,
    and when the looker dies the row is due again by itself. A cancellation is marked as
    sent before it is, so that its effect is not mistaken for a loss.
    """
    now = timezone.now()
    rows = Submission.objects.using(VideoJob.database())
    first_cancel = submission.is_to_cancel and submission.cancel_sent_at is None
    changes: dict[str, Any] = {"cancel_sent_at": now} if first_cancel else {}
    taken = rows.filter(pk=submission.pk, due_at=submission.due_at, status=submission.status)
    if not taken.update(
        due_at=now + timedelta(seconds=lease_seconds),
        poll_count=F("poll_count") + 1,
        last_polled_at=now,
        **changes,
    ):
        return None
    return rows.get(pk=submission.pk)


def finish_look(
    taken: Submission,
    *,
    due_at: datetime | None,
    seen: JobReport | None = None,
    **changes: Any,
) -> None:
    """Give the row back, due at ``due_at``, unless it ended or was made due meanwhile."""
    if seen is not None:
        changes |= {"krea_status": seen.status, "raw": seen.raw, **found_again()}
    mine = Submission.objects.using(VideoJob.database()).filter(pk=taken.pk, due_at=taken.due_at)
    mine.update(due_at=due_at, **changes)


def found_again() -> dict[str, Any]:
    """Return what changes where somebody has heard of a job again.

    What was written off since Krea did not know it is in doubt once more, and its money reserved;
    what a person gave up while Krea knew it is not.
    """
    # The first of the two: MySQL evaluates assignments from left to right.
    missed = When(not_found_since__isnull=False, then=None)
    off = Case(missed, default=F("written_off_at"), output_field=DateTimeField())
    return {"written_off_at": off, "not_found_since": None}


def take_to_list(
    account: str, *, lease_seconds: float, only: uuid.UUID | None = None
) -> list[Submission]:
    """Lease the unconfirmed submissions of ``account`` that are due: one listing covers all."""
    now = timezone.now()
    rows = Submission.objects.using(VideoJob.database()).unconfirmed().filter(account=account)
    until = now + timedelta(seconds=lease_seconds)
    taken = []
    due = rows.filter(job=only) if only else rows
    for submission in due.due(now)[:MAX_LISTED]:
        mine = rows.filter(pk=submission.pk, due_at=submission.due_at)
        if mine.update(due_at=until, poll_count=F("poll_count") + 1, last_polled_at=now):
            submission.due_at = until
            taken.append(submission)
    return taken


def bring_forward() -> int:
    """Make due what is put off for longer than anything is; return how many submissions.

    The clock of some host was far ahead, and what it wrote would wait until then. What ended
    then counts in the budgets of today, and not of every day until then; but for what was made
    then as well: it may be our own clock that is wrong, and behind.
    """
    now = timezone.now()
    for model, name, made in (
        (Batch, "due_at", Q()),
        (JobEvent, "announce_after", Q()),
        (Submission, "ended_at", Q(created_at__lte=now)),
        (DeletedSubmission, "completed_at", Q(sent_at__lte=now)),
    ):
        rows = QuerySet[Any](model, using=VideoJob.database()).filter(made)
        rows.filter(**{f"{name}__gt": now + LONGEST_WAIT}).update(**{name: now})
    intervals = (conf.POLL_MAX_INTERVAL_SECONDS, conf.UNCONFIRMED_GRACE_SECONDS)
    never = now + LONGEST_WAIT + timedelta(seconds=2 * max(intervals))
    late = Submission.objects.using(VideoJob.database()).filter(due_at__gt=never)
    leased = When(lease_expires_at__gt=never, then=Value(now))
    expires = Case(leased, default=F("lease_expires_at"), output_field=DateTimeField())
    return late.update(due_at=now, lease_expires_at=expires)


@contextlib.contextmanager
def each_alone(submission: Submission) -> Iterator[None]:
    """Log what fails for one submission, a receiver of the site's for example, and go on."""
    try:
        yield
    except Exception:
        logger.exception(
            "Submission %d of job %s waits; the next sweep will try again.",
            submission.number,
            submission.job_id,
        )


def mark_overdue(limit: int = 100) -> int:
    """Mark what takes too long, for attention; it goes on being asked for. Return how many.

    Also what ended here alone and Krea has told of no end since.
    """
    now, longest = timezone.now(), timedelta(seconds=conf.OVERDUE_AFTER_SECONDS)
    rows = Submission.objects.using(VideoJob.database())
    late = f"It takes longer than {conf.OVERDUE_AFTER_SECONDS:g} s."
    found = [(row, late) for row in rows.unmarked(longest, now)[:limit]]
    unsettled = "It ended here long ago, and Krea has told of no end."
    found += [(row, unsettled) for row in rows.unsettled(now - LONGEST_UNSETTLED)[:limit]]
    marked = 0
    for submission, why in found:
        with each_alone(submission), transaction.atomic(using=rows.db):
            lock_job(submission.job_id)
            mine = rows.filter(pk=submission.pk, status=submission.status, overdue_at=None)
            if mine.update(overdue_at=now):
                write_decision(submission, Action.OVERDUE, why, SYSTEM)
                marked += 1
    return marked
