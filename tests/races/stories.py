"""Short words for what the stories of this folder need."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.test import Client
from django.utils import timezone

from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.worker.sweep import sweep
from tests.webhooks.rows import post


def deliver(path: str, body: bytes) -> int:
    """Post one webhook; return the HTTP status."""
    return post(Client(), path, body)


def names(announced: list[JobEvent]) -> list[str]:
    return [event.announcement for event in announced]


def happened(job: VideoJob) -> Counter[tuple[str, str]]:
    """What happened to the job, and how often."""
    return Counter(job.events.values_list("action", "to_status"))


def submitted(**fields: Any) -> VideoJob:
    """A job somebody asked for, not yet sent."""
    job = VideoJob(**{"prompt": "a lighthouse at dusk", **fields})
    job.submit()
    return job


def make_due(**where: Any) -> None:
    """Let the time of the next look come."""
    Submission.objects.filter(due_at__isnull=False, **where).update(due_at=timezone.now())


def settle(passes: int = 4) -> None:
    """Let workers come until nothing changes any more."""
    for _pass in range(passes):
        make_due()
        sweep()
