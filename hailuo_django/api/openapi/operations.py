"""Each thing that can be asked of the API: what is answered, and how it may be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import refusals
from .refusals import EVERYWHERE, Refusal, by_status

Refusals = Mapping[int, tuple[Refusal, ...]]

READABLE: Refusals = {
    400: (refusals.UNREADABLE,),
    413: (refusals.TOO_LARGE,),
    415: (refusals.MEDIA_TYPE,),
}
WRONG: Refusals = {400: ()}
OF_A_JOB: Refusals = {404: (refusals.NO_SUCH_JOB,)}
KEYED: Refusals = {
    400: refusals.KEY_WRONG,
    409: (refusals.KEY_IN_USE,),
    422: (refusals.KEY_REUSED,),
}
PAID: Refusals = {402: (refusals.BUDGET,), 409: (refusals.TOO_DEAR,)}
STATE: Refusals = {409: (refusals.CONFLICT,)}
STALE: Refusals = {409: (refusals.CHANGED,)}
ALIVE: Refusals = {409: (refusals.ALIVE,)}
CONDITION: Refusals = {412: (refusals.CONDITION,)}
COOLING: Refusals = {429: (refusals.TOO_SOON,)}

OF_A_DRAFT = (OF_A_JOB, STATE, STALE, CONDITION)

NO_NEWS = "There is no news: what you have is right."


@dataclass(frozen=True)
class Operation:
    """What one method of one path does."""

    summary: str
    answers: Mapping[int, str]
    refusals: Refusals = field(default_factory=dict)

    @property
    def is_read(self) -> bool:
        """Tell whether it may be asked for on condition that there is news."""
        return 304 in self.answers

    @property
    def takes_key(self) -> bool:
        """Tell whether it takes an Idempotency-Key."""
        return 422 in self.refusals

    @property
    def is_conditional(self) -> bool:
        """Tell whether it may be asked for on condition that the job is as it was read."""
        return 412 in self.refusals


def _read(summary: str, answer: str, *groups: Refusals) -> Operation:
    refusals = by_status(EVERYWHERE, CONDITION, *groups)
    return Operation(summary, {200: answer, 304: NO_NEWS}, refusals)


def _write(summary: str, answers: Mapping[int, str], *groups: Refusals) -> Operation:
    return Operation(summary, answers, by_status(EVERYWHERE, READABLE, *groups))


WISHED = {202: "It is written down, and a worker does it. The job as it is now."}

OPERATIONS = {
    "list": _read("Your jobs", "A page of jobs, the newest first.", WRONG),
    "retrieve": _read("A job", "The job, and when to ask again.", OF_A_JOB),
    "events": _read("Its history", "A page of events, the oldest first.", WRONG, OF_A_JOB),
    "prices": _read("Prices", "The price list in USD that jobs are priced by now."),
    "quote": _write(
        "What requests would cost",
        {200: "The price of each, of all together, and what the budget leaves."},
    ),
    "create": _write(
        "Make a job",
        {
            201: "A draft, with `submit` false.",
            202: "A submitted job: a worker sends it.",
        },
        *(KEYED, PAID, CONDITION),
    ),
    "update": _write("Write a draft anew", {200: "The draft."}, *OF_A_DRAFT),
    "partial_update": _write("Change a draft", {200: "The draft."}, *OF_A_DRAFT),
    "destroy": Operation(
        "Throw a draft away",
        {204: "It is gone."},
        by_status(EVERYWHERE, WRONG, *OF_A_DRAFT),
    ),
    "submit": _write("Submit a draft, for its price", WISHED, *OF_A_DRAFT, KEYED, PAID),
    "resubmit": _write(
        "Submit it once more, for its price once more",
        WISHED,
        *(OF_A_JOB, KEYED, PAID, STATE, ALIVE, STALE, CONDITION),
    ),
    "cancel": _write("Cancel a job", WISHED, OF_A_JOB, STATE, CONDITION),
    "sync": _write("Have Krea asked now", WISHED, OF_A_JOB, STATE, COOLING, CONDITION),
}
"""By the action of the view; a history and the prices by their own names."""

BY_STATUS = by_status(*(operation.refusals for operation in OPERATIONS.values()))
"""Everything that an answer of a status may say, anywhere in this API."""

SHARED = frozenset(
    status
    for status, refusals in BY_STATUS.items()
    if status != 400  # which says what is wrong besides
    and all(one.refusals.get(status, refusals) == refusals for one in OPERATIONS.values())
)
"""The statuses that mean the same wherever they are met."""
