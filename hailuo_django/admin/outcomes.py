"""What became of a batch, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django.models import Batch, BatchItem, Heartbeat, VideoJob
from hailuo_django.models.batches import BatchItemQuerySet, Tally
from hailuo_django.states import Action

from . import display

Outcome = BatchItem.Outcome

SIGNS = {Outcome.WAITING: "…", Outcome.DONE: "✓", Outcome.SKIPPED: "–", Outcome.FAILED: "✗"}
"""Before the word, never in its place."""

MAX_LEFT_OUT = 100
"""How many that were skipped or failed are named."""


@dataclass(frozen=True)
class Line:
    """One job of a confirmed batch."""

    item: BatchItem
    job: VideoJob | None
    """None where it was deleted, or is none of those that the reader may see."""

    @property
    def job_id(self) -> Any:
        """Its job's id, where there is a page of it."""
        return self.job.pk if self.job else None

    @property
    def title(self) -> SafeString | str:
        """What the job is called; else its id."""
        return display.title(self.job) if self.job else str(self.item.job_id)

    @property
    def format(self) -> str:
        """What decided the price."""
        return display.format_of(self.job) if self.job else ""

    @property
    def price(self) -> str:
        """What stood on the screen."""
        return "" if self.item.price_usd is None else display.usd(self.item.price_usd)

    @property
    def sign(self) -> str:
        """The outcome at a glance."""
        return SIGNS[Outcome(self.item.outcome)]

    @property
    def outcome(self) -> str:
        """The outcome in a word."""
        return str(Outcome(self.item.outcome).label)

    @property
    def reason(self) -> str:
        """Why it was not done."""
        return display.text(self.item.reason)


class Outcomes:
    """The jobs of a confirmed batch, and their outcomes in all.

    ``visible`` are the jobs that exist for the reader, who may be another than the operator.
    """

    def __init__(self, batch: Batch, visible: QuerySet[VideoJob]) -> None:
        self.batch = batch
        self._visible = visible.using(VideoJob.database())
        self.tally: dict[str, Tally] = self._items.tally()

    @property
    def _items(self) -> BatchItemQuerySet:
        return BatchItem.objects.using(VideoJob.database()).filter(batch=self.batch)

    @property
    def title(self) -> str:
        """What was confirmed, and how far it is."""
        done = display.count(self.tally[Outcome.DONE].jobs)
        numbers = {"n": done, "all": display.count(self.batch.job_count)}
        if self.batch.action == Action.RESUBMIT:
            return _("Jobs resubmitted: %(n)s of %(all)s") % numbers
        return _("Jobs submitted: %(n)s of %(all)s") % numbers

    @property
    def handled(self) -> int:
        """How many jobs there is nothing left to do about."""
        return self.batch.job_count - self.tally[Outcome.WAITING].jobs

    @property
    def dealt_with(self) -> str:
        """The same in words."""
        numbers = {"n": display.count(self.handled), "all": display.count(self.batch.job_count)}
        return _("%(n)s of %(all)s jobs are dealt with.") % numbers

    @property
    def no_worker(self) -> str:
        """Say that nobody is there to go on; empty where somebody is."""
        beats = Heartbeat.objects.using(VideoJob.database()).filter(name=Heartbeat.SWEEP)
        return display.no_worker(beats.values_list("beat_at", flat=True).first())

    @property
    def outcomes(self) -> list[tuple[str, str, str, str]]:
        """Sign, word, jobs and USD of each outcome that there was."""
        found = [(name, self.tally[name]) for name in Outcome if self.tally[name].jobs]
        costs = {Outcome.DONE, Outcome.WAITING}
        return [
            (
                SIGNS[name],
                str(name.label),
                display.count(tally.jobs),
                display.usd(tally.usd) if name in costs else "",
            )
            for name, tally in found
        ]

    @property
    def confirmed(self) -> str:
        """When it was confirmed."""
        return display.moment(self.batch.confirmed_at) if self.batch.confirmed_at else ""

    @cached_property
    def left_out(self) -> list[Line]:
        """The first that were not done, and why."""
        rows = self._items.filter(outcome__in=[Outcome.SKIPPED, Outcome.FAILED])
        return self._lines(rows[:MAX_LEFT_OUT])

    @property
    def more_left_out(self) -> int:
        """How many more there are."""
        tally = self.tally
        return max(tally[Outcome.SKIPPED].jobs + tally[Outcome.FAILED].jobs - MAX_LEFT_OUT, 0)

    def page(self, number: str | None, length: int) -> Page[Line]:
        """Return a page of those that were done, or wait for it."""
        rows = self._items.filter(outcome__in=[Outcome.DONE, Outcome.WAITING])
        page: Page[Any] = Paginator(rows, length).get_page(number)
        page.object_list = self._lines(page.object_list)
        return page

    def _lines(self, rows: Iterable[BatchItem]) -> list[Line]:
        items = list(rows)
        seen = self._visible.in_bulk([item.job_id for item in items])
        return [Line(item, seen.get(item.job_id)) for item in items]

    def only_job_done(self) -> Any:
        """Return the id of the job where there was one, and it was done; else None."""
        if self.batch.job_count != 1 or not self.tally[Outcome.DONE].jobs:
            return None
        return self._items.values_list("job_id", flat=True).get()

    def messages(self) -> Iterator[tuple[int, str]]:
        """Say what the confirmation did, each kind of outcome once."""
        if count := self.tally[Outcome.WAITING].jobs:
            words = _("%s jobs are being submitted.")
            if self.batch.action == Action.RESUBMIT:
                words = _("%s jobs are being resubmitted.")
            yield messages.SUCCESS, words % display.count(count)
        if count := self.tally[Outcome.DONE].jobs:
            usd = display.usd(self.tally[Outcome.DONE].usd)
            yield messages.SUCCESS, self._done(count) % {"n": count, "usd": usd}
        if count := self.tally[Outcome.SKIPPED].jobs:
            words = ngettext("%d job skipped.", "%d jobs skipped.", count)
            yield messages.WARNING, words % count
        if count := self.tally[Outcome.FAILED].jobs:
            words = ngettext("%d job failed.", "%d jobs failed.", count)
            yield messages.ERROR, words % count

    def _done(self, jobs: int) -> str:
        if self.batch.action == Action.RESUBMIT:
            return ngettext(
                "%(n)d job resubmitted for %(usd)s.", "%(n)d jobs resubmitted for %(usd)s.", jobs
            )
        return ngettext(
            "%(n)d job submitted for %(usd)s.", "%(n)d jobs submitted for %(usd)s.", jobs
        )
