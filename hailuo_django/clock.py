"""Krea's times as this site keeps times, and back."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone


def site_time(moment: datetime) -> datetime:
    """Return an aware time as ``timezone.now()`` would give it: naive where ``USE_TZ`` is off."""
    return moment if settings.USE_TZ else timezone.make_naive(moment)


def aware(moment: datetime, *, latest: bool = False) -> datetime:
    """Return a time of a row, or of ``timezone.now()``, so that Krea's can be compared to it.

    Where ``USE_TZ`` is off, an hour of autumn comes twice and a row does not tell which one it
    was: the first, or with ``latest`` the second.
    """
    if timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment.replace(fold=1) if latest else moment)
