"""Reads ``GET /jobs`` back to a moment: every job of the account that was made since.

Krea documents a cursor that is a time and a page of jobs created strictly before it, so jobs of
one instant may fall between two pages. Each page therefore begins 1 ms later than asked, and a
job that was seen twice counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .client import KreaClient
from .wire import JobPage, JobReport, read_moment

MAX_PAGE = 1000
"""The most jobs that Krea puts on one page."""

OVERLAP = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Listing:
    """What the pages showed."""

    jobs: tuple[JobReport, ...]
    """Newest first; a job whose time of creation is not told is among them."""
    complete: bool
    """Whether every job made since is here, as far as Krea showed it at ``server_time``.

    False where the pages were not enough, where one ended without saying how to go on, or where
    an item could not be read that may have been the job that is looked for.
    """
    reach: datetime | None
    """Every job made at this time or later is here; ``None`` where nothing tells from when on."""
    server_time: datetime | None
    """Krea's clock when it answered the first page; a job made later may be missing."""


def list_since(
    client: KreaClient,
    since: datetime,
    *,
    max_pages: int = 10,
    limit: int = MAX_PAGE,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Listing:
    """List the jobs made at ``since`` (Krea's clock) or later. Raises ``KreaError``.

    It asks for at most ``max_pages`` pages of ``limit`` jobs each, and for no further one once
    ``may_go_on`` says no.
    """
    found: dict[str, JobReport] = {}
    server_time: datetime | None = None
    readable = True
    cursor: str | None = None
    cursors = [cursor]
    for _ in range(max_pages):
        page = client.list(cursor=cursors[-1], limit=limit)
        if len(cursors) == 1:
            server_time = page.server_time
        readable = readable and not any(
            _may_be_since(made_at, since) for made_at in page.unreadable
        )
        found |= {
            job.krea_job_id: job for job in page.items if _may_be_since(job.created_at, since)
        }
        cursor = _next_cursor(page, limit)
        if cursor is None or _is_past(page, cursor, since):
            reach = since if readable else None
            return Listing(tuple(found.values()), readable, reach, server_time)
        # No way on, no progress, or no time.
        if not cursor or cursor in cursors or not may_go_on():
            break
        cursors.append(cursor)
    # What was made at the time of a cursor, or later, was on the pages before it.
    reach = read_moment(cursor) if readable else None
    return Listing(tuple(found.values()), False, reach, server_time)


def _may_be_since(made_at: datetime | None, since: datetime) -> bool:
    return made_at is None or made_at >= since


def _next_cursor(page: JobPage, limit: int) -> str | None:
    """Where the next page begins; None after the last one, empty where nothing tells."""
    cursor, oldest = page.next_cursor, _oldest(page)
    if cursor is None and len(page.items) + len(page.unreadable) >= limit:
        # A full page is no end: its cursor may have got lost, and the jobs tell the time too.
        cursor = oldest.isoformat() if oldest else ""
    moment = read_moment(cursor)
    if moment is None:
        return cursor
    # One that jumps over what lies between it and this page would hide it.
    moment = max(moment, oldest or moment)
    later = (moment + OVERLAP).astimezone(UTC)
    return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_past(page: JobPage, cursor: str, since: datetime) -> bool:
    """Whether all that follows is older. A cursor says so whatever the order on this page."""
    rest = read_moment(cursor) or _oldest(page)
    return rest is not None and rest < since


def _oldest(page: JobPage) -> datetime | None:
    return min((job.created_at for job in page.items if job.created_at is not None), default=None)
