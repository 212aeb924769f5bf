"""Krea's times as this site keeps times, and back."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone


def site_time(moment: datetime) -> datetime:
    """Return an aware time as ``timezone.now()`` would give it: naive where ``USE_TZ`` is off."""
    return moment if settings.USE_TZ else timezone.make_naive(moment)


def aware(moment: datetime) -> datetime:
    """Return a time of a row, or of ``timezone.now()``, so that Krea's can be compared to it."""
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
