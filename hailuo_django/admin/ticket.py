"""All that is known of a job, for a support ticket: complete, comparable, and free of secrets.

People are numbered and not named, since a ticket leaves the site. Times are in UTC.
"""

from __future__ import annotations

import platform
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import django
from django.db import connections
from django.db.models import Model

import hailuo_django
from hailuo_django.clock import aware
from hailuo_django.models import JobEvent, Submission, VideoJob

from .raw import readable, redact_in_use, without_secrets

RAW = frozenset({"body", "raw"})
"""The fields of a submission that need a right of their own."""

LEFT_OUT: dict[type[Model], frozenset[str]] = {
    VideoJob: frozenset(),
    Submission: frozenset({"id", "job", "lease_token"}) | RAW,
    JobEvent: frozenset({"id", "job"}),
}
"""What tells nothing outside of this database, and what is nobody's but the worker's."""


def ticket(job: VideoJob, *, with_raw: bool) -> dict[str, Any]:
    """Return what JSON can hold of ``job``; ``with_raw`` adds raw requests and answers."""
    alias, redact = job._state.db or VideoJob.database(), redact_in_use()
    rows = Submission.objects.using(alias).filter(job=job).order_by("number")
    submissions = list(rows if with_raw else rows.defer(*RAW))
    events = JobEvent.objects.using(alias).filter(job=job).order_by("created_at", "pk")
    facts = _Facts({row.pk: row.number for row in submissions})
    told = {
        "versions": _versions(alias),
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "job": {**facts.of(job), "spent_usd": str(job.spent_usd), "video_url": job.video_url},
        "submissions": [facts.of(row) for row in submissions],
        "events": list(_with_times_between(events.iterator(), facts)),
    }
    if with_raw:
        told["raw"] = [
            {"number": row.number, "request": row.body, "answer": readable(row.raw, redact)}
            for row in submissions
        ]
    return dict(without_secrets(told, redact))


def _versions(alias: str) -> dict[str, str]:
    connection = connections[alias]
    version = ".".join(map(str, connection.get_database_version()))
    return {
        "hailuo_django": hailuo_django.__version__,
        "django": django.get_version(),
        "python": platform.python_version(),
        "database": f"{connection.vendor} {version}",
    }


def _with_times_between(events: Iterable[JobEvent], facts: _Facts) -> Iterable[dict[str, Any]]:
    before: datetime | None = None
    for event in events:
        seconds = (event.created_at - before).total_seconds() if before else None
        yield {"seconds_since_the_one_before": seconds, **facts.of(event)}
        before = event.created_at


class _Facts:
    """Turns rows into what JSON can hold, submissions into their numbers, people into theirs."""

    def __init__(self, numbers: dict[int, int]) -> None:
        self._numbers = numbers
        self._people: dict[Any, str] = {}

    def of(self, row: Model) -> dict[str, Any]:
        """Return the fields of ``row`` by their names."""
        left_out = next(names for model, names in LEFT_OUT.items() if isinstance(row, model))
        fields = (field for field in row._meta.concrete_fields if field.name not in left_out)
        return {field.name: self._of_field(row, field) for field in fields}

    def _of_field(self, row: Model, field: Any) -> Any:
        value = getattr(row, field.attname)
        if value is None or not field.is_relation:
            return self.of_value(value)
        if field.related_model is Submission:
            return self._numbers[value]
        return self._people.setdefault(value, f"person {len(self._people) + 1}")

    def of_value(self, value: Any) -> Any:
        """Return a value as JSON can hold it: a time with its offset, money with its decimals."""
        if isinstance(value, datetime):
            return aware(value).astimezone(UTC).isoformat()
        return str(value) if isinstance(value, Decimal | uuid.UUID) else value
