"""Round numbers for an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable

MOST = 5
"""Steps of an axis, at most."""

LARGEST = 1e12
"""More is drawn as this much, and its words would find no place."""

SMALLEST = 1e-6
"""An axis is no shorter than this."""

DAY = 86400.0
STEPS_OF_TIME = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, DAY)


def drawable(value: float) -> float:
    """Return a number that has a place on an axis; 0 for what has none (NaN, below zero)."""
    return min(float(value), LARGEST) if value > 0 else 0.0


def ticks(top: float, *, whole: bool = False) -> list[float]:
    """Return round numbers from 0 on, the last of them not below ``top``; at least two.

    With ``whole`` there are no fractions among them.
    """
    # A pile of several values may be higher than any of them.
    top = min(top, 100 * LARGEST) if top > SMALLEST else SMALLEST
    magnitude = 10.0 ** (math.floor(math.log10(top)) - 1)
    step = _first_that_reaches(top, (factor * magnitude for factor in (1, 2, 5, 10, 20, 50)))
    return _up_to(top, max(step, 1.0) if whole else step)


def time_ticks(seconds: float) -> list[float]:
    """Return seconds from 0 on, in steps that people count time in; at least two."""
    top = max(drawable(seconds), 1.0)
    if top > MOST * DAY:
        return [days * DAY for days in ticks(top / DAY, whole=True)]
    return _up_to(top, _first_that_reaches(top, STEPS_OF_TIME))


def _first_that_reaches(top: float, steps: Iterable[float]) -> float:
    return next(step for step in steps if step * MOST >= top)


def _up_to(top: float, step: float) -> list[float]:
    # A hair of a step is a matter of floats, not of the figures.
    count = max(math.ceil(top / step - 1e-9), 1)
    return [number * step for number in range(count + 1)]
