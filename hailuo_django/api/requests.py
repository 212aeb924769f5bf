"""What the API takes."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from hailuo_django.models import REQUEST_FIELDS, VideoJob
from hailuo_django.pricing import DEFAULT_RESOLUTION, RESOLUTIONS

from .fields import FlagField, PlainTextField, PriceLimitField, SecondsField, WebAddressField


class DraftSerializer(serializers.ModelSerializer[VideoJob]):
    """The six fields of Krea's endpoint, and the site's ``reference``."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: PlainTextField,
        models.TextField: PlainTextField,
    }

    start_image = WebAddressField(label=_("Start image"))
    end_image = WebAddressField(label=_("End image"))
    expand_prompt = FlagField(label=_("Expand prompt"))
    resolution = serializers.ChoiceField(
        label=_("Resolution"),
        choices=RESOLUTIONS,
        default=DEFAULT_RESOLUTION,
        initial=DEFAULT_RESOLUTION,
        # DRF's own words repeat the input.
        error_messages={
            "invalid_choice": format_lazy(_("Choose one of {names}."), names=", ".join(RESOLUTIONS))
        },
    )
    duration = SecondsField(label=_("Duration"))

    class Meta:
        model = VideoJob
        fields: tuple[str, ...] = (*REQUEST_FIELDS, "reference")
        # What is paid for is what was written.
        extra_kwargs: dict[str, Any] = {
            "prompt": {"trim_whitespace": False},
            "reference": {"trim_whitespace": False, "default": ""},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Apply the model's own rules to the request, so that drafts keep to them as well."""
        names = DraftSerializer.Meta.fields
        # What is not written anew stays.
        stored = {name: getattr(self.instance, name) for name in names if self.instance}
        written = {name: value for name, value in attrs.items() if name in names}
        VideoJob(**(stored | written)).clean_request()
        return attrs


class PriceLimitSerializer(serializers.Serializer[Any]):
    """What submitting takes besides the job."""

    max_price_usd = PriceLimitField()


class VideoJobRequestSerializer(DraftSerializer):
    """The same with ``submit``, for a job that is made."""

    max_price_usd = PriceLimitField()
    submit = FlagField(
        label=_("Submit"),
        write_only=True,
        help_text=_("Send it now, which costs money; else it stays a draft."),
    )

    class Meta(DraftSerializer.Meta):
        fields = (*DraftSerializer.Meta.fields, "submit", "max_price_usd")


class QuoteRequestSerializer(VideoJobRequestSerializer):
    """What a job is made of, also before there is a prompt."""

    class Meta(VideoJobRequestSerializer.Meta):
        extra_kwargs = VideoJobRequestSerializer.Meta.extra_kwargs | {
            "prompt": {"required": False, "allow_blank": True, "trim_whitespace": False}
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the request alone; a prompt of spaces is nothing to price."""
        return {name: attrs[name] for name in DraftSerializer.Meta.fields if name in attrs}
