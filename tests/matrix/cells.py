"""The matrix of faults: every answer to the one POST, crossed with who else speaks.

The expectations are written by hand. Krea's list may lag by half a minute: that never changes
what becomes of a job, since nobody looks into it before ``UNCONFIRMED_GRACE_SECONDS`` are over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class End(NamedTuple):
    """What a cell ends with."""

    status: str
    """Of the job, and of its newest submission."""
    posts: int
    jobs: int
    """Upstream."""
    paid: int
    events: str
    """The actions of the history, in their order."""
    evidence: str = ""
    """What somebody who has to decide is shown: ``a stranger``, ``absence`` or nothing."""


SENT = "submit claim"
LOST = f"{SENT} lose"
AGAIN = f"{LOST} absent resubmit claim adopt report"

# It is clear what Krea did.        status      POSTs jobs paid
TAKEN = End("completed", 1, 1, 1, f"{SENT} adopt report")
HELD = End("completed", 2, 1, 1, f"{SENT} hold claim adopt report")
UNHEARD = HELD._replace(posts=1)  # of the first attempt nothing arrived
REFUSED = End("failed", 1, 0, 0, f"{SENT} refuse")
ENDED = End("completed", 1, 1, 1, f"{SENT} adopt")
STILLBORN = End("failed", 1, 1, 0, f"{SENT} adopt")

# It is not: the answer was lost, and the submission is never sent again.
FOUND = End("completed", 1, 1, 1, f"{LOST} adopt")
UNFOUND = End("unconfirmed", 1, 1, 1, LOST, "a stranger")
UNSEEN = End("unconfirmed", 1, 0, 0, LOST)
ABSENT = End("unconfirmed", 1, 0, 0, f"{LOST} note", "absence")
RESENT = End("completed", 2, 1, 1, AGAIN)

# The list proved that it never arrived, and then it did.
LATE_UNFOUND = End("unconfirmed", 1, 1, 1, f"{LOST} note", "a stranger")
LATE_FOUND = End("completed", 1, 1, 1, f"{LOST} note adopt")
PAID_TWICE = End("completed", 2, 2, 2, AGAIN)


class Outcome(NamedTuple):
    """What follows from one kind of answer.

    ``webhook`` is for any webhook; a job that does not exist sends none. The others are for its
    absence, by who decides (a person, ``ADOPT_STRANGERS``, ``RESEND_WHEN_ABSENT`` as well), and
    end in ``_control`` where Krea's list shows another job of ours made after the window.
    """

    webhook: End
    person: End
    person_control: End
    adopt: End
    adopt_control: End
    resend: End
    resend_control: End

    def end(self, cell: Cell) -> End:
        """What ``cell`` has to end with."""
        if cell.webhook != "none":
            return self.webhook
        end: End = getattr(self, cell.decides + ("_control" if cell.control else ""))
        return end


def always(end: End) -> Outcome:
    """Nobody has to decide anything."""
    return Outcome(end, end, end, end, end, end, end)


# Columns:         webhook   a person decides      ADOPT_STRANGERS     RESEND_WHEN_ABSENT
#                            alone     control     alone    control    alone    control
MADE = Outcome(FOUND, UNFOUND, UNFOUND, FOUND, FOUND, FOUND, FOUND)
NOT_MADE = Outcome(UNSEEN, UNSEEN, ABSENT, UNSEEN, ABSENT, UNSEEN, RESENT)
NEVER_SENT = Outcome(*(end._replace(posts=end.posts - 1) for end in NOT_MADE))
MADE_LATE = Outcome(FOUND, UNFOUND, LATE_UNFOUND, FOUND, LATE_FOUND, FOUND, PAID_TWICE)


@dataclass(frozen=True)
class Row:
    """One answer to the POST."""

    answer: str
    fault: str
    """The sandbox's word for it, with its number; or what ``run.py`` does instead."""
    outcome: Outcome
    failure_code: str = ""
    times_out: bool = False
    full: bool = False
    """Of those that were lost the same way: goes through all settings in each tier."""

    @property
    def seconds_late(self) -> float:
        """When the request arrives, if not at once."""
        name, _, number = self.fault.partition(":")
        return float(number) if name == "late_request" else 0

    @property
    def in_doubt(self) -> bool:
        """Whether the answer leaves open what Krea did."""
        return self.outcome.person.events.startswith(LOST)


