"""The only writer of what a job and its submissions are.

Wishes come from people and programs (submit, resubmit, cancel, sync), outcomes from the
worker that sent or looked, reports from Krea. Whatever they change, they change by the one
locking recipe in ``recipe``, with an event.
"""

from __future__ import annotations

from .announcements import announce_owed
from .outcomes import claim, hold, lose, lose_abandoned, record_answer, refuse
from .recipe import POLL, WEBHOOK, By
from .reports import (
    adopt,
    count_webhook,
    fill_result,
    make_due,
    miss,
    reject_candidate,
    report,
    webhook_seen,
)
from .schedule import finish_look, next_look, take_look
from .wishes import cancel, resubmit, submit, sync

__all__ = [
    "POLL",
    "WEBHOOK",
    "By",
    "adopt",
    "announce_owed",
    "cancel",
    "claim",
    "count_webhook",
    "fill_result",
    "finish_look",
    "hold",
    "lose",
    "lose_abandoned",
    "make_due",
    "miss",
    "next_look",
    "record_answer",
    "refuse",
    "reject_candidate",
    "report",
    "resubmit",
    "submit",
    "sync",
    "take_look",
    "webhook_seen",
]
