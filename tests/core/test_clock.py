"""Times of sites that keep them without a time zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from hailuo_django.clock import aware

ONCE = datetime(2026, 10, 25, 1, 30)  # noqa: DTZ001 - as such a site keeps it
TWICE = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "latest", "hour"),
    [(ONCE, False, 23), (ONCE, True, 23), (TWICE, False, 0), (TWICE, True, 1)],
)
def test_an_hour_that_comes_twice_is_the_first_or_the_latest(
    settings: Settings, moment: datetime, latest: bool, hour: int
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    told = aware(moment, latest=latest).astimezone(UTC)
    assert (told.hour, told.minute) == (hour, 30)
