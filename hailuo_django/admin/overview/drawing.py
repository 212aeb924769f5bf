"""The figures in words: charts, what they come to, and the tables behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hailuo_django.admin import display
from hailuo_django.admin.charts import Limit, Look, Range, Series, columns, ranges, swatch
from hailuo_django.budget import Balance
from hailuo_django.expectations import SAMPLES_LOOKED_AT, SAMPLES_NEEDED, Expectation
from hailuo_django.models import JobEvent
from hailuo_django.states import Status

from .figures import DAYS, Figures

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Expected = Sequence[tuple[str, int, Expectation]]

NO_VIDEOS = gettext_lazy("No videos yet in the last 30 days.")

LOOKS = {
    Status.COMPLETED: Look.SOLID,
    Status.FAILED: Look.HATCHED,
    Status.CANCELLED: Look.DOTTED,
}


@dataclass(frozen=True)
class Drawing:
    """A chart with everything around it."""

    name: str
    title: str
    summary: str
    """What it comes to; also what is said to those who cannot see the chart."""
    chart: SafeString
    """Empty where there is nothing to be seen."""
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    """The table: all that is in the chart."""
    legend: Sequence[tuple[SafeString, str]] = field(default_factory=list)

    empty: str | _StrPromise = ""
    """What is said in place of a chart."""


def drawings(figures: Figures, balances: Sequence[Balance]) -> list[Drawing]:
    """Return the charts: four, or three for a reader who sees only some of the site's jobs."""
    drawn = [outcomes(figures), spending(figures, balances), finders(figures)]
    return drawn if figures.expected is None else [*drawn, spans(figures.expected)]


def outcomes(figures: Figures) -> Drawing:
    """How jobs ended, day by day."""
    series = [
        Series(str(status.label), LOOKS[status], values) for status, values in figures.ended.items()
    ]
    return counts("outcomes", _("Jobs by outcome a day"), figures, series, series, whole=True)


def spending(figures: Figures, balances: Sequence[Balance]) -> Drawing:
    """What completed videos cost, day by day, against the site's cap of a day."""
    title = _("Spent a day, in USD")
    cap = next((balance.limit_usd for balance in balances if balance.cap == "day"), None)
    total = display.usd(sum(figures.spent_usd, start=Decimal(0)))
    summary = _("%(total)s in %(days)d days") % {"total": total, "days": DAYS}
    if cap is not None:
        summary += _("; the budget of a day is %s") % display.usd(cap)
    series = [Series(_("spent"), Look.SOLID, [float(value) for value in figures.spent_usd])]
    limit = None if cap is None else Limit(_("budget %s") % usd(float(cap)), float(cap))
    return Drawing(
        name="spending",
        title=title,
        summary=summary,
        chart=columns("spending", title, summary, days(figures), series, say=usd, limit=limit),
        head=[_("Day"), _("Spent")],
        rows=table(figures, [display.usd(value) for value in figures.spent_usd]),
        empty=NO_VIDEOS,
    )


def finders(figures: Figures) -> Drawing:
    """Who told that videos were completed, in percent of each day."""
    by = dict(figures.completed_by)
    series = [
        Series(str(source.label), look, by.pop(source, [0] * DAYS))
        for source, look in (
            (JobEvent.Source.WEBHOOK, Look.SOLID),
            (JobEvent.Source.POLL, Look.DOTTED),
        )
    ]
    if by:
        others = [sum(values) for values in zip(*by.values(), strict=True)]
        series.append(Series(_("otherwise"), Look.OPEN, others))
    title = _("Completed by webhook or by polling, in percent a day")
    return counts("finders", title, figures, series, shares(series), top=100)


def shares(series: Sequence[Series]) -> list[Series]:
    """Return the same in percent of each day."""
    totals = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
    return [
        replace(one, values=[percent(*pair) for pair in zip(one.values, totals, strict=True)])
        for one in series
    ]


def counts(
    name: str,
    title: str,
    figures: Figures,
    series: Sequence[Series],
    drawn: Sequence[Series],
    **axis: Any,
) -> Drawing:
    """Return a drawing of what is counted, with ``drawn`` in its chart."""
    totals = [f"{one.name}: {count(sum(one.values))}" for one in series]
    summary = ", ".join(totals)
    return Drawing(
        name=name,
        title=title,
        summary=summary,
        chart=columns(name, title, summary, days(figures), drawn, say=count, **axis),
        head=[_("Day"), *(one.name for one in series)],
        rows=table(figures, *([count(value) for value in one.values] for one in series)),
        legend=[(swatch(name, one.look), total) for one, total in zip(series, totals, strict=True)],
        empty=NO_VIDEOS,
    )


def spans(expected: Expected) -> Drawing:
    """How long videos take, by resolution and duration."""
    title = _("Time to completion")
    summary = _(
        "From being sent to the end. Bar: half of the videos took no longer. Line: nine of ten"
        " took no longer. The newest %(most)d of each kind, from %(least)d on."
    ) % {"most": SAMPLES_LOOKED_AT, "least": SAMPLES_NEEDED}
    kinds = [(f"{resolution}, {duration} s", known) for resolution, duration, known in expected]
    rows = [Range(kind, known.usual_seconds, known.long_seconds) for kind, known in kinds]
    told = _("half up to %(usual)s, nine of ten up to %(long)s")
    return Drawing(
        name="spans",
        title=title,
        summary=summary,
        chart=ranges("spans", title, summary, rows, say=span, told=told),
        head=[_("Kind"), _("Videos"), _("Half took up to"), _("Nine of ten took up to")],
        rows=[
            [
                kind,
                count(known.samples),
                span(known.usual_seconds),
                span(known.long_seconds),
            ]
            for kind, known in kinds
        ],
        empty=_("No kind of video has been completed %d times yet.") % SAMPLES_NEEDED,
    )


def days(figures: Figures) -> list[str]:
    """Return the names of the days."""
    return [date_format(day, "MONTH_DAY_FORMAT") for day in figures.days.dates]


def table(figures: Figures, *columns: Sequence[str]) -> list[list[str]]:
    """Return a row for each day, the newest first."""
    names = [date_format(day, "DATE_FORMAT") for day in figures.days.dates]
    return [list(row) for row in zip(names, *columns, strict=True)][::-1]


def percent(part: float, whole: float) -> float:
    """Return a share; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def count(value: float) -> str:
    """Return a whole number in words."""
    return number_format(round(value), force_grouping=True)


def span(seconds: float) -> str:
    """Return a length of time in words."""
    return display.span(timedelta(seconds=round(seconds)), exact=True)


def usd(value: float) -> str:
    """Return an amount with as many decimals as it has, without its currency."""
    return number_format(Decimal(f"{value:.4f}").normalize() + 0, force_grouping=True)
