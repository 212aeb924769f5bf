"""Columns side by side, each of them a pile of shares: what happened on every day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.utils.safestring import SafeString

from .scale import drawable, ticks
from .svg import LETTER, WIDTH, Look, Say, element, fill, label, picture, words

HEIGHT, TOP, FOOT, RIGHT = 200.0, 22.0, 178.0, 8.0
WIDEST = 40.0
"""A column of a single day is no wall."""

LOWEST = 2.0
"""Whatever is more than nothing can be seen."""

HIGHEST_LIMIT = 4
"""A limit that is further above the columns would press them flat: it is only named."""


@dataclass(frozen=True)
class Series:
    """One kind of what is counted, with a value for each column."""

    name: str
    look: Look
    values: Sequence[float]


@dataclass(frozen=True)
class Limit:
    """A line that columns should stay below."""

    words: str
    value: float


def columns(
    name: str,
    title: str,
    summary: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    say: Say,
    limit: Limit | None = None,
    top: float = 0,
    whole: bool = False,
) -> SafeString:
    """Return a chart; nothing where there is nothing to see but zeros.

    ``say`` puts a value in words; the axis reaches ``top`` at least, and ``whole`` keeps
    fractions off it.
    """
    sums = [sum(drawable(one.values[at]) for one in series) for at in range(len(labels))]
    if not any(sums):
        return SafeString("")
    near = limit if limit and drawable(limit.value) <= HIGHEST_LIMIT * max(sums) else None
    highest = max(*sums, drawable(top), drawable(near.value) if near else 0.0)
    plot = Plot(labels, series, say, ticks(highest, whole=whole))
    parts = [*plot.axis(), *plot.columns(name)]
    if limit:
        parts.append(plot.limit(limit, drawn=near is not None))
    return picture(name, title, summary, HEIGHT, parts, [one.look for one in series])


@dataclass(frozen=True)
class Plot:
    """Where everything stands."""

    labels: Sequence[str]
    series: Sequence[Series]
    say: Say
    ticks: Sequence[float]

    @cached_property
    def left(self) -> float:
        """Where the first column may begin: the words of the axis have their place before it."""
        return 10 + LETTER * max(len(label(self.say(tick))) for tick in self.ticks)

    @cached_property
    def slot(self) -> float:
        """The width that a column has, with the gap after it."""
        return (WIDTH - RIGHT - self.left) / len(self.labels)

    def y(self, value: float) -> float:
        """How far down a value is."""
        return FOOT - (FOOT - TOP) * min(value / self.ticks[-1], 1.0)

    def axis(self) -> Iterator[SafeString]:
        """Draw a line for each round number, and name some of the columns."""
        for tick in self.ticks:
            y = self.y(tick)
            line = {"x1": self.left, "x2": WIDTH - RIGHT, "y1": y, "y2": y}
            yield element("line", class_="hailuo-grid", **line)
            yield self._words(self.say(tick), self.left - 6, y + 4, "end")
        last = len(self.labels) - 1
        for at in sorted({0, last // 2, last}):
            # The first and the last would reach beyond the picture, were they in the middle.
            sides = {0: (0.0, "start"), last: (1.0, "end")} if last else {}
            share, anchor = sides.get(at, (0.5, "middle"))
            x = self.left + (at + share) * self.slot
            yield self._words(self.labels[at], x, HEIGHT - 4, anchor)

    def columns(self, name: str) -> Iterator[SafeString]:
        """Pile up each column, and let all of its height tell its figures to a pointer."""
        width = min(self.slot * 0.75, WIDEST)
        for at, named in enumerate(self.labels):
            values = [drawable(one.values[at]) for one in self.series]
            pairs = list(zip(self.series, values, strict=True))
            told = ", ".join(f"{one.name} {self.say(value)}" for one, value in pairs)
            x = self.left + at * self.slot
            hollow = {"x": x, "y": TOP, "width": self.slot, "height": FOOT - TOP}
            parts = [
                element("title", words(f"{named}: {told}")),
                element("rect", class_="hailuo-hollow", **hollow),
            ]
            below = FOOT
            for one, value in pairs:
                if not value:
                    continue
                height = max(FOOT - self.y(value), LOWEST)
                below -= height
                box = {"x": x + (self.slot - width) / 2, "y": below, "width": width}
                parts.append(element("rect", **box, height=height, **fill(name, one.look)))
            yield element("g", *parts, class_="hailuo-column")

    def limit(self, limit: Limit, *, drawn: bool) -> SafeString:
        """Draw the line with its words above it; or only name it, where it is far above."""
        if not drawn:
            return self._words(f"\N{UPWARDS ARROW} {limit.words}", WIDTH - RIGHT, TOP - 8, "end")
        y = self.y(drawable(limit.value))
        line = {"x1": self.left, "x2": WIDTH - RIGHT, "y1": y, "y2": y}
        parts = [
            element("line", class_="hailuo-limit", **line),
            self._words(limit.words, WIDTH - RIGHT, y - 5, "end"),
        ]
        return element("g", *parts)

    def _words(self, said: str, x: float, y: float, anchor: str) -> SafeString:
        return element("text", label(said), x=x, y=y, text_anchor=anchor)
