"""Two clocks that a test moves, and statements that fail when it says so."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.db import connections
from django.test import override_settings

from hailuo_django.models import (
    BudgetLock,
    Heartbeat,
    JobEvent,
    KreaAccount,
    Stranger,
    Submission,
    VideoJob,
)

GRACE_SECONDS = 60
"""Within which a request arrives whose answer was lost: ``UNCONFIRMED_GRACE_SECONDS``."""

BEGINNING = datetime(2026, 7, 1, 12, tzinfo=UTC)
MAX_STATEMENTS = 200
"""No piece of work needs nearly as many."""


class Killed(BaseException):
    """The process ends here: nothing catches it, and what is not committed is gone."""


class Clock:
    """Krea's clock, which is right, and the site's, which may be off."""

    def __init__(self) -> None:
        self.true = BEGINNING
        self.skew = timedelta()

    def now(self) -> datetime:
        """The site's time; each look at it is a little later than the one before."""
        self.true += timedelta(microseconds=1)
        return self.true + self.skew

    def monotonic(self) -> float:
        return self.true.timestamp()

    def pass_time(self, seconds: float) -> None:
        self.true += timedelta(seconds=seconds)


class Faults:
    """Makes one statement of the next piece of work fail."""

    def __init__(self) -> None:
        self.statement = 0
        self.executed = 0
        self.has_struck = False
        self.error: type[BaseException] | None = None

    def arm(self, statement: int, error: type[BaseException]) -> None:
        self.statement, self.error = statement, error

    @contextlib.contextmanager
    def striking(self) -> Iterator[None]:
        """Whoever works in here meets the armed fault, if there is one."""
        self.executed, self.has_struck = 0, False
        with connections[VideoJob.database()].execute_wrapper(self._execute):
            try:
                yield
            finally:
                self.error = None

    def _execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.executed += 1
        assert self.executed < MAX_STATEMENTS, "it goes round in circles"
        self.statement -= 1
        if self.error is not None and self.statement == 0:
            error, self.error, self.has_struck = self.error, None, True
            raise error("the test says so")
        return execute(sql, params, many, context)


def a_site(clock: Clock, **hailuo: Any) -> ExitStack:
    """Enter a site with these settings, the test's clocks, and nudges that all get lost."""
    stack = ExitStack()
    stack.enter_context(override_settings(HAILUO={"KREA_API_TOKEN": "token", **hailuo}))
    stack.enter_context(mock.patch("django.utils.timezone.now", clock.now))
    slept = types.SimpleNamespace(monotonic=clock.monotonic, sleep=clock.pass_time)
    stack.enter_context(mock.patch("hailuo_django.worker.send.time", slept))
    stack.enter_context(mock.patch("hailuo_django.worker.reconcile.monotonic", clock.monotonic))
    stack.enter_context(mock.patch("hailuo_django.nudge._ring"))
    for model in (VideoJob, Submission, JobEvent):  # these took the real clock when declared
        created_at = model._meta.get_field("created_at")
        stack.enter_context(mock.patch.object(created_at, "_get_default", clock.now))
    return stack


def empty_tables() -> None:
    """Leave nothing to the next example."""
    for model in (JobEvent, Stranger, Submission, VideoJob, KreaAccount, BudgetLock, Heartbeat):
        rows = model._default_manager.using(VideoJob.database()).all()
        rows._raw_delete(VideoJob.database())
