"""Jobs with everything filled in that a test does not care for."""

from __future__ import annotations

from typing import Any

from hailuo_django.models import VideoJob

PROMPT = "A lighthouse at dusk."


def make_job(**fields: Any) -> VideoJob:
    """Return a saved draft."""
    job = VideoJob(**{"prompt": PROMPT, **fields})
    job.save(using=VideoJob.database())
    return job


def make_submitted_job(**fields: Any) -> VideoJob:
    """Return a job that somebody asked for and no worker has sent yet."""
    job = make_job(**fields)
    job.submit()
    return job
