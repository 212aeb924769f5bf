"""Announcements to the host, sent after commit and at least once.

Receivers get ``sender`` (the VideoJob class), ``job`` (as it is now) and ``event`` (the
JobEvent that is announced; its primary key tells a repeat). A receiver that raises is
logged and changes nothing; one that must not miss anything should be idempotent.
"""

from __future__ import annotations

from django.dispatch import Signal

job_submitted = Signal()
"""A submission of the job was written, the first or a later one."""

job_completed = Signal()
"""The job has its video. May follow ``job_failed`` or ``job_cancelled``: upstream truth wins."""

job_failed = Signal()
"""The newest submission failed; ``job.failure_code`` says why."""

job_cancelled = Signal()
"""The newest submission was cancelled."""

BY_NAME: dict[str, Signal] = {
    "job_submitted": job_submitted,
    "job_completed": job_completed,
    "job_failed": job_failed,
    "job_cancelled": job_cancelled,
}
