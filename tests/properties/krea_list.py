"""How the model of Krea lists jobs: by pages, behind the times, slowly, or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hailuo_django.krea import errors
from hailuo_django.krea.wire import JobPage, read_moment, read_page


@dataclass(frozen=True)
class HowItLists:
    """The weather of one listing."""

    page: int = 1000
    """Jobs a page at the most, whatever was asked for."""
    lag: float = 0
    """Seconds for which a young job is not listed yet."""
    seconds_a_page: float = 0
    ends: str = "answered"


def page_of(
    shown: Sequence[tuple[datetime, bytes]],
    how: HowItLists,
    *,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> JobPage:
    """Return one page of the jobs ``shown``, each with the time at which it was made.

    As documented: newest first, made before the cursor, which is a time.
    """
    if how.ends == "failed":
        raise errors.Temporary("bad gateway", status=502)
    if how.ends == "rate limited":
        raise errors.RateLimited("slow down", status=429, retry_after=30)
    before = read_moment(cursor) or now + timedelta(days=1)
    newest = now - timedelta(seconds=how.lag)
    rest = sorted((made, body) for made, body in shown if made < before and made <= newest)[::-1]
    page = rest[: min(limit, how.page)]
    tree = {
        "items": [json.loads(body) for _, body in page],
        "next_cursor": page[-1][0].isoformat() if len(page) < len(rest) else None,
    }
    clock = None if how.ends == "without its time" else now.replace(microsecond=0)
    return replace(read_page(json.dumps(tree)), server_time=clock)
