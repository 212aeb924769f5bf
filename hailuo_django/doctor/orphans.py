"""Compares Krea's list with our rows: who is there that the other does not know. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from hailuo_django import pacing
from hailuo_django.clock import site_time
from hailuo_django.conf import conf
from hailuo_django.krea.listing import list_since
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.models.conditions import NEVER_ENDING
from hailuo_django.states import Status
from hailuo_django.worker.evidence import SKEW
from hailuo_django.worker.known import sort_out

from .krea import client

MAX_PAGES = 20


@dataclass(frozen=True)
class Orphans:
    """What one comparison showed."""

    since: datetime
    jobs: int
    """How many jobs Krea listed."""
    complete: bool
    """Whether the list went back far enough; else nothing can be said to be missing from it."""
    strangers: list[JobReport]
    """Krea's jobs that nobody here knows, less those that were dismissed or named for one."""
    named: list[Stranger]
    """Those that a submission's own webhook named and that are on no record, of any age."""
    unconfirmed: list[Submission]
    """Ours whose answer was lost, of any age."""
    overdue: list[Submission]
    """Ours of which Krea tells of no end, of any age."""
    unsent: list[Submission]
    """Ours still to be sent, and older than one of the strangers: in a restored database the two
    may be the same."""
    missing: list[Submission]
    """Ours that Krea works on as far as we know, and does not list."""


def find_orphans(days: float, *, own_account: bool = False) -> Orphans:
    """List Krea's jobs of so many days and compare. Raises KreaError or ValueError.

    Our rows of every account are looked at, or with ``own_account`` those of the token in use.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    with client() as krea:
        listing = list_since(krea, since, max_pages=MAX_PAGES)
    # Our rows are read after the list was made: an answer recorded since explains its job.
    ids = {job.krea_job_id for job in listing.jobs}
    found = sort_out(listing.jobs)
    rows = Submission.objects.using(VideoJob.database()).order_by("created_at", "pk")
    unsent = rows.filter(status=Status.UNSENT, candidate_id="")
    if own_account:
        rows = rows.filter(account=pacing.account())
    # A list may lag, and the clocks of our hosts differ.
    until = (listing.server_time or datetime.now(UTC)) - timedelta(
        seconds=conf.UNCONFIRMED_GRACE_SECONDS
    )
    listed_by_now = rows.running_upstream().filter(
        krea_job_id__isnull=False,
        sent_at__gt=site_time(since + SKEW),
        sent_at__lt=site_time(until),
    )
    told = Stranger.objects.using(rows.db).open().filter(named_for__isnull=False)
    missing = [row for row in listed_by_now if row.krea_job_id not in ids]
    unknown = [job for job in found.strangers if job.krea_job_id not in found.candidates]
    return Orphans(
        since=since,
        jobs=len(ids),
        complete=listing.complete,
        strangers=unknown,
        named=list(told.select_related("named_for").order_by("pk")),
        unconfirmed=list(rows.filter(status=Status.UNCONFIRMED)),
        overdue=list(rows.filter(NEVER_ENDING)),
        # While sending is held, batches may have written anew what was sent before a restore.
        unsent=list(unsent) if unknown and pacing.is_held() else _older(unsent, unknown),
        missing=missing if listing.complete else [],
    )


def _older(rows: QuerySet[Submission], strangers: list[JobReport]) -> list[Submission]:
    """Return the rows that one of the strangers may have been made for."""
    if not strangers:
        return []
    newest = max(job.created_at or datetime.now(UTC) for job in strangers)
    return list(rows.filter(created_at__lte=site_time(newest + SKEW)))
