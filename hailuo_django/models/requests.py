"""What Krea is asked for: the request, its checks, and what is worth knowing before paying."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hailuo_django import pricing
from hailuo_django.conf import conf
from hailuo_django.fields import (
    MAX_URL_LENGTH,
    WholeSecondsField,
    validate_storable_text,
    validate_web_address,
)

REQUEST_FIELDS = (
    "prompt",
    "start_image",
    "end_image",
    "expand_prompt",
    "resolution",
    "duration",
)
"""The fields of Krea's endpoint, by Krea's names; fixed once the job is submitted."""


class VideoRequest(models.Model):
    """The fields of Krea's endpoint (Krea documentation, page of MiniMax Hailuo 02)."""

    prompt = models.TextField(_("prompt"), validators=[validate_storable_text])
    start_image = models.URLField(
        _("start image"), max_length=MAX_URL_LENGTH, blank=True, validators=[validate_web_address]
    )
    end_image = models.URLField(
        _("end image"), max_length=MAX_URL_LENGTH, blank=True, validators=[validate_web_address]
    )
    expand_prompt = models.BooleanField(_("expand prompt"), default=True)
    resolution = models.CharField(
        _("resolution"),
        max_length=8,
        choices=[(name, name) for name in pricing.RESOLUTIONS],
        default=pricing.DEFAULT_RESOLUTION,
    )
    duration = WholeSecondsField(
        _("duration"),
        choices=[(seconds, f"{seconds} s") for seconds in pricing.DURATIONS],
        default=pricing.DEFAULT_DURATION,
        help_text=_("Whole seconds."),
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Refuse a prompt of nothing but white space; the field itself refuses an empty one."""
        if self.prompt and not self.prompt.strip():
            blank = ValidationError(gettext("Say what the video shows."), code="blank")
            raise ValidationError({"prompt": blank})

    def clean_request(self) -> None:
        """Check what Krea would get. ValidationError names each wrong field; reads no table."""
        checked = {*REQUEST_FIELDS, "reference"}
        self.clean_fields(exclude={f.name for f in self._meta.fields} - checked)
        # Of fields that may be blank Django checks no value that counts as empty, None included.
        nulls = [field for field in self._meta.fields if field.name in checked]
        nulls = [field for field in nulls if getattr(self, field.name) is None]
        if nulls:
            errors = {f.name: ValidationError(f.error_messages["null"], "null") for f in nulls}
            raise ValidationError(errors)
        self.clean()

    def fingerprint(self) -> str:
        """Return a short name for exactly this request: another request has another one."""
        request = json.dumps([getattr(self, name) for name in REQUEST_FIELDS])
        return hashlib.sha256(request.encode()).hexdigest()[:32]

    def quote_usd(self) -> Decimal:
        """Return today's price in USD. Raises ValueError where the price list has none."""
        prices = conf.PRICES.get(self.resolution, {})
        for seconds, usd in prices.items():
            if str(seconds) == str(self.duration) or seconds == self.duration:
                return usd
        raise ValueError(f"There is no price for {self.resolution} at {self.duration} s.")

    def price_today(self) -> Decimal | None:
        """Return today's price in USD; None where the price list has none."""
        try:
            return self.quote_usd()
        except ValueError:
            return None

    def advice(self) -> list[pricing.Advice]:
        """Return what is worth knowing before this request is paid for; it never blocks."""
        return pricing.advise(
            prompt_length=len(self.prompt),
            start_image=bool(self.start_image),
            end_image=bool(self.end_image),
            resolution=self.resolution,
            duration=self.duration,
            prices=conf.PRICES,
        )
