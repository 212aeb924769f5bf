"""Rows that each tell what is usual and what is long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.utils.safestring import SafeString

from .scale import drawable, time_ticks
from .svg import LETTER, WIDTH, Look, Say, element, fill, label, picture, words

ROW, FOOT, RIGHT = 26.0, 24.0, 30.0
BAR, WHISKER = 12.0, 6.0


@dataclass(frozen=True)
class Range:
    """One row: what half of them, and what nine of ten did not exceed, in seconds."""

    name: str
    usual: float
    long: float


def ranges(
    name: str, title: str, summary: str, rows: Sequence[Range], *, say: Say, told: str
) -> SafeString:
    """Return a chart with a bar up to what is usual and a line up to what is long.

    ``say`` puts seconds in words. ``told`` are those about a row, with ``%(usual)s``
    and ``%(long)s`` in them. Nothing where there are no rows.
    """
    if not rows:
        return SafeString("")
    longest = max(max(drawable(row.usual), drawable(row.long)) for row in rows)
    plot = Plot(rows, say, time_ticks(longest))
    bars = (plot.bar(name, at, told) for at in range(len(rows)))
    return picture(name, title, summary, plot.foot + FOOT, [*plot.axis(), *bars], [])


@dataclass(frozen=True)
class Plot:
    """Where everything stands."""

    rows: Sequence[Range]
    say: Say
    ticks: Sequence[float]

    @cached_property
    def left(self) -> float:
        """Where bars begin: the names of the rows have their place before it."""
        return 10 + LETTER * max(len(label(row.name)) for row in self.rows)

    @cached_property
    def foot(self) -> float:
        """Where the last row ends."""
        return ROW * len(self.rows)

    def x(self, seconds: float) -> float:
        """How far to the right a value is."""
        return self.left + (WIDTH - RIGHT - self.left) * drawable(seconds) / self.ticks[-1]

    def axis(self) -> Iterator[SafeString]:
        """Draw a line for each round number, and name as many as there is room for."""
        said = [label(self.say(tick)) for tick in self.ticks]
        wide = LETTER * (max(map(len, said)) + 1)
        every = math.ceil(wide / (self.x(self.ticks[1]) - self.left))
        for at, tick in enumerate(self.ticks):
            x = self.x(tick)
            yield element("line", class_="hailuo-grid", x1=x, x2=x, y1=4.0, y2=self.foot)
            if at % every == 0:
                yield element("text", said[at], x=x, y=self.foot + FOOT - 6, text_anchor="middle")

    def bar(self, name: str, at: int, told: str) -> SafeString:
        """Draw a row, which tells its figures to a pointer."""
        row, middle = self.rows[at], ROW * (at + 0.5)
        end = self.x(row.long)
        whisker = f"M{self.left:.2f} {middle:.2f}H{end:.2f}M{end:.2f} {middle - WHISKER:.2f}v12"
        bar = {"x": self.left, "y": middle - BAR / 2, "height": BAR}
        seconds = {"usual": self.say(drawable(row.usual)), "long": self.say(drawable(row.long))}
        parts = [
            element("title", words(f"{row.name}: {told % seconds}")),
            element("text", label(row.name), x=self.left - 6, y=middle + 4, text_anchor="end"),
            element("path", class_="hailuo-whisker", d=whisker),
            element(
                "rect",
                **bar,
                width=max(self.x(row.usual) - self.left, 2.0),
                **fill(name, Look.SOLID),
            ),
        ]
        return element("g", *parts, class_="hailuo-row")
