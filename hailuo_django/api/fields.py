"""Fields of the API that differ from DRF's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.utils import html

from hailuo_django.clock import aware
from hailuo_django.fields import MAX_URL_LENGTH, validate_web_address
from hailuo_django.pricing import DEFAULT_DURATION, DURATIONS


class USDField(serializers.Field[Decimal, Any, str, Any]):
    """Dollars as a string without needless zeros, whatever the host's COERCE_DECIMAL_TO_STRING."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Decimal) -> str:
        """Return for example ``0.2835``, ``0.105`` or ``0``."""
        return f"{value.normalize():f}"


class MomentField(serializers.DateTimeField):
    """A moment in UTC by RFC 3339, whatever the host's DATETIME_FORMAT, time zone or USE_TZ."""

    def to_representation(self, value: datetime) -> str:
        """Return for example ``2026-06-18T12:00:00Z``."""
        return aware(value).astimezone(UTC).isoformat().replace("+00:00", "Z")


class TextOrNullField(serializers.CharField):
    """Text that is null, not empty, while there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        """Return the text, or None."""
        return super().to_representation(value) if value else None


class PlainTextField(serializers.CharField):
    """Text and nothing else: DRF's own field takes numbers as well, and writes them out."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text as it was sent."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PriceLimitField(PlainTextField):
    """The most that a submission may cost: USD as text, as they are told."""

    PATTERN = r"[0-9]{1,6}(\.[0-9]{1,4})?"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("At most (USD)"),
            required=False,
            allow_null=True,
            trim_whitespace=False,
            write_only=True,
            error_messages={"invalid": _("Give USD as a text such as 0.2835.")},
            help_text=_("Nothing is asked for where it costs more, by a price list that changed."),
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> Decimal:  # type: ignore[override]  # no text within
        """Return the amount."""
        text = super().to_internal_value(data)
        if not re.fullmatch(self.PATTERN, text):
            self.fail("invalid")
        return Decimal(text)


class SecondsField(serializers.IntegerField):
    """Whole seconds from 6 to 10. 6.0 is whole and taken as 6; 6.5 is refused, never cut."""

    def __init__(self, **kwargs: Any) -> None:
        message = format_lazy(
            _("Give whole seconds from {first} to {last}: the price list has no fractions."),
            first=DURATIONS[0],
            last=DURATIONS[-1],
        )
        kinds = ("invalid", "null", "min_value", "max_value", "max_string_length")
        super().__init__(
            default=DEFAULT_DURATION,
            initial=DEFAULT_DURATION,
            min_value=DURATIONS[0],
            max_value=DURATIONS[-1],
            error_messages=dict.fromkeys(kinds, message),
            help_text=message,
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> int:
        """Return whole seconds; only a form, which knows no numbers, may write them as text."""
        if isinstance(data, str) and not _is_form(self):
            self.fail("invalid")
        return super().to_internal_value(data)


class WebAddressField(PlainTextField):
    """An http or https address, or empty. DRF's own field takes other schemes as well."""

    default_validators = (validate_web_address,)

    def __init__(self, **kwargs: Any) -> None:
        style = {"input_type": "url"}
        super().__init__(
            default="", allow_blank=True, max_length=MAX_URL_LENGTH, style=style, **kwargs
        )


class FlagField(serializers.BooleanField):
    """True unless the request says otherwise.

    A form says the same by leaving it out as JSON does. An unticked box is left out too, so
    the browsable API shows a choice instead of a box.
    """

    def __init__(self, **kwargs: Any) -> None:
        style = {"template": "hailuo_django/api/flag.html"}
        super().__init__(default=True, initial=True, style=style, **kwargs)

    def to_internal_value(self, data: Any) -> bool:
        """Return true or false; only a form, which knows no others, may say it in words."""
        if not isinstance(data, bool) and not _is_form(self):
            self.fail("invalid", input=data)
        return super().to_internal_value(data)


def _is_form(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    return html.is_html_input(getattr(field.root, "initial_data", None))
