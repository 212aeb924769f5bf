"""What happened to a job: its events and what its submissions tell besides, in one line of time.

The newest stands first, since what a page is opened for is what goes on now, and since a page
that refreshes itself grows where it is read. The export tells the same from the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import LIVE, WITHOUT_VIDEO, Action, Status

from . import display

MAX_SHOWN = 100
"""How many entries a page shows at most."""

Source = JobEvent.Source

AMOUNT_IN_FRONT = re.compile(r"\d+(\.\d+)? USD\s*")
"""How the ledger begins the detail of what was asked for; the entry says it by itself."""


@dataclass(frozen=True)
class Entry:
    """One thing that happened, in words. All of it is safe to show."""

    when: datetime
    what: str
    number: int | None = None
    """Of the submission; None for what concerns the job."""
    change: str = ""
    by: str = ""
    money: str = ""
    detail: str = ""
    since: str = ""
    """How long after the entry before it in time; empty for the oldest."""

    @property
    def moment(self) -> str:
        """To the second: much of a short life happens within a minute."""
        return display.moment(self.when)


@dataclass(frozen=True)
class Timeline:
    """The newest of the entries, the newest first, and whether there are older ones."""

    entries: list[Entry]
    is_cut: bool

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Timeline:
        """Put entries in order; those of the same moment stay in the order given."""
        ordered = sorted(entries, key=lambda entry: entry.when)
        for index in range(len(ordered) - 1, 0, -1):
            entry, before = ordered[index], ordered[index - 1]
            since = display.span(entry.when - before.when, exact=True)
            ordered[index] = replace(entry, since=since)
        return cls(ordered[: -MAX_SHOWN - 1 : -1], len(ordered) > MAX_SHOWN)


def entries_of(job: VideoJob, submissions: Iterable[Submission]) -> Iterator[Entry]:
    """Yield what is known, each kind the oldest first: one more event than is shown."""
    yield Entry(job.created_at, _("created"))
    for submission in submissions:
        yield from _beyond_events(submission)
    events = JobEvent.objects.using(job._state.db).filter(job=job)
    events = events.select_related("actor", "submission").order_by("-pk")
    long = ("submission__body", "submission__raw", "submission__evidence")
    for event in reversed(events.defer(*long)[: MAX_SHOWN + 1]):
        yield entry_of(event)


def entry_of(event: JobEvent) -> Entry:
    """Return an event in words."""
    asked = event.action in (Action.SUBMIT, Action.RESUBMIT)
    detail = AMOUNT_IN_FRONT.sub("", event.detail, count=1) if asked else event.detail
    return Entry(
        event.created_at,
        event.get_action_display(),
        number=event.submission.number if event.submission else None,
        change=_change(event),
        by=_by(event),
        money=_money(event),
        detail=display.text(detail),
    )


def _beyond_events(submission: Submission) -> Iterator[Entry]:
    """Yield what is no change of anything: looks and webhooks are counted on the row."""
    number = submission.number
    if submission.cancel_sent_at:
        yield Entry(submission.cancel_sent_at, _("cancellation sent to Krea"), number)
    if submission.last_polled_at:
        words = ngettext("looked at Krea", "last of %d looks at Krea", submission.poll_count)
        words = words % submission.poll_count if submission.poll_count != 1 else words
        yield Entry(submission.last_polled_at, words, number)
    if submission.last_webhook_at:
        words = ngettext("webhook came", "last of %d webhooks came", submission.webhook_count)
        words = words % submission.webhook_count if submission.webhook_count != 1 else words
        yield Entry(submission.last_webhook_at, words, number)


def _change(event: JobEvent) -> str:
    if event.from_status == event.to_status or not event.to_status:
        return ""
    names = [event.get_from_status_display(), event.get_to_status_display()]
    return " → ".join(filter(None, names))


def _by(event: JobEvent) -> str:
    words = {
        Source.OPERATOR: _("an operator"),
        Source.API: _("the API"),
        Source.CODE: _("the site's own code"),
        Source.WEBHOOK: _("a webhook"),
        Source.POLL: _("a look at Krea"),
        Source.SYSTEM: _("a worker"),
    }
    source = words[Source(event.source)]
    if event.actor is None:
        return _("by %s") % source
    return _("by %(source)s (%(who)s)") % {"source": source, "who": event.actor}


def _money(event: JobEvent) -> str:
    """Say what the entry did to the money of its submission."""
    if event.submission is None:
        return ""
    usd = display.usd(event.submission.price_usd)
    if event.action in (Action.SUBMIT, Action.RESUBMIT):
        return _("%s reserved") % usd
    if event.from_status == event.to_status:
        return ""
    if event.to_status == Status.COMPLETED:
        return _("%s spent") % usd
    if event.action in (Action.MISS, Action.CANCEL):  # Krea never said that it has ended
        return _("%s still reserved") % usd
    if event.from_status in LIVE and event.to_status in WITHOUT_VIDEO:
        return _("%s no longer reserved") % usd
    return ""
