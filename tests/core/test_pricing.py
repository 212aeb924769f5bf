"""What a video costs, and what is worth knowing before paying for it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pytest_django import Settings

from hailuo_django.models import VideoJob
from hailuo_django.pricing import PRICES

PRICE_LIST = """
512p  0.105  0.3308 0.378 0.4253 0.1575
768p  0.2835 0.3308 0.378 0.4253 0.4725
1080p 0.567  0.6615 0.756 0.8505 0.945
"""


def cells() -> list[tuple[str, int, str]]:
    rows = [line.split() for line in PRICE_LIST.strip().splitlines()]
    return [(row[0], 6 + n, usd) for row in rows for n, usd in enumerate(row[1:])]


@pytest.mark.parametrize(("resolution", "duration", "usd"), cells())
def test_all_fifteen_prices_are_kreas(resolution: str, duration: int, usd: str) -> None:
    assert PRICES[resolution][duration] == Decimal(usd)
    job = VideoJob(prompt="x", resolution=resolution, duration=duration)
    assert job.price_usd == Decimal(usd)


def test_a_site_replaces_single_prices_and_keeps_the_rest(settings: Settings) -> None:
    settings.HAILUO = {"PRICES": {"768p": {6: "0.25"}}}

    assert VideoJob(prompt="x").price_usd == Decimal("0.25")
    assert VideoJob(prompt="x", duration=7).price_usd == Decimal("0.3308")


def codes(**request: object) -> list[str]:
    return [advice.code for advice in VideoJob(**{"prompt": "x", **request}).advice()]


def test_the_default_request_needs_no_advice() -> None:
    assert codes() == []


@pytest.mark.parametrize("duration", [7, 8, 9])
def test_512p_at_7_to_9_s_is_a_trap(duration: int) -> None:
    job = VideoJob(prompt="x", resolution="512p", duration=duration, start_image="http://e.com/a")
    advice = {hint.code: str(hint.message) for hint in job.advice()}

    assert list(advice) == ["cheaper_for_longer", "same_price_for_better", "duration_unsupported"]
    assert advice["cheaper_for_longer"].startswith("10 s at 512p costs less: 0.1575 USD")
    assert advice["same_price_for_better"].startswith(f"768p at {duration} s costs no more")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"duration": 7}, "duration_unsupported"),
        ({"resolution": "1080p", "duration": 10}, "combination_unsupported"),
        ({"resolution": "512p"}, "start_image_missing"),
        ({"end_image": "https://example.com/end.png"}, "end_image_alone"),
        ({"prompt": "x" * 2001}, "prompt_too_long"),
    ],
)
def test_what_krea_prices_but_the_model_may_not_take_is_said(
    request_: dict[str, object], code: str
) -> None:
    assert codes(**request_) == [code]


def test_a_prompt_of_2000_characters_and_both_images_is_fine() -> None:
    images = {"start_image": "https://example.com/a.png", "end_image": "https://example.com/b.png"}
    assert codes(prompt="x" * 2000, **images) == []


def test_what_is_not_on_the_price_list_gets_no_advice_about_money() -> None:
    assert codes(resolution="4k") == []
    assert codes(duration=60) == []


def test_what_is_not_on_the_price_list_has_no_price() -> None:
    for request in ({"resolution": "4k"}, {"duration": 60}, {"duration": 6.5}, {"duration": None}):
        with pytest.raises(ValueError, match="There is no price for"):
            _ = VideoJob(**{"prompt": "x", **request}).price_usd
    assert VideoJob(**{"prompt": "x", "duration": "7"}).price_usd == Decimal("0.3308")
