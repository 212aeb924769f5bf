"""A crowd of threads that all begin at the same moment, and what their databases said to them."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import OperationalError, connections

from hailuo_django.exceptions import HailuoError
from hailuo_django.models import VideoJob

SIZE = 8


class Troubles(logging.Handler):
    """What nobody may ever meet: deadlocks, locked databases, and errors that were logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage())

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Note each statement of this thread that fails, also where somebody tries it again."""
        try:
            with connections[VideoJob.database()].execute_wrapper(self._execute):
                yield
        finally:
            connections.close_all()

    def _execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            self.seen.append(f"{error}: {sql}")
            raise


class Crowd:
    """Makes calls at the same time. ``troubles`` are all that their databases had with them."""

    def __init__(self, troubles: Troubles) -> None:
        self.troubles = troubles.seen
        self._watched = troubles.watched

    def at_once(self, *calls: Callable[[], Any]) -> list[Any]:
        """Make all calls at the same time, each in a thread of its own, with its own connection.

        Returns what came of each. A refusal in our own words is an answer; any other exception
        is none, and is raised.
        """
        barrier = threading.Barrier(len(calls))

        def run(call: Callable[[], Any]) -> Any:
            with self._watched():
                connections[VideoJob.database()].ensure_connection()
                barrier.wait(timeout=60)
                try:
                    return call()
                except HailuoError as refusal:
                    return refusal

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(run, calls))


def a_little_later(call: Callable[[], Any], seconds: float) -> Callable[[], Any]:
    """The same call, made ``seconds`` after the others: threads that start together seldom meet
    where the last of them writes.
    """

    def wait_and_call() -> Any:
        time.sleep(seconds)
        return call()

    return wait_and_call


def succeeded(outcomes: list[Any]) -> list[Any]:
    """What came of those that were not refused."""
    return [outcome for outcome in outcomes if not isinstance(outcome, HailuoError)]
