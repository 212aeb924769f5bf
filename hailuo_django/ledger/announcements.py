"""Signals after commit, at least once: the event remembers what is still owed."""

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
            _announce(event)


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
    events = list(owed.select_related("job")[:limit])
    for event in events:
        _announce(event)
    return len(events)


def _announce_or_keep(event: JobEvent) -> None:
    kept = _kept.get()
    if kept is None:
        _announce(event)
    else:
        kept.append(event)


def _announce(event: JobEvent) -> None:
    signal = signals.BY_NAME[event.announcement]
    for receiver, outcome in signal.send_robust(sender=VideoJob, job=event.job, event=event):
        if isinstance(outcome, Exception):
            logger.error("Receiver %r of %s failed.", receiver, signal, exc_info=outcome)
    # Only now: a process killed before this line announces once more instead of never.
    mine = JobEvent.objects.using(VideoJob.database()).filter(pk=event.pk)
    mine.update(announce_after=None)
