"""The rows: what somebody wants, every try upstream, and what happened."""

from __future__ import annotations

from .accounts import BudgetLock, Heartbeat, KreaAccount
from .batches import Batch, BatchItem
from .deleted import DeletedSubmission
from .events import JobEvent
from .jobs import VideoJob
from .keys import IdempotencyKey
from .requests import REQUEST_FIELDS
from .strangers import Stranger
from .submissions import Submission, protect_live

__all__ = [
    "REQUEST_FIELDS",
    "Batch",
    "BatchItem",
    "BudgetLock",
    "DeletedSubmission",
    "Heartbeat",
    "IdempotencyKey",
    "JobEvent",
    "KreaAccount",
    "Stranger",
    "Submission",
    "VideoJob",
    "protect_live",
]
