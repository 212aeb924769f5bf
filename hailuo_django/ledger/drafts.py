"""Drafts are their owner's to change and to throw away, until somebody asks for the video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from hailuo_django.models import VideoJob

from . import conflicts


def change_draft(job: VideoJob, changes: Mapping[str, Any]) -> None:
    """Write ``changes`` to the request or reference of a draft. Raises Conflict for other jobs."""
    drafts = VideoJob.objects.using(VideoJob.database()).drafts()
    with transaction.atomic(using=drafts.db):
        # The write that decides: from here to the commit nobody else can submit it.
        if not drafts.filter(pk=job.pk).update(**changes, updated_at=timezone.now()):
            raise conflicts.conflict(_row(job), conflicts.CHANGE)


def delete_draft(job: VideoJob) -> None:
    """Delete a draft. Raises Conflict for other jobs."""
    drafts = VideoJob.objects.using(VideoJob.database()).drafts()
    _count, rows = drafts.filter(pk=job.pk).delete()
    if not rows:
        raise conflicts.conflict(_row(job), conflicts.DELETE)


def _row(job: VideoJob) -> VideoJob | None:
    return VideoJob.objects.using(VideoJob.database()).filter(pk=job.pk).first()
