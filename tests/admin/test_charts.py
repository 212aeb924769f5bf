"""Charts: round numbers, columns and rows where they belong, well-formed whatever they are told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hailuo_django
from hailuo_django.admin.charts import Limit, Look, Range, Series, columns, ranges, swatch
from hailuo_django.admin.charts.scale import LARGEST, ticks, time_ticks
from hailuo_django.admin.charts.svg import WIDTH

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>\" onload='x' & \x00\x1b\ud800\u202e<![CDATA["

NUMBERS = st.floats() | st.integers(min_value=-5, max_value=10**30).map(float)
WORDS = st.text() | st.just(HOSTILE)


def parsed(chart: str) -> ElementTree.Element:
    """The chart as a strict reader has it, which HTML's own is not."""
    return ElementTree.fromstring(chart)  # noqa: S314 - our own


def texts(chart: str) -> list[str]:
    return ["".join(node.itertext()) for node in parsed(chart).iter("text")]


def areas(chart: str, look: Look = Look.SOLID) -> list[dict[str, float]]:
    """Where the areas of one look are."""
    found = [
        node for node in parsed(chart).iter("rect") if f"hailuo-{look}" in node.get("class", "")
    ]
    names = ("x", "y", "width", "height")
    return [{name: float(node.attrib[name]) for name in names} for node in found]


def outcomes(*values: list[float], **axis: object) -> str:
    series = [
        Series(name, look, one)
        for name, look, one in zip(
            ("made", "lost"), (Look.SOLID, Look.HATCHED), values, strict=False
        )
    ]
    labels = [f"day {number}" for number in range(len(values[0]))]
    return columns("outcomes", "Ends", "In all", labels, series, say=lambda v: f"{v:g}", **axis)  # type: ignore[arg-type]


# Axes


@pytest.mark.parametrize(
    ("top", "last", "step"),
    [
        (0, 1e-6, 2e-7),
        (0.7, 0.8, 0.2),
        (1, 1, 0.2),
        (4.2, 5, 1),
        (7, 8, 2),
        (14, 15, 5),
        (1e6, 1e6, 2e5),
    ],
)
def test_an_axis_ends_at_the_first_round_number_that_is_enough(
    top: float, last: float, step: float
) -> None:
    found = ticks(top)
    assert found[-1] == pytest.approx(last)
    assert found[1] - found[0] == pytest.approx(step)


def test_there_are_no_fractions_of_what_is_counted() -> None:
    assert ticks(1, whole=True) == [0, 1]
    assert ticks(2, whole=True) == [0, 1, 2]
    assert ticks(7, whole=True) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("seconds", "step"), [(0, 1), (40, 10), (100, 30), (250, 60), (4000, 900), (200_000, 86_400)]
)
def test_time_is_counted_as_people_do(seconds: float, step: float) -> None:
    assert time_ticks(seconds)[1] == step
    assert time_ticks(seconds)[-1] >= seconds


def test_months_are_counted_in_days() -> None:
    assert [second / 86400 for second in time_ticks(90 * 86400)] == [0, 20, 40, 60, 80, 100]


@given(NUMBERS)
def test_an_axis_is_short_and_reaches_whatever_it_is_for(top: float) -> None:
    for found in (ticks(top), ticks(top, whole=True), time_ticks(top)):
        assert 2 <= len(found) <= 7
        assert all(map(math.isfinite, found))
        assert found[0] == 0
        if top > 0:
            assert found[-1] >= min(top, LARGEST) * 0.999


# Columns


def test_a_column_is_a_pile_as_high_as_its_sum() -> None:
    chart = outcomes([3, 0, 1], [1, 0, 0])
    made, lost = areas(chart), areas(chart, Look.HATCHED)
    assert [len(made), len(lost)] == [2, 1]
    assert made[0]["height"] == pytest.approx(3 * made[1]["height"])
    assert lost[0]["y"] + lost[0]["height"] == pytest.approx(made[0]["y"])
    assert lost[0]["x"] == made[0]["x"]


