"""django-q2's entry points. They never raise, and nothing is decided by their having run."""

from __future__ import annotations

import logging
import uuid

from .sweep import sweep as run_sweep

logger = logging.getLogger(__name__)


def sweep() -> str:
    """Do everything that is due; the one schedule calls this."""
    return _report(None)


def work(job_id: str) -> str:
    """Do what is due for one job; a nudge calls this."""
    try:
        only = uuid.UUID(job_id)
    except ValueError:
        return "no job id"
    return _report(only)


def _report(only: uuid.UUID | None) -> str:
    try:
        return f"{run_sweep(only=only)} requests"
    except Exception:
        # A task that raises is run again and again by some brokers; the next sweep is enough.
        logger.exception("The sweep failed.")
        return "failed"
