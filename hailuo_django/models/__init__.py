"""The rows: what somebody wants, every try upstream, and what happened."""

from __future__ import annotations

from .accounts import Heartbeat, KreaAccount
from .events import JobEvent
from .jobs import VideoJob
from .requests import REQUEST_FIELDS
from .submissions import Submission, protect_live

__all__ = [
    "REQUEST_FIELDS",
    "Heartbeat",
    "JobEvent",
    "KreaAccount",
    "Submission",
    "VideoJob",
    "protect_live",
]
