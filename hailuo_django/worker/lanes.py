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
"""Of a request about one job."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")
UnderWay: TypeAlias = dict[Future[Any], tuple["Lane[Any, Any]", Any]]


class Lane(Protocol[Item, Answer]):
    """One kind of work, done item by item."""

    width: int
    """How many calls may be under way at once."""
    waits: bool
    """Whether there was more to take, and an outcome under way decides about that."""

    def take(self, seconds_left: float) -> Item | None:
        """Make one row ours whose whole call fits into ``seconds_left``; None: no more."""

    def call(self, item: Item) -> Answer:
        """Talk to Krea. Runs in a thread: no database here."""

    def record(self, item: Item, outcome: Answer | Exception) -> None:
        """Write down what came of it."""


def in_words(failure: Exception) -> str:
    """Return what went wrong for staff: upstream's words, else its status, or our error's name."""
    if message := getattr(failure, "message", ""):
        return str(message)
    status = getattr(failure, "status", None)
    return f"HTTP {status} without a word" if status else type(failure).__name__


def run(lanes: Sequence[Lane[Any, Any]], *, seconds: float) -> int:
    """Work until every lane is dry or nothing more fits; return how many calls were made.

    Whoever interrupts it waits for the calls under way: what they learn may have been paid for.
    """
    end = time.monotonic() + seconds
    calls, dry = 0, set[int]()
    under_way: UnderWay = {}
    with ThreadPoolExecutor(max_workers=sum(lane.width for lane in lanes)) as pool:
        try:
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
                for lane in _record_some(under_way):
                    if lane.waits:
                        dry.discard(id(lane))
        finally:
            while under_way:
                _record_some(under_way)


def _record_some(under_way: UnderWay) -> list[Lane[Any, Any]]:
    """Record what has ended, waiting for the next if need be; return whose it was."""
    done = wait(under_way, return_when=FIRST_COMPLETED).done
    ended = [(*under_way.pop(future), future) for future in done]
    for lane, item, future in ended:
        _record(lane, item, future)
    return [lane for lane, _, _ in ended]


def _take(lane: Lane[Item, Any], seconds_left: float) -> Item | None:
    try:
        return lane.take(seconds_left)
    except Exception:
        logger.exception("Could not take more work; the next sweep will.")
        return None


def _record(lane: Lane[Item, Answer], item: Item, future: Future[Answer]) -> None:
    try:
        failure = future.exception()
        lane.record(item, failure if isinstance(failure, Exception) else future.result())
    except Exception:
        # One bad row never stops the rest; its lease runs out and the row says what is known.
        logger.exception("Could not record what came of %s.", item)
