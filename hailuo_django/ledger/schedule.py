"""When a submission is looked at: the lease of one look, and the time of the next."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from hailuo_django.conf import conf
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Submission, VideoJob

AGE_OF_FULL_INTERVAL_SECONDS = 1200
"""Polls grow rarer with age, and are rarest from here on."""


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
    changes: dict[str, Any] = {"cancel_sent_at": now} if submission.is_to_cancel else {}
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
        changes |= {"krea_status": seen.status, "raw": seen.raw, "not_found_since": None}
    mine = Submission.objects.using(VideoJob.database()).filter(pk=taken.pk, due_at=taken.due_at)
    mine.update(due_at=due_at, **changes)