ROWS = (
    # Krea says what it did.
    Row("200", "", always(TAKEN)),
    Row("201", "other_success:201", always(TAKEN)),
    Row("200, completed at once", "completed_at_once", always(ENDED)),
    Row("200, failed at once", "failed_at_once", always(STILLBORN), "upstream_error"),
    Row("200, slow but in time", "late_answer:0.05", always(TAKEN)),
    Row("200, dripped but in time", "drip:0.0001", always(TAKEN)),
    Row("400", "invalid_request", always(REFUSED), "invalid_request"),
    Row("400, moderation", "moderated_request", always(REFUSED), "moderation"),
    Row("403", "forbidden", always(REFUSED), "invalid_request"),
    Row("404", "unknown_endpoint", always(REFUSED), "model_unavailable"),
    Row("410", "model_unavailable", always(REFUSED), "model_unavailable"),
    Row("422", "validation", always(REFUSED), "invalid_request"),
    Row("401", "unauthorized", always(HELD)),
    Row("402", "payment_required", always(HELD)),
    Row("429", "rate_limited", always(HELD)),
    Row("429, Retry-After", "rate_limited:120", always(HELD)),
    Row("no connection", "nobody listens", always(UNHEARD)),
    # It made a job, and nobody here heard of it.
    Row("answer lost", "lost_answer", MADE, full=True),
    Row("answer cut", "cut_answer", MADE),
    Row("answer dripped for too long", "drip", MADE, times_out=True),
    Row("answer too slow", "late_answer", MADE, times_out=True),
    Row("200, garbage", "garbage", MADE),
    Row("200, empty", "empty_answer", MADE),
    Row("200, without an id", "answer_without_id", MADE),
    Row("200, the id a number", "answer_with_number", MADE),
    Row("200, in a list", "answer_in_list", MADE),
    Row("204", "other_success:204", MADE),
    Row("500, accepted", "server_error_accepted", MADE),
    Row("504 in HTML, accepted", "gateway_timeout", MADE),
    Row("403 in HTML, accepted", "gateway_timeout:403", MADE),
    Row("worker killed after the POST", "killed after", MADE),
    Row("request delivered 90 s late", "late_request:90", MADE, times_out=True),
    # It made none, and nobody here can know.
    Row("request lost", "lost_request", NOT_MADE, full=True),
    Row("request cut", "cut_request", NOT_MADE),
    Row("302", "redirect", NOT_MADE),
    Row("405", "other_refusal:405", NOT_MADE),
    Row("408", "other_refusal:408", NOT_MADE),
    Row("409", "other_refusal:409", NOT_MADE),
    Row("413", "other_refusal:413", NOT_MADE),
    Row("500", "server_error", NOT_MADE),
    Row("503, Retry-After", "unavailable:120", NOT_MADE),
    Row("502 in HTML", "bad_gateway_html", NOT_MADE),
    Row("403 in HTML", "bad_gateway_html:403", NOT_MADE),
    Row("404 in HTML", "bad_gateway_html:404", NOT_MADE),
    Row("worker killed before the POST", "killed before", NEVER_SENT),
    # It made one after the sender, and even the window, had ended.
    Row("request delivered 7 min late", "late_request:420", MADE_LATE, times_out=True, full=True),
)

WEBHOOKS = {"none": 0, "before": 1, "before, twice": 2, "after": 1, "twice": 2}
"""When Krea tells of the end (before it answers the POST, or after), and how often."""

TOLD_TWICE = ("none", "before, twice", "twice")
"""The columns of each run: what is told twice was told once before that."""

LAGS = {"prompt": 0, "30 s behind": 30}
"""How far Krea's list lags, in seconds."""

SETTINGS = {
    "person": {},
    "adopt": {"ADOPT_STRANGERS": True},
    "resend": {"ADOPT_STRANGERS": True, "RESEND_WHEN_ABSENT": True},
}
"""Who decides where no webhook comes."""


@dataclass(frozen=True)
class Cell:
    """One row of the matrix, crossed with all else that matters."""

    row: Row
    webhook: str
    listing: str
    decides: str = "person"
    control: bool = False

    @property
    def name(self) -> str:
        """What a report calls it."""
        more = [self.decides, "control"] if self.control else [self.decides]
        return ", ".join([f"webhook {self.webhook}", f"listing {self.listing}", *more])

    @property
    def end(self) -> End:
        """What it has to end with."""
        return self.row.outcome.end(self)

    @property
    def teller(self) -> str:
        """Who tells of the end: the answer itself, or else, once the id is on record, a webhook."""
        if self.end.events == ENDED.events:
            return "system"
        recorded = not self.row.in_doubt and self.webhook in ("after", "twice")
        return "webhook" if recorded else "poll"


def cells(row: Row, *, every: bool) -> Iterator[Cell]:
    """The cells of a row. Who decides matters where there is doubt and no webhook.

    ``every`` one, or without those that differ from another in what is never read there: the
    list beside a webhook, and how the answer was lost beside the settings.
    """
    webhooks = WEBHOOKS if every or row.full else TOLD_TWICE
    for listing in LAGS:
        told = row.outcome.webhook.jobs and (every or listing == "prompt")
        for webhook in webhooks if told else ("none",):
            yield Cell(row, webhook, listing)
        if row.in_doubt and (every or row.full):
            yield Cell(row, "none", listing, "person", control=True)
            for decides in ("adopt", "resend"):
                for control in (False, True):
                    yield Cell(row, "none", listing, decides, control)
