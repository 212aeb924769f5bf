"""Krea's times as this site keeps times, and back; days of the site; and a clock that is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.conf import settings
from django.db import connections
from django.utils import timezone
from django.utils.dateparse import parse_datetime


def site_time(moment: datetime) -> datetime:
    """Return an aware time as ``timezone.now()`` would give it: naive where ``USE_TZ`` is off."""
    return moment if settings.USE_TZ else timezone.make_naive(moment, _zone())


def aware(moment: datetime, *, latest: bool = False) -> datetime:
    """Return a time of a row, or of ``timezone.now()``, so that Krea's can be compared to it.

    Where ``USE_TZ`` is off, an hour of autumn comes twice and a row does not tell which one it
    was: the first, or with ``latest`` the second.
    """
    if timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment.replace(fold=1) if latest else moment, _zone())


def read_moment(text: str) -> datetime | None:
    """Return a time written down by ISO 8601 that rows can be compared to; None for all else.

    Without a zone of its own it is the site's.
    """
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    # The first and the last year may leave the calendar in another time zone.
    if moment is None or not 1 < moment.year < 9999:
        return None
    if not settings.USE_TZ:
        return timezone.make_naive(moment, _zone()) if timezone.is_aware(moment) else moment
    # PostgreSQL knows no zone as far off as 19 hours.
    return aware(moment).astimezone(UTC)


def site_day(moment: datetime) -> date:
    """Return the day that a time of a row, or of ``timezone.now()``, belongs to here."""
    return timezone.localtime(moment, _zone()).date() if settings.USE_TZ else moment.date()


def beginning_of(day: date) -> datetime:
    """Return when a day of the site begins, as rows keep times."""
    return datetime.combine(day, time.min, tzinfo=_zone() if settings.USE_TZ else None)


TIME_OF = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM CLOCK_TIMESTAMP())",
    "mysql": "SELECT UNIX_TIMESTAMP()",
}
"""What asks a database server for its time, in seconds since 1970; SQLite has that of this host."""


def ahead_of_database(using: str) -> timedelta:
    """Return how far the clock of this host is ahead of the database's: the one that all share."""
    connection = connections[using]
    if connection.vendor not in TIME_OF:
        return timedelta(0)
    with connection.cursor() as cursor:
        cursor.execute(TIME_OF[connection.vendor])
        shared = float(cursor.fetchone()[0])
    return timedelta(seconds=_host_time() - shared)


def _host_time() -> float:
    return datetime.now(UTC).timestamp()


def _zone() -> tzinfo:
    return timezone.get_default_timezone()
