"""Makes drf-spectacular use what is written beside this. To import it is enough."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import (
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
    OpenApiViewExtension,
)
from rest_framework.settings import api_settings

from hailuo_django.api.base import HailuoViewSet
from hailuo_django.api.fields import PriceLimitField
from hailuo_django.models import VideoJob

from . import serializers
from .components import USD, Schema
from .schema import Described


class OurViews(OpenApiViewExtension):
    """Every view of ours, below whatever address the site has put it."""

    target_class = HailuoViewSet
    match_subclasses = True

    def view_replacement(self) -> Any:
        """Return the view with our description of it. No rule of the site's is asked for rows."""
        # The site may have its own, which says more of every view.
        sites: Any = api_settings.DEFAULT_SCHEMA_CLASS
        described = type("Described", (Described, sites), {})
        own = {
            "schema": described(),
            "__doc__": self.target.__doc__,
            "get_queryset": lambda view: VideoJob.objects.none(),
        }
        return type(self.target.__name__, (self.target,), own)


class Dollars(OpenApiSerializerFieldExtension):
    """Money as a string."""

    target_class = "hailuo_django.api.fields.USDField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        """Return the schema of an amount."""
        return {**USD}


class PriceLimit(OpenApiSerializerFieldExtension):
    """Money as it is taken: nothing but digits and a point."""

    target_class = "hailuo_django.api.fields.PriceLimitField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        """Return the schema of an amount."""
        return {"type": "string", "pattern": f"^{PriceLimitField.PATTERN}$"}


def _serializer(path: str) -> None:
    """Have one of our serializers described with what is only known to us."""

    class Ours(OpenApiSerializerExtension):
        target_class = path

        def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
            schema: Schema = auto_schema._map_serializer(
                self.target, direction, bypass_extensions=True
            )
            return serializers.completed(auto_schema, self.target, schema)


for _path in serializers.OURS:
    _serializer(_path)