def test_each_column_tells_its_figures_to_a_pointer() -> None:
    titles = [node.text for node in parsed(outcomes([3, 0], [1, 0])).iter("title")]
    assert titles == ["Ends", "day 0: made 3, lost 1", "day 1: made 0, lost 0"]


def test_the_first_the_middle_and_the_last_column_are_named() -> None:
    thirty = outcomes([1.0] * 30)
    assert [text for text in texts(thirty) if "day" in text] == ["day 0", "day 14", "day 29"]


def test_a_single_day_is_a_column_and_no_wall() -> None:
    chart = outcomes([5])
    [only] = areas(chart)
    assert only["width"] <= 40
    assert [text for text in texts(chart) if "day" in text] == ["day 0"]


def test_one_among_thousands_can_be_seen() -> None:
    [lost] = areas(outcomes([100_000], [1]), Look.HATCHED)
    assert lost["height"] >= 2


@pytest.mark.parametrize("values", [[], [0, 0], [math.nan, -1.0]])
def test_where_there_is_nothing_there_is_no_chart(values: list[float]) -> None:
    assert (
        columns("x", "t", "s", ["day"] * len(values), [Series("a", Look.OPEN, values)], say=str)
        == ""
    )
    assert ranges("x", "t", "s", [], say=str, told="") == ""


def test_a_limit_is_a_line_with_its_words_and_within_the_axis() -> None:
    chart = outcomes([3], limit=Limit("cap 10", 10.0))
    [line] = [node for node in parsed(chart).iter("line") if node.get("class") == "hailuo-limit"]
    assert "cap 10" in texts(chart)
    assert float(line.attrib["y1"]) < areas(chart)[0]["y"]
    assert "10" in texts(chart)


def test_a_limit_far_above_is_named_and_presses_nothing_flat() -> None:
    chart = outcomes([3], limit=Limit("cap 1000", 1000.0))
    assert not [node for node in parsed(chart).iter("line") if node.get("class") == "hailuo-limit"]
    assert "\u2191 cap 1000" in texts(chart)
    assert areas(chart) == areas(outcomes([3]))


def test_long_labels_are_cut_in_the_picture_and_whole_for_a_pointer() -> None:
    label = "a day with a very long name indeed"
    chart = columns("x", "t", "s", [label], [Series("a", Look.SOLID, [1])], say=str)
    assert max(map(len, texts(chart))) <= 18
    assert f"{label}: a 1.0" in [node.text for node in parsed(chart).iter("title")]


# Ranges


def test_a_row_has_a_bar_to_the_usual_and_a_line_to_the_long() -> None:
    rows = [Range("768p, 6 s", 60, 120), Range("1080p, 6 s", 120, 240)]
    chart = ranges(
        "spans", "Time", "In all", rows, say=lambda v: f"{v:g} s", told="%(usual)s %(long)s"
    )
    short, long = areas(chart)
    assert long["width"] == pytest.approx(2 * short["width"])
    whisker = next(parsed(chart).iter("path")).attrib["d"]
    end = float(whisker.partition("H")[2].partition("M")[0])
    assert end - short["x"] == pytest.approx(2 * short["width"], abs=0.02)
    assert "768p, 6 s: 60 s 120 s" in [node.text for node in parsed(chart).iter("title")]


def test_words_of_an_axis_never_overlap() -> None:
    rows = [Range("a kind with a long name", 3000, 16_000)]
    chart = ranges("spans", "t", "s", rows, say=lambda v: f"{v:.0f} seconds", told="")
    named = [node for node in parsed(chart).iter("text") if "seconds" in (node.text or "")]
    places = [float(node.attrib["x"]) for node in named]
    widest = 8.5 * max(len(node.text or "") for node in named)
    assert all(b - a >= widest for a, b in zip(places, places[1:], strict=False))


# Whatever they hold


