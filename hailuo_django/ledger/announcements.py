"""Signals after commit, at least once: the event remembers what is still owed."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from hailuo_django import signals
from hailuo_django.models import JobEvent, VideoJob

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=30)
"""For so long an announcement is left to the process that wrote the event."""


def announce_after_commit(event: JobEvent, using: str) -> None:
    """Send the event's signal once its transaction is committed.

    A process in which nobody listens leaves it to the next sweep, and saves two statements.
    """
    if signals.BY_NAME[event.announcement].has_listeners(VideoJob):
        # No partial: Django names a hook that failed by its __qualname__.
        transaction.on_commit(lambda: _announce(event), using=using, robust=True)


def announce_owed(limit: int = 100) -> int:
    """Send what no process, or a killed one, has announced yet; return how many."""
    owed = JobEvent.objects.using(VideoJob.database()).owed(timezone.now())
    events = list(owed.select_related("job")[:limit])
    for event in events:
        _announce(event)
    return len(events)


def _announce(event: JobEvent) -> None:
    signal = signals.BY_NAME[event.announcement]
    for receiver, outcome in signal.send_robust(sender=VideoJob, job=event.job, event=event):
        if isinstance(outcome, Exception):
            logger.error("Receiver %r of %s failed.", receiver, signal, exc_info=outcome)
    # Only now: a process killed before this line announces once more instead of never.
    mine = JobEvent.objects.using(VideoJob.database()).filter(pk=event.pk)
    mine.update(announce_after=None)
