"""What a video costs, and what one's requests would: asked as often as one likes, for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from hailuo_django import budget, pricing
from hailuo_django.conf import conf
from hailuo_django.models import VideoJob

from .base import HailuoViewSet
from .bodies import read_bodies
from .fields import USDField
from .requests import QuoteRequestSerializer
from .serializers import BalanceSerializer, QuoteSerializer

MOST_QUOTES = 100
"""How many requests are priced at once."""


class PriceViewSet(HailuoViewSet):
    """What a video costs, by resolution and whole seconds."""

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """Return the table that jobs are priced by now, in USD as strings."""
        usd = USDField().to_representation
        prices = {
            resolution: {str(seconds): usd(price) for seconds, price in row.items()}
            for resolution, row in conf.PRICES.items()
        }
        return Response({**_list_of_prices(), "prices": prices})


class QuoteViewSet(HailuoViewSet):
    """What requests would cost, and whether the budget has room for them."""

    serializer_class = QuoteRequestSerializer

    def quote(self, request: Request, **kwargs: Any) -> Response:
        """Price one request, or each of a list and all together. Nothing is written."""
        known = QuoteRequestSerializer.Meta.fields
        bodies = read_bodies(request, known, most=MOST_QUOTES)
        many = isinstance(request.data, list)
        jobs = [VideoJob(**fields) for fields in self._valid(bodies, many)]
        total = sum((job.quote_usd() for job in jobs), start=Decimal(0))
        quotes = [QuoteSerializer(job).data for job in jobs]
        shown = {"quotes": quotes} if many else quotes[0]
        return Response({**_list_of_prices(), **shown, **self._sum(total)})

    def _valid(self, bodies: Sequence[Any], many: bool) -> list[dict[str, Any]]:
        serializers = [self.get_serializer(data=body) for body in bodies]
        errors: list[Any] = [{} if one.is_valid() else one.errors for one in serializers]
        if any(errors):
            # Each in its place; one that came alone has its errors alone.
            raise ValidationError(errors if many else errors[0])
        return [serializer.validated_data for serializer in serializers]

    def _sum(self, total_usd: Decimal) -> dict[str, Any]:
        """Return the total, and how much there is room for under the cap that has least."""
        balances = budget.balances(getattr(self.actor(), "pk", None))
        tightest = min(balances, key=lambda balance: balance.room_usd, default=None)
        return {
            "total_usd": USDField().to_representation(total_usd),
            "budget": BalanceSerializer(tightest).data if tightest else None,
            "fits_budget": tightest is None or total_usd <= tightest.room_usd,
        }


def _list_of_prices() -> dict[str, str | None]:
    is_kreas = conf.PRICES == pricing.PRICES
    # Of which day a site's own prices are, nobody has said.
    return {"currency": "USD", "as_of": pricing.PRICES_AS_OF.isoformat() if is_kreas else None}