def flaws(chart: str) -> Iterator[str]:
    """Yield what is wrong with a chart."""
    root = parsed(chart)
    if root.get("role") != "img" or not root.findtext("title"):
        yield "it is no picture with a title"
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    if len(ids) != len({*ids}):
        yield "an id is there twice"
    if not {*str(root.get("aria-labelledby")).split()} <= {*ids}:
        yield "nobody bears its name"
    for node in root.iter():
        if node.tag not in PARTS or {*node.attrib} & {"style", "onload", "href"}:
            yield f"{node.tag} has no place in a chart"
        if node.get("fill") and node.get("fill", "")[5:-1] not in ids:
            yield f"{node.get('fill')} leads nowhere"
        for name in ("x", "y", "x1", "x2", "y1", "y2", "width", "height"):
            value = float(node.get(name, 0))
            if not math.isfinite(value) or value < 0 or value > WIDTH * 2:
                yield f"{node.tag} has {name}={value}"


PARTS = {"svg", "title", "desc", "defs", "pattern", "g", "rect", "line", "circle", "text", "path"}


@given(
    days=st.lists(st.tuples(WORDS, NUMBERS, NUMBERS), min_size=1, max_size=9),
    words=WORDS,
    limit=st.none() | st.builds(Limit, WORDS, NUMBERS),
    top=NUMBERS,
    whole=st.booleans(),
)
def test_columns_are_sound_whatever_they_are_told(
    days: list[tuple[str, float, float]],
    words: str,
    limit: Limit | None,
    top: float,
    whole: bool,
) -> None:
    labels, made, lost = zip(*days, strict=True)
    series = [Series(words, Look.HATCHED, made), Series(words, Look.DOTTED, lost)]
    chart = columns(
        "chart", f"_{words}", words, labels, series, say=repr, limit=limit, top=top, whole=whole
    )
    assert not chart or [*flaws(chart)] == []


@given(st.lists(st.builds(Range, WORDS, NUMBERS, NUMBERS), max_size=20), WORDS)
def test_ranges_are_sound_whatever_they_are_told(rows: list[Range], words: str) -> None:
    chart = ranges("chart", f"_{words}", words, rows, say=repr, told="%(usual)s to %(long)s")
    assert not chart or [*flaws(chart)] == []


def test_hostile_words_stay_words() -> None:
    chart = columns("x", HOSTILE, HOSTILE, [HOSTILE], [Series(HOSTILE, Look.OPEN, [1])], say=str)
    assert "<script" not in chart
    assert [*flaws(chart)] == []
    [title] = [node.text for node in parsed(chart) if node.tag == "title"]
    assert title == HOSTILE.replace("\x00", "").replace("\x1b", "").replace("\ud800", "")


@pytest.mark.parametrize("look", Look)
def test_a_legend_shows_what_is_in_the_chart(look: Look) -> None:
    chart = columns("x", "t", "s", ["day"], [Series("a", look, [1])], say=str)
    [shown] = [
        node for node in parsed(chart).iter("rect") if "hailuo-area" in node.get("class", "")
    ]
    [sample] = parsed(swatch("x", look))
    assert {name: sample.get(name) for name in ("class", "fill")} == {
        name: shown.get(name) for name in ("class", "fill")
    }


def test_the_stylesheet_knows_every_class_and_no_colour_of_its_own() -> None:
    package = Path(hailuo_django.__file__).parent
    css = (package / "static/hailuo_django/overview.css").read_text()
    sources = "".join(file.read_text() for file in (package / "admin/charts").glob("*.py"))
    wanted = {"hailuo-chart", "hailuo-grid", "hailuo-limit", "hailuo-whisker", "hailuo-hollow"}
    wanted |= {"hailuo-paper", "hailuo-hatch", "hailuo-dot", "hailuo-swatch"}
    assert all(name in sources and f".{name}" in css for name in wanted)
    assert all(f".hailuo-{look}" in css for look in Look)
    assert not [word for word in ("#fff", "#000", "rgb(", "hsl(") if word in css.lower()]
