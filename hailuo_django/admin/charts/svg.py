"""The elements that charts are made of: escaped, bounded, and well-formed whatever they hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

WIDTH = 480
"""Units from side to side; a unit is about a pixel where there is room for all of them."""

LETTER = 8.5
"""Units that a letter may take where letters are largest, on a phone."""

LONGEST = 18
"""Letters of a label in the picture; its tooltip and its table have all of them."""

NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""


Say = Callable[[float], str]
"""Puts a number in words of the reader's language."""


class Look(StrEnum):
    """How an area is told from its neighbours, also without colours."""

    SOLID = "solid"
    HATCHED = "hatched"
    DOTTED = "dotted"
    OPEN = "open"


PATTERNS = {
    Look.HATCHED: (
        '<pattern id="{}" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect class="hailuo-paper" width="5" height="5"/>'
        '<rect class="hailuo-hatch" width="2.5" height="5"/></pattern>'
    ),
    Look.DOTTED: (
        '<pattern id="{}" width="4" height="4" patternUnits="userSpaceOnUse">'
        '<rect class="hailuo-paper" width="4" height="4"/>'
        '<circle class="hailuo-dot" cx="2" cy="2" r="1.1"/></pattern>'
    ),
}


def words(value: object) -> str:
    """Return text as XML may hold it."""
    return NO_XML.sub("", str(value))


def label(value: object) -> str:
    """Return text short enough to stand in a picture."""
    return Truncator(words(value)).chars(LONGEST)


def element(tag: str, /, *content: str, **attributes: object) -> SafeString:
    """Return an element. Underscores of names become hyphens, one at the end is dropped."""
    named = (
        (name.rstrip("_").replace("_", "-"), number(value) if isinstance(value, float) else value)
        for name, value in attributes.items()
    )
    shown = format_html_join("", ' {}="{}"', named)
    inside = format_html_join("", "{}", ((part,) for part in content))
    return format_html("<{}{}>{}</{}>", tag, shown, inside, tag)


def number(value: float) -> str:
    """Return a coordinate, in the same notation in every language."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def picture(
    name: str, title: str, summary: str, height: float, parts: Iterable[str], looks: Iterable[Look]
) -> SafeString:
    """Return a whole chart, one picture to those who cannot see it.

    ``name`` is unique on the page and a word of letters, digits and hyphens.
    """
    body = [
        element("title", words(title), id=f"{name}-title"),
        element("desc", words(summary), id=f"{name}-summary"),
        _patterns(name, looks),
        *parts,
    ]
    return element(
        "svg",
        *body,
        class_="hailuo-chart",
        role="img",
        aria_labelledby=f"{name}-title {name}-summary",
        viewBox=f"0 0 {WIDTH} {number(height)}",
    )


def swatch(name: str, look: Look) -> SafeString:
    """Return a sample of what ``look`` is in the chart of that name, for its legend."""
    box = element("rect", x=1.0, y=1.0, width=14.0, height=10.0, **fill(name, look))
    return element("svg", box, class_="hailuo-swatch", aria_hidden="true", viewBox="0 0 16 12")


def fill(name: str, look: Look) -> dict[str, str]:
    """Return the attributes of an area; a pattern is the chart's own."""
    given = {"class_": f"hailuo-area hailuo-{look}"}
    return given | ({"fill": f"url(#{name}-{look})"} if look in PATTERNS else {})


def _patterns(name: str, looks: Iterable[Look]) -> SafeString:
    wanted = [format_html(PATTERNS[look], f"{name}-{look}") for look in looks if look in PATTERNS]
    return element("defs", *wanted) if wanted else SafeString("")
