"""What the shop of ``shop_host.py`` has of its own."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import generics, serializers


class ShopSchema(AutoSchema):
    """Marks all that the shop serves."""

    def get_extensions(self) -> dict[str, Any]:
        """Return the mark."""
        return {"x-shop": True}


class OrderSerializer(serializers.Serializer[Any]):
    """Has the words that our answers have, and means others by them."""

    status = serializers.ChoiceField(choices=["open", "sent"])
    code = serializers.ChoiceField(choices=["red", "green"])
    resolution = serializers.ChoiceField(choices=["refunded", "replaced"])


class Orders(generics.CreateAPIView[Any]):
    """The orders of the shop."""

    serializer_class = OrderSerializer


def jobs_of_the_shop(user: Any, action: str) -> Any:
    """Know whose jobs exist by a table, which nobody may be asked for a description."""
    raise AssertionError("The description asked for rows.")
