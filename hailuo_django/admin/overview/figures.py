"""What happened day by day: counted in the database, by index, within so many days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, IntegerField, QuerySet, Sum, Value, When
from django.utils import timezone

from hailuo_django import pricing
from hailuo_django.budget import CENT_OF_A_CENT
from hailuo_django.clock import beginning_of, site_day
from hailuo_django.expectations import Expectation, Expectations
from hailuo_django.models import DeletedSubmission, JobEvent, Submission
from hailuo_django.states import Status

from .scope import Scope

DAYS = 30

OUTCOMES = {
    "job_completed": Status.COMPLETED,
    "job_failed": Status.FAILED,
    "job_cancelled": Status.CANCELLED,
}
"""What the event announces that ended a job, as against one of its submissions."""


class Days:
    """The days of the site's time zone up to today, the oldest first."""

    def __init__(self, count: int = DAYS) -> None:
        today = site_day(timezone.now())
        self.dates: list[date] = [today - timedelta(days=n) for n in reversed(range(count))]

    def __len__(self) -> int:
        return len(self.dates)

    @property
    def since(self) -> datetime:
        """When the first of them began."""
        return beginning_of(self.dates[0])

    def number(self, moment: str) -> Case:
        """Return the number of the day that a field of a row falls on.

        Compared with the beginning of each day: no database has to know time zones for it,
        which MySQL does not until somebody loads them.
        """
        begun = [
            When(**{f"{moment}__gte": beginning_of(day)}, then=Value(number))
            for number, day in enumerate(self.dates)
        ]
        return Case(*reversed(begun), output_field=IntegerField())


@dataclass(frozen=True)
class Figures:
    """Numbers for each day, in the order of the days."""

    days: Days
    ended: dict[Status, list[int]]
    """Jobs by how they ended. One that was resubmitted ends once more."""
    completed_by: dict[str, list[int]]
    """Completed jobs by the source of that news, a value of ``JobEvent.Source``."""
    spent_usd: list[Decimal]
    """What was completed costs: in the scope of the whole site, also what was deleted since."""
    expected: list[tuple[str, int, Expectation]] | None
    """How long videos take, by resolution and duration; None but for the whole site."""


def read(scope: Scope) -> Figures:
    """Return the figures of ``scope``: 2 queries, 18 for the whole site."""
    days = Days()
    ended = {status: [0] * len(days) for status in OUTCOMES.values()}
    completed_by: dict[str, list[int]] = {}
    for day, announcement, source, count in _ends(scope, days):
        ended[OUTCOMES[announcement]][day] += count
        if announcement == "job_completed":
            completed_by.setdefault(source, [0] * len(days))[day] += count
    expected = _expected() if scope.is_everything else None
    return Figures(days, ended, completed_by, _spent(scope, days), expected)


def _ends(scope: Scope, days: Days) -> Iterator[tuple[int, str, str, int]]:
    rows = JobEvent.objects.filter(announcement__in=OUTCOMES, created_at__gte=days.since)
    dated = scope.within(rows).order_by().annotate(day=days.number("created_at"))
    grouped = dated.values_list("day", "announcement", "source")
    return iter(grouped.annotate(count=Count("*")))


def _spent(scope: Scope, days: Days) -> list[Decimal]:
    rows = Submission.objects.filter(status=Status.COMPLETED, ended_at__gte=days.since)
    spent = _by_day(scope.within(rows), "ended_at", days)
    if scope.is_everything:
        deleted = DeletedSubmission.objects.using(scope.jobs.db)
        gone = _by_day(deleted.filter(completed_at__gte=days.since), "completed_at", days)
        spent = [one + other for one, other in zip(spent, gone, strict=True)]
    return spent


def _by_day(rows: QuerySet[Any], moment: str, days: Days) -> list[Decimal]:
    sums = rows.order_by().values(day=days.number(moment)).annotate(usd=Sum("price_usd"))
    found = {row["day"]: Decimal(row["usd"]) for row in sums}
    # SQLite adds floats.
    return [found.get(day, Decimal(0)).quantize(CENT_OF_A_CENT) for day in range(len(days))]


def _expected() -> list[tuple[str, int, Expectation]]:
    """One query for all kinds that have a price."""
    kinds = [(name, seconds) for name in pricing.RESOLUTIONS for seconds in pricing.DURATIONS]
    expectations = Expectations(kinds)
    found = [(*kind, expectations.of(*kind)) for kind in kinds]
    return [(name, seconds, known) for name, seconds, known in found if known]
