"""The only writer of what a job and its submissions are.

Wishes come from people and programs (submit, resubmit, cancel, sync), outcomes from the
worker that sent or looked, reports from Krea, verdicts about lost answers from people or from
Krea's list; batches are wishes for many jobs at once. Whatever they change, they change by the one
locking recipe in ``recipe``, with an event.
"""

from __future__ import annotations

from .announcements import announce_owed, announcing_later
from .batches import (
    MAX_JOBS,
    check,
    confirm,
    forget_proposals,
    hand_over,
    propose,
    stop,
    take_batch,
    work_on,
)
from .candidates import choose, reject_candidate
from .drafts import change_draft, delete_draft
from .hints import count_webhook, make_due, webhook_seen
from .outcomes import claim, hold, lose, lose_abandoned, record_answer, refuse
from .recipe import POLL, WEBHOOK, By
from .reports import (
    KnownJob,
    adopt,
    confirm_end,
    fill_result,
    miss,
    report,
)
from .schedule import (
    bring_forward,
    each_alone,
    finish_look,
    mark_overdue,
    next_look,
    rare_look,
    take_look,
    take_to_list,
)
from .told import is_told_of, what_was_told
from .verdicts import (
    cancel_absent,
    dismiss,
    end_absent,
    give_up,
    remember_strangers,
    resend_absent,
    send_again,
    write_evidence,
)
from .wishes import allowed, cancel, resubmit, submit, sync

__all__ = [
    "MAX_JOBS",
    "POLL",
    "WEBHOOK",
    "By",
    "KnownJob",
    "adopt",
    "allowed",
    "announce_owed",
    "announcing_later",
    "bring_forward",
    "cancel",
    "cancel_absent",
    "change_draft",
    "check",
    "choose",
    "claim",
    "confirm",
    "confirm_end",
    "count_webhook",
    "delete_draft",
    "dismiss",
    "each_alone",
    "end_absent",
    "fill_result",
    "finish_look",
    "forget_proposals",
    "give_up",
    "hand_over",
    "hold",
    "is_told_of",
    "lose",
    "lose_abandoned",
    "make_due",
    "mark_overdue",
    "miss",
    "next_look",
    "propose",
    "rare_look",
    "record_answer",
    "refuse",
    "reject_candidate",
    "remember_strangers",
    "report",
    "resend_absent",
    "resubmit",
    "send_again",
    "stop",
    "submit",
    "sync",
    "take_batch",
    "take_look",
    "take_to_list",
    "webhook_seen",
    "what_was_told",
    "work_on",
    "write_evidence",
]
