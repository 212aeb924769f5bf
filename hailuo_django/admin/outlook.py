"""What a proposal would do, row by row: what stands on the screen before anything is paid."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django import ledger
from hailuo_django.exceptions import HailuoError
from hailuo_django.forecast import Forecast
from hailuo_django.models import Batch, BatchItem, VideoJob
from hailuo_django.states import Action

from . import display
from .caps import CapLine, no_room

MAX_OWNERS = 20
"""Whose budgets are shown: those with the least room."""

MAX_SKIPPED = 100
"""How many that would be skipped are named."""

READ_AT_ONCE = 200


@dataclass
class Row:
    """One job that was selected, and what stands against it, in words; empty: nothing does."""

    number: int
    job_id: Any
    title: SafeString | str
    obstacle: str = ""
    owner_id: Any = None
    owner: str = ""
    format: str = ""
    price_usd: Decimal = Decimal(0)
    advice: SafeString | str = ""

    @property
    def price(self) -> str:
        """Its price, for reading."""
        return display.usd(self.price_usd)


@dataclass(frozen=True)
class Sum:
    """Jobs of one format: how many, and what they cost."""

    format: str
    jobs: int
    price_usd: Decimal

    @property
    def price(self) -> str:
        """Of one of them."""
        return display.usd(self.price_usd)

    @property
    def total(self) -> str:
        """Of all of them."""
        return display.usd(self.price_usd * self.jobs)


@dataclass
class Outlook:
    """All rows of a proposal in the order of the work, foreseen as they are now."""

    batch: Batch
    selected: list[Row]
    forecast: Forecast

    @property
    def title(self) -> str:
        """What is asked."""
        if self.rows:
            return _("%s?") % self.order
        again = self.batch.action == Action.RESUBMIT
        return _("Nothing to resubmit") if again else _("Nothing to submit")

    @property
    def order(self) -> str:
        """What is done when it is confirmed."""
        n = len(self.rows)
        if self.batch.action == Action.RESUBMIT:
            words = ngettext("Resubmit %(n)s job for %(usd)s", "Resubmit %(n)s jobs for %(usd)s", n)
        else:
            words = ngettext("Submit %(n)s job for %(usd)s", "Submit %(n)s jobs for %(usd)s", n)
        return words % {"n": display.count(n), "usd": self.total}

    @property
    def summary(self) -> str:
        """How many were selected, and how many of them would not be done."""
        n, out = self.batch.job_count, len(self.skipped)
        words = ngettext("%s job was selected.", "%s jobs were selected.", n) % display.count(n)
        if not out:
            return words
        why = ngettext("%s is skipped, see below why.", "%s are skipped, see below why.", out)
        return f"{words} {why % display.count(out)}"

    @cached_property
    def rows(self) -> list[Row]:
        """Those that would be done."""
        return [row for row in self.selected if not row.obstacle]

    def page(self, number: str | None, length: int) -> Page[Row]:
        """Return a page of those that would be done."""
        return Paginator(self.rows, length).get_page(number)

    @property
    def fingerprint(self) -> str:
        """A short name for exactly these jobs to be done."""
        numbers = ",".join(str(row.number) for row in self.rows)
        return hashlib.sha256(numbers.encode()).hexdigest()[:32]

    @property
    def left_out(self) -> dict[str, list[int]]:
        """The numbers of those that would not be done, by the reason."""
        found: dict[str, list[int]] = {}
        for row in self.skipped:
            found.setdefault(row.obstacle, []).append(row.number)
        return found

    @cached_property
    def skipped(self) -> list[Row]:
        """Those that would not be done."""
        return [row for row in self.selected if row.obstacle]

    @property
    def first_skipped(self) -> list[Row]:
        """Those of them that are named."""
        return self.skipped[:MAX_SKIPPED]

    @property
    def more_skipped(self) -> int:
        """How many more there are."""
        return max(len(self.skipped) - MAX_SKIPPED, 0)

    @property
    def total(self) -> str:
        """What all of it would cost."""
        return display.usd(sum((row.price_usd for row in self.rows), start=Decimal(0)))

    @property
    def sums(self) -> list[Sum]:
        """The formats that are wanted, and what each would cost."""
        kinds = Counter((row.format, row.price_usd) for row in self.rows)
        return [Sum(name, jobs, price) for (name, price), jobs in sorted(kinds.items())]

    @property
    def caps(self) -> list[CapLine]:
        """The caps of the site, and of the owners with the least room."""
        names = {row.owner_id: row.owner for row in self.selected}
        owners = sorted(self.forecast.owners.values(), key=lambda cap: cap.room_usd)
        shown = [*self.forecast.site, *owners[:MAX_OWNERS]]
        return [CapLine(cap, names.get(cap.owner_id, "")) for cap in shown]

    @property
    def more_owners(self) -> int:
        """How many budgets of owners are not shown."""
        return max(len(self.forecast.owners) - MAX_OWNERS, 0)


def look_ahead(batch: Batch, visible: QuerySet[VideoJob]) -> Outlook:
    """Foresee what confirming ``batch`` would do to the jobs that its operator may see.

    As many queries for five thousand jobs as for one.
    """
    items = BatchItem.objects.using(VideoJob.database()).filter(batch=batch)
    there: dict[Any, Row] = {row.job_id: row for row in _rows(batch, list(items), visible)}
    rows = [there.get(item.job_id) or _missing(item) for item in items]
    forecast = Forecast({row.owner_id for row in rows if not row.obstacle})
    for row in rows:
        if not row.obstacle and (cap := forecast.want(row.price_usd, row.owner_id)):
            row.obstacle = no_room(cap)
    return Outlook(batch, rows, forecast)


def _rows(batch: Batch, items: list[BatchItem], visible: QuerySet[VideoJob]) -> Iterator[Row]:
    selected = {item.job_id: item for item in items}
    ready = ExpressionWrapper(ledger.allowed(Action(batch.action)), BooleanField())
    mine = BatchItem.objects.using(VideoJob.database()).filter(batch=batch).values("job")
    jobs = visible.using(VideoJob.database()).filter(pk__in=mine).annotate(is_ready=ready)
    jobs = jobs.select_related("owner").prefetch_related(None)
    for job in jobs.order_by().iterator(READ_AT_ONCE):
        yield _row(job, selected[job.pk], Action(batch.action))


def _row(job: Any, item: BatchItem, action: Action) -> Row:
    return Row(
        number=item.number,
        job_id=job.pk,
        title=display.title(job),
        obstacle=_obstacle(job, item, action),
        owner_id=job.owner_id,
        owner=str(job.owner or ""),
        format=display.format_of(job),
        price_usd=job.price_today() or Decimal(0),
        advice=display.advice(job.advice()),
    )


def _obstacle(job: Any, item: BatchItem, action: Action) -> str:
    try:
        ledger.check(item, job, action, is_ready=job.is_ready)
    except HailuoError as refusal:
        return refusal.message
    except ValidationError as refusal:
        return " ".join(refusal.messages)
    return ""


def _missing(item: BatchItem) -> Row:
    return Row(item.number, None, str(item.job_id), _("This job does not exist any more."))
