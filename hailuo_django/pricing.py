"""What a video costs, and what is worth knowing before paying for it. Pure.

Prices are Krea's, in USD (Krea documentation, page of MiniMax Hailuo 02).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

PRICES_AS_OF = date(2026, 6, 18)
"""The day up to which the table below is known to have been Krea's."""

RESOLUTIONS = ("512p", "768p", "1080p")
"""From the smallest to the largest."""

DURATIONS = (6, 7, 8, 9, 10)
"""Whole seconds: the price list knows no fractions."""

DEFAULT_RESOLUTION = "768p"
DEFAULT_DURATION = 6
ADVISED_PROMPT_LENGTH = 2000

PriceTable = Mapping[str, Mapping[int, Decimal]]
"""USD by resolution and duration in seconds."""


def _prices(*usd: str) -> dict[int, Decimal]:
    return dict(zip(DURATIONS, map(Decimal, usd), strict=True))


PRICES: PriceTable = {
    "512p": _prices("0.105", "0.3308", "0.378", "0.4253", "0.1575"),
    "768p": _prices("0.2835", "0.3308", "0.378", "0.4253", "0.4725"),
    "1080p": _prices("0.567", "0.6615", "0.756", "0.8505", "0.945"),
}


def usd(amount: Decimal) -> str:
    """Return an amount with its currency, in the language of the reader."""
    return _("%(amount)s USD") % {"amount": bare(amount)}


def bare(amount: Decimal) -> str:
    """Return an amount with Krea's four decimals, where its currency stands beside it."""
    return number_format(amount, decimal_pos=4)


@dataclass(frozen=True)
class Advice:
    """One hint about a request: a stable ``code`` for programs, a sentence for people."""

    code: str
    message: str


def advise(
    *,
    prompt_length: int,
    start_image: bool,
    end_image: bool,
    resolution: str,
    duration: int,
    prices: PriceTable = PRICES,
) -> list[Advice]:
    """Return what is worth knowing before a request is paid for. Advice never blocks.

    Of the prompt only its length matters, of the images whether they are there.
    A resolution or duration outside the price list is for validation to refuse and gets
    no advice here.
    """
    advice: list[Advice] = []
    if resolution in prices and duration in prices[resolution]:
        advice += _about_money(resolution, duration, prices)
        advice += _about_the_model(resolution, duration)
    if resolution == "512p" and not start_image:
        advice.append(
            Advice("start_image_missing", _("The model takes 512p only with a start image."))
        )
    if end_image and not start_image:
        advice.append(
            Advice("end_image_alone", _("The model takes an end image only with a start image."))
        )
    if prompt_length > ADVISED_PROMPT_LENGTH:
        message = _(
            "The model reads at most %(limit)d characters of a prompt; this has %(length)d."
        )
        values = {"limit": ADVISED_PROMPT_LENGTH, "length": prompt_length}
        advice.append(Advice("prompt_too_long", message % values))
    return advice


def _about_money(resolution: str, duration: int, prices: PriceTable) -> Iterator[Advice]:
    price = prices[resolution][duration]
    longer = [d for d in DURATIONS if d > duration and prices[resolution][d] < price]
    if longer:
        best = min(longer, key=lambda d: (prices[resolution][d], -d))
        message = _(
            "%(duration)d s at %(resolution)s costs less: %(price)s USD instead of %(now)s."
        )
        values = {"duration": best, "resolution": resolution, "now": bare(price)}
        lower = bare(prices[resolution][best])
        yield Advice("cheaper_for_longer", message % {**values, "price": lower})
    larger = RESOLUTIONS[RESOLUTIONS.index(resolution) + 1 :]
    better = [r for r in larger if prices[r][duration] <= price]
    if better:
        message = _("%(resolution)s at %(duration)d s costs no more: %(price)s USD.")
        values = {"resolution": better[-1], "duration": duration}
        same = bare(prices[better[-1]][duration])
        yield Advice("same_price_for_better", message % {**values, "price": same})


def _about_the_model(resolution: str, duration: int) -> Iterator[Advice]:
    # Krea prices these, but MiniMax's own pages list only 6 and 10 s, and 1080p only at 6 s.
    if duration in (7, 8, 9):
        message = _("The model itself makes 6 or 10 s; Krea may refuse %(duration)d s.")
        yield Advice("duration_unsupported", message % {"duration": duration})
    if resolution == "1080p" and duration == 10:
        message = _("The model itself makes 1080p only up to 6 s; Krea may refuse 10 s.")
        yield Advice("combination_unsupported", message)
