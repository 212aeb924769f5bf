"""Drafts are their owner's to change and to throw away, until somebody asks for the video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from hailuo_django.exceptions import Conflict
from hailuo_django.models import VideoJob
from hailuo_django.models.querysets import VideoJobQuerySet

from . import conflicts


def change_draft(job: VideoJob, changes: Mapping[str, Any]) -> None:
    """Write ``changes`` to the request or reference of a draft, as it was read.

    Raises Conflict for other jobs, and for one that was changed meanwhile.
    """
    drafts = VideoJob.objects.using(VideoJob.database()).drafts()
    with transaction.atomic(using=drafts.db):
        # The write that decides: from here to the commit nobody else can submit it.
        if not _as_read(drafts, job).update(**changes, updated_at=timezone.now()):
            raise _refusal(job, conflicts.CHANGE)


def delete_draft(job: VideoJob) -> None:
    """Delete a draft as it was read. Raises Conflict as :func:`change_draft` does."""
    drafts = VideoJob.objects.using(VideoJob.database()).drafts()
    _count, rows = _as_read(drafts, job).delete()
    if not rows:
        raise _refusal(job, conflicts.DELETE)


def _as_read(drafts: VideoJobQuerySet, job: VideoJob) -> VideoJobQuerySet:
    return drafts.filter(pk=job.pk, updated_at=job.updated_at)


def _refusal(job: VideoJob, wish: conflicts.Wish) -> Conflict:
    row = VideoJob.objects.using(VideoJob.database()).filter(pk=job.pk).first()
    if row is not None and row.status in wish.allowed:
        return conflicts.stale()
    return conflicts.conflict(row, wish)
