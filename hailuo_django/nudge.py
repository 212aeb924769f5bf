"""The doorbell: tells a django-q2 worker that a row wants something. Losing one costs time only."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Iterator
from contextvars import ContextVar

from django.apps import apps
from django.db import transaction

from .deadlines import task_seconds

logger = logging.getLogger(__name__)

WORK = "hailuo_django.worker.tasks.work"
"""A dotted string, since doors know no worker: django-q2 resolves it where the work is done."""


SWEEP = "hailuo_django.worker.tasks.sweep"

_hushed: ContextVar[bool] = ContextVar("nobody rings", default=False)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Ring for nothing in this block: a worker writes the rows, and does what is due next."""
    token = _hushed.set(True)
    try:
        yield
    finally:
        _hushed.reset(token)


def nudge_after_commit(job_id: uuid.UUID | None, using: str) -> None:
    """Ring once the rows are committed: for one job, or with None for all that is due.

    Never raises: the sweep makes up for a lost nudge.
    """
    if not _hushed.get():
        # No partial: Django names a hook that failed by its __qualname__.
        transaction.on_commit(lambda: _ring(job_id), using=using, robust=True)


def _ring(job_id: uuid.UUID | None) -> None:
    if not apps.is_installed("django_q"):
        return
    # Imported late: django_q reads its settings at import, and a site may run without it.
    from django_q.tasks import async_task

    options = {"save": False, "ack_failure": True, "timeout": task_seconds()}
    call = (SWEEP,) if job_id is None else (WORK, str(job_id))
    try:
        async_task(*call, q_options=options)
    except Exception:
        logger.exception("No nudge for %s; the next sweep will find it.", job_id or "what is due")
