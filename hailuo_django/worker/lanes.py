"""Runs calls in threads and everything else in this one.

Each kind of work has a lane with its own slots, so that slow sends never hold up polls.
Threads make requests and touch no database; rows are taken and outcomes recorded here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeAlias, TypeVar

from hailuo_django.krea.wire import JobReport

logger = logging.getLogger(__name__)

Outcome: TypeAlias = JobReport | Exception
Item = TypeVar("Item")


class Lane(Protocol[Item]):
    """One kind of work, done item by item."""

    width: int
    """How many calls may be under way at once."""

    def take(self, seconds_left: float) -> Item | None:
        """Make one row ours whose whole call fits into ``seconds_left``; None: no more."""

    def call(self, item: Item) -> JobReport:
        """Talk to Krea. Runs in a thread: no database here."""

    def record(self, item: Item, outcome: Outcome) -> None:
        """Write down what came of it."""


def in_words(failure: Exception) -> str:
    """Return what went wrong for staff: upstream's words, or the name of an error of ours."""
    return getattr(failure, "message", "") or type(failure).__name__


def run(lanes: Sequence[Lane[Any]], *, seconds: float) -> int:
    """Work until every lane is dry or nothing more fits; return how many calls were made."""
    end = time.monotonic() + seconds
    calls, dry = 0, set[int]()
    under_way: dict[Future[JobReport], tuple[Lane[Any], Any]] = {}
    with ThreadPoolExecutor(max_workers=sum(lane.width for lane in lanes)) as pool:
        while True:
            for lane in lanes:
                free = lane.width - sum(other is lane for other, _ in under_way.values())
                while free and id(lane) not in dry:
                    item = _take(lane, end - time.monotonic())
                    if item is None:
                        dry.add(id(lane))
                        break
                    under_way[pool.submit(lane.call, item)] = (lane, item)
                    calls, free = calls + 1, free - 1
            if not under_way:
                return calls
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                _record(*under_way.pop(future), future)


def _take(lane: Lane[Item], seconds_left: float) -> Item | None:
    try:
        return lane.take(seconds_left)
    except Exception:
        logger.exception("Could not take more work; the next sweep will.")
        return None


def _record(lane: Lane[Item], item: Item, future: Future[JobReport]) -> None:
    try:
        failure = future.exception()
        lane.record(item, failure if isinstance(failure, Exception) else future.result())
    except Exception:
        # One bad row never stops the rest; its lease runs out and the row says what is known.
        logger.exception("Could not record what came of %s.", item)
