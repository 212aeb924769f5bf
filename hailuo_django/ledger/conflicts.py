"""What is said when a job is in no state for what somebody wants of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hailuo_django.exceptions import PRICE_CHANGED, STALE, SUBMISSION_ALIVE, Conflict
from hailuo_django.models import VideoJob
from hailuo_django.pricing import usd
from hailuo_django.states import LIVE, RESUBMITTABLE, Action, Status


@dataclass(frozen=True)
class Wish:
    """Something to want of a job: the states it may be in for it, and the words for all others."""

    allowed: Collection[Status]
    refusal: str | Promise


DRAFT_ONLY = (Status.DRAFT,)

SUBMIT = Wish(DRAFT_ONLY, gettext_lazy("The job is %s; only a draft can be submitted."))
RESUBMIT = Wish(
    RESUBMITTABLE,
    gettext_lazy("The job is %s; only a failed or cancelled job can be resubmitted."),
)
CANCEL = Wish(LIVE, gettext_lazy("The job is %s; there is nothing to cancel."))
LOOK = Wish(
    frozenset(Status) - {Status.DRAFT},
    gettext_lazy("The job is %s; there is nothing to look for upstream."),
)
CHANGE = Wish(DRAFT_ONLY, gettext_lazy("The job is %s; only a draft can be changed."))
DELETE = Wish(DRAFT_ONLY, gettext_lazy("The job is %s; only a draft can be deleted."))

BY_ACTION = {Action.SUBMIT: SUBMIT, Action.RESUBMIT: RESUBMIT}


def stale() -> Conflict:
    """Return the refusal of what was asked of a job as it is no more."""
    message = _("The job in the database differs from this one: save it, or read it again.")
    return Conflict(message, code=STALE)


def too_dear(price_usd: Decimal, most_usd: Decimal) -> Conflict:
    """Return the refusal of what costs more than it may."""
    message = _("It costs %(price)s now, which is more than %(most)s. Nothing was asked for.")
    return Conflict(message % {"price": usd(price_usd), "most": usd(most_usd)}, code=PRICE_CHANGED)


def undecidable() -> Conflict:
    """Return the refusal of a verdict about a submission of which nothing is to be decided."""
    return Conflict(
        _(
            "Nothing is to be decided about this submission: its answer was not lost, Krea's job"
            " is on record, or a job was named that Krea is being asked about."
        )
    )


def conflict(row: VideoJob | None, wish: Wish) -> Conflict:
    """Return the refusal of ``wish`` for the job as it is in the database."""
    if row is None:
        return Conflict(_("This job does not exist in the database."), code="missing")
    if row.status in wish.allowed:
        # The state would do, and an earlier submission is still under way.
        message = _(
            "A submission of the job, or a Krea job that a webhook named for one, may still become"
            " a video: both would be billed."
        )
        return Conflict(message, code=SUBMISSION_ALIVE, status=row.status)
    message = wish.refusal % row.get_status_display()
    allowed = [status for status in Status if status in wish.allowed]
    return Conflict(message, status=row.status, allowed=allowed)
