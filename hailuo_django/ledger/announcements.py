"""Signals after commit, at least once: the event remembers what is still owed.

Whoever calls the receivers of one first writes down that it does. A receiver that kills its
process, each time, so holds up no other announcement; of several workers one announces.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from hailuo_django import signals
from hailuo_django.deadlines import sweep_seconds
from hailuo_django.models import JobEvent, VideoJob

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=30)
"""For so long an announcement is left to the process that has written its event."""

NEXT_TRY = timedelta(minutes=5)
"""For so long it is left to the process that calls the receivers."""

_kept: ContextVar[list[JobEvent] | None] = ContextVar("kept announcements", default=None)


@contextlib.contextmanager
def announcing_later() -> Iterator[None]:
    """Keep the announcements of this block until it ends: receivers may take their time.

    A process killed before that leaves them to the next sweep.
    """
    kept: list[JobEvent] = []
    token = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(token)
        for event in kept:
            _announce_or_log(event)


def patience() -> timedelta:
    """Return for how long an announcement is left to the process that writes the event now."""
    keeping = _kept.get() is not None
    return PATIENCE + timedelta(seconds=sweep_seconds() if keeping else 0)


def announce_after_commit(event: JobEvent, using: str) -> None:
    """Send the event's signal once its transaction is committed.

    A process in which nobody listens leaves it to the next sweep, and saves two statements.
    """
    if signals.BY_NAME[event.announcement].has_listeners(VideoJob):
        # No partial: Django names a hook that failed by its __qualname__.
        transaction.on_commit(lambda: _announce_or_keep(event), using=using, robust=True)


def announce_owed(limit: int = 100) -> int:
    """Send what no process, or a killed one, has announced yet; return how many."""
    owed = JobEvent.objects.using(VideoJob.database()).owed(timezone.now())
    events = list(owed[:limit])
    for event in events:
        _announce_or_log(event)
    return len(events)


def _announce_or_keep(event: JobEvent) -> None:
    kept = _kept.get()
    if kept is None:
        _announce(event)
    else:
        kept.append(event)


def _announce_or_log(event: JobEvent) -> None:
    try:
        _announce(event)
    except Exception:
        logger.exception("Event %d could not be announced; a later sweep will.", event.pk)


def _announce(event: JobEvent) -> None:
    alias, later = VideoJob.database(), timezone.now() + NEXT_TRY
    mine = JobEvent.objects.using(alias).filter(pk=event.pk)
    if not mine.filter(announce_after=event.announce_after).update(announce_after=later):
        return  # another process has it, or it is gone with its job
    job = VideoJob.objects.using(alias).filter(pk=event.job_id).first()
    if job is None:
        return  # deleted since: there is nobody to tell of
    event.job = job
    signal = signals.BY_NAME[event.announcement]
    for receiver, outcome in signal.send_robust(sender=VideoJob, job=job, event=event):
        if isinstance(outcome, Exception):
            logger.error("Receiver %r of %s failed.", receiver, signal, exc_info=outcome)
    # Only now: a process killed before this line announces once more instead of never.
    mine.filter(announce_after=later).update(announce_after=None)
