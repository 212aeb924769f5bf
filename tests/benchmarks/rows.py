"""The jobs of a site, as many as are asked for: an archive that grew, and the work in hand.

What waits, runs or is in doubt is as much on an old site as on a young one; the archive has the
same shares. Whatever a page is asked for fills it: there are at least ``PAGE`` rows of it.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.db.models import AutoField, Model
from django.utils import timezone

from hailuo_django.clock import beginning_of, site_day
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import ENDED, RUNNING

PAGE = 110
IN_HAND = {"unsent": PAGE, "unconfirmed": PAGE, **{str(status): 20 for status in sorted(RUNNING)}}
ARCHIVE = {"failed": 0.08, "cancelled": 0.02, "draft": 0.02}
"""Their shares, or ``PAGE`` rows; the rest is completed, one in a thousand of it flagged."""
RESOLUTIONS = {"512p": 0.12, "768p": 0.75, "1080p": 0.13}
DURATIONS = {6: 0.76, 8: 0.12, 10: 0.12}
OWNERS = {"bob": 0.11, "alice": 0.5, "carol": 0.39}
WORDS = ("a lighthouse", "a cat", "two dancers", "an old harbour", "rain", "a paper boat")
BATCH = 10_000
TOOK = timedelta(minutes=3)

Row = dict[str, Any]


def fill(count: int) -> None:
    """Write ``count`` jobs, and for each but the drafts a submission; always the same ones."""
    rng = random.Random(7)  # noqa: S311 - keeps no secret
    users = get_user_model().objects
    owners = {name: users.create_user(name).pk for name in OWNERS}
    statuses = [*in_hand(), *archive(count - sum(IN_HAND.values()))]
    rng.shuffle(statuses)
    numbered = enumerate(zip(statuses, moments(count, rng), strict=True))
    jobs = (job(n, status, moment, rng, owners) for n, (status, moment) in numbered)
    with transaction.atomic(using=VideoJob.database()):
        while batch := list(islice(jobs, BATCH)):
            insert(VideoJob, batch)
            insert(Submission, (submission(row) for row in batch if row["submission_count"]))


def in_hand() -> Iterator[str]:
    """The states of what has not ended."""
    for status, count in IN_HAND.items():
        yield from [status] * count


def archive(count: int) -> Iterator[str]:
    """The states of the rest; ``flagged`` is completed without a video to link."""
    shares = {status: max(PAGE, int(share * count)) for status, share in ARCHIVE.items()}
    completed = count - sum(shares.values())
    shares["flagged"] = max(PAGE, completed // 1000)
    shares["completed"] = completed - shares["flagged"]
    for status, number in shares.items():
        yield from [status] * number


def moments(count: int, rng: random.Random) -> Iterator[datetime]:
    """When they were created: a quarter within each of the filter's spans, the oldest first."""
    day = site_day(timezone.now())
    bounds = [
        *(beginning_of(day - timedelta(days=days)) for days in (730, 30, 7, 0)),
        timezone.now(),
    ]
    for quarter in range(4):
        oldest, newest = bounds[quarter], bounds[quarter + 1]
        number = count * (quarter + 1) // 4 - count * quarter // 4
        for place in range(number):
            yield oldest + (newest - oldest) * ((place + rng.random()) / number)


def job(n: int, status: str, moment: datetime, rng: random.Random, owners: Row) -> Row:
    """The ``n``-th job."""
    completed = status in ("completed", "flagged")
    host = "gen.krea.ai" if status == "completed" else "elsewhere.example"
    failure = "moderation" if n % 20 else "upstream_error"
    return {
        "id": uuid.UUID(int=rng.getrandbits(128)),
        "prompt": f"{rng.choice(WORDS)} and {rng.choice(WORDS)} by {rng.choice(WORDS)}, take {n}",
        "owner": owners[pick(OWNERS, rng)],
        "reference": f"order-{n}",
        "resolution": pick(RESOLUTIONS, rng),
        "duration": pick(DURATIONS, rng),
        "status": "completed" if completed else status,
        "failure_code": failure if status == "failed" else "",
        "result_url": f"https://{host}/{n}.mp4" if completed else "",
        "result_host": host if completed else None,
        "submission_count": int(status != "draft"),
        "created_at": moment,
        "completed_at": moment + TOOK if completed else None,
    }


def submission(job: Row) -> Row:
    """The one try at ``job``; what runs is overdue."""
    status, moment = job["status"], job["created_at"]
    has_answer = status not in ("unsent", "unconfirmed")
    return {
        "job": job["id"],
        "number": 1,
        "endpoint": "",
        "body": {},
        "price_usd": Decimal("0.2835"),
        "status": status,
        "failure_code": job["failure_code"],
        "krea_job_id": f"krea-{job['reference']}" if has_answer else None,
        "created_at": moment,
        "sent_at": moment if has_answer else None,
        "ended_at": moment + TOOK if status in ENDED else None,
        "lost_at": moment if status == "unconfirmed" else None,
        "overdue_at": moment if status in RUNNING else None,
    }


def pick(shares: dict[Any, float], rng: random.Random) -> Any:
    """One of the keys, by its share."""
    return rng.choices([*shares], [*shares.values()])[0]


def insert(model: type[Model], rows: Iterable[Row]) -> None:
    """Write rows; in plain SQL, since ``bulk_create`` takes ten times as long on SQLite."""
    connection = connections[VideoJob.database()]
    written = [f for f in model._meta.concrete_fields if not isinstance(f, AutoField)]
    fields: dict[str, Any] = {field.name: field for field in written}
    usual = {n: f.get_db_prep_save(f.get_default(), connection) for n, f in fields.items()}
    columns = ", ".join(field.column for field in fields.values())
    places = ", ".join(["%s"] * len(fields))
    values = [
        [*(usual | {n: fields[n].get_db_prep_save(row[n], connection) for n in row}).values()]
        for row in rows
    ]
    with connection.cursor() as cursor:
        statement = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({places})"  # noqa: S608
        cursor.executemany(statement, values)
