"""The states of a job and of its submissions, and the one table of what may follow what.

Pure: no database, no settings. The ledger takes its guards from here, the doors their
buttons, the documentation its diagram.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Status(TextChoices):
    """States of a VideoJob and, but for ``draft``, of a Submission."""

    DRAFT = "draft", _("draft")
    """Nobody asked for it yet. Jobs only."""
    UNSENT = "unsent", _("unsent")
    """Wanted, and certainly not sent."""
    SUBMITTING = "submitting", _("submitting")
    """A worker has claimed it; the POST may be in flight."""
    UNCONFIRMED = "unconfirmed", _("unconfirmed")
    """Sent, and the answer was lost: Krea may or may not be working on it."""
    # The other nine are Krea's own words (Krea documentation, job lifecycle).
    BACKLOGGED = "backlogged", _("backlogged")
    QUEUED = "queued", _("queued")
    SCHEDULED = "scheduled", _("scheduled")
    PROCESSING = "processing", _("processing")
    SAMPLING = "sampling", _("sampling")
    INTERMEDIATE_COMPLETE = "intermediate-complete", _("intermediate complete")
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class FailureCode(TextChoices):
    """Why a submission failed: a closed set, whatever Krea's own words were."""

    MODERATION = "moderation", _("refused by moderation")
    INVALID_REQUEST = "invalid_request", _("invalid request")
    MODEL_UNAVAILABLE = "model_unavailable", _("model unavailable")
    UPSTREAM_ERROR = "upstream_error", _("upstream error")
    UPSTREAM_TIMEOUT = "upstream_timeout", _("upstream timeout")
    NOT_FOUND = "not_found", _("not found upstream")
    GIVEN_UP = "given_up", _("given up by an operator")


RUNNING = frozenset(
    {
        Status.BACKLOGGED,
        Status.QUEUED,
        Status.SCHEDULED,
        Status.PROCESSING,
        Status.SAMPLING,
        Status.INTERMEDIATE_COMPLETE,
    }
)
"""Krea is working on it. Between these there is no order to rely on."""

WITHOUT_VIDEO = (Status.FAILED, Status.CANCELLED)
"""The ends of what is not paid for."""

ENDED = frozenset({Status.COMPLETED, *WITHOUT_VIDEO})
UPSTREAM = RUNNING | ENDED
LIVE = frozenset({Status.UNSENT, Status.SUBMITTING, Status.UNCONFIRMED}) | RUNNING
"""Nobody has decided or heard of its end: it may become a video."""


class Action(TextChoices):
    """What happened to a submission or was decided about it; the label of its event."""

    SUBMIT = "submit", _("submitted")
    RESUBMIT = "resubmit", _("resubmitted")
    CLAIM = "claim", _("claimed for sending")
    HOLD = "hold", _("certainly not sent, held for later")
    REFUSE = "refuse", _("refused by Krea")
    LOSE = "lose", _("answer lost")
    REPORT = "report", _("reported by Krea")
    ADOPT = "adopt", _("found upstream")
    WITHDRAW = "withdraw", _("withdrawn before it was sent")
    REQUEST_CANCEL = "request_cancel", _("cancellation requested")
    CANCEL = "cancel", _("cancelled upstream")
    MISS = "miss", _("not found upstream")
    CHOOSE = "choose", _("identified by an operator")
    GIVE_UP = "give_up", _("given up by an operator")
    ABSENT = "absent", _("never arrived, by Krea's list")
    OVERDUE = "overdue", _("marked overdue")
    NOTE = "note", _("noted")


@dataclass(frozen=True)
class Transition:
    """One row of the table: what moves a submission, from where, to where."""

    action: Action
    sources: frozenset[Status]
    targets: frozenset[Status]


def _row(action: Action, sources: set[Status] | frozenset[Status], *targets: Status) -> Transition:
    return Transition(action, frozenset(sources), frozenset(targets))


TRANSITIONS: tuple[Transition, ...] = (
    _row(Action.CLAIM, {Status.UNSENT}, Status.SUBMITTING),
    _row(Action.HOLD, {Status.SUBMITTING}, Status.UNSENT),
    _row(Action.REFUSE, {Status.SUBMITTING, Status.UNCONFIRMED}, Status.FAILED),
    _row(Action.LOSE, {Status.SUBMITTING}, Status.UNCONFIRMED),
    _row(Action.WITHDRAW, {Status.UNSENT, Status.SUBMITTING}, Status.CANCELLED),
    # An id came to light: in the POST's own answer, or in a webhook that a GET confirmed.
    _row(Action.ADOPT, LIVE, *RUNNING, *WITHOUT_VIDEO),
    _row(Action.REPORT, RUNNING, *RUNNING, *WITHOUT_VIDEO),
    _row(Action.CANCEL, RUNNING, Status.CANCELLED),
    _row(Action.MISS, RUNNING, Status.FAILED),
    # Of what runs only when it is overdue, by a person.
    _row(Action.GIVE_UP, {Status.UNCONFIRMED} | RUNNING, Status.FAILED),
    _row(Action.ABSENT, {Status.UNCONFIRMED}, *WITHOUT_VIDEO),
    # Upstream truth wins: a finished video beats any earlier verdict.
    _row(Action.ADOPT, LIVE | {*WITHOUT_VIDEO}, Status.COMPLETED),
    _row(Action.REPORT, RUNNING | {*WITHOUT_VIDEO}, Status.COMPLETED),
)
"""Every move of a submission. What is not here does not happen."""

RESUBMITTABLE = frozenset(WITHOUT_VIDEO)
"""A job in one of these may be resubmitted without paying twice for one video."""


def sources(action: Action, target: str) -> frozenset[Status]:
    """The states from which ``action`` may move a submission to ``target``, itself excluded."""
    found = (row.sources for row in TRANSITIONS if row.action == action and target in row.targets)
    return frozenset[Status]().union(*found) - {Status(target)}


def known(krea_status: str) -> Status | None:
    """Krea's status word as ours; None for a word we do not know, which counts as still running."""
    return Status(krea_status) if krea_status in UPSTREAM else None
