"""The doorbell: tells a django-q2 worker that a row wants something. Losing one costs time only."""

from __future__ import annotations

import logging
import uuid

from django.apps import apps
from django.db import transaction

from .deadlines import task_seconds

logger = logging.getLogger(__name__)

WORK = "hailuo_django.worker.tasks.work"
"""A dotted string, since doors know no worker: django-q2 resolves it where the work is done."""


def nudge_after_commit(job_id: uuid.UUID, using: str) -> None:
    """Ring once the rows are committed. Never raises: the sweep makes up for a lost nudge."""
    # No partial: Django names a hook that failed by its __qualname__.
    transaction.on_commit(lambda: _ring(job_id), using=using, robust=True)


def _ring(job_id: uuid.UUID) -> None:
    if not apps.is_installed("django_q"):
        return
    # Imported late: django_q reads its settings at import, and a site may run without it.
    from django_q.tasks import async_task

    options = {"save": False, "ack_failure": True, "timeout": task_seconds()}
    try:
        async_task(WORK, str(job_id), q_options=options)
    except Exception:
        logger.exception("No nudge for job %s; the next sweep will find it.", job_id)
