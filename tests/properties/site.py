"""What the rules of the state machine work on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db import OperationalError
from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from hailuo_django import signals
from hailuo_django.exceptions import Conflict
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.errors import KreaError
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.worker.lanes import Outcome
from hailuo_django.worker.send import Sending

from .krea_model import Key, KreaModel
from .world import Clock, Faults, Killed, empty_tables

T = TypeVar("T")

which = st.integers(0, 11)
"""One of a list, whatever its length."""


def one(rows: list[T], index: int) -> T:
    return rows[index % len(rows)]


def key(row: Submission) -> Key:
    return row.job_id, row.number


def identified(row: Submission) -> bool:
    return bool(row.krea_job_id or row.candidate_id)


def outcome(call: Callable[[], Any]) -> Outcome:
    """What the runner of lanes makes of a call."""
    try:
        return cast(Outcome, call())
    except KreaError as error:
        return error


@dataclass(eq=False)
class Errand(Generic[T]):
    """What a worker has taken, and what came of it so far."""

    item: T
    outcome: Outcome | None = None


class Site(RuleBasedStateMachine):
    """The site's rows, and everything that is under way around them."""

    def __init__(self) -> None:
        super().__init__()
        empty_tables()
        self.clock, self.faults = Clock(), Faults()
        self.krea = KreaModel(self.clock.krea_now)
        self.client = cast(KreaClient, self.krea)
        self.browser = Client()
        self.sends: list[Errand[Sending]] = []
        self.looks: list[Errand[Submission]] = []
        self.claimed: set[Key] = set()
        self.unwanted: set[Key] = set()
        self.completed: set[Any] = set()
        self.jobs: list[VideoJob] = []
        self.rows: list[Submission] = []
        self.displaced: set[Key] = set()
        self.site = ExitStack()
        self.steps = 0
        self.announced: set[int] = set()
        for signal in signals.BY_NAME.values():
            signal.connect(self.hear)

    def teardown(self) -> None:
        for signal in signals.BY_NAME.values():
            signal.disconnect(self.hear)
        self.site.close()

    def hear(self, *, event: JobEvent, **_: Any) -> None:
        self.announced.add(event.pk)

    def attempt(self, work: Callable[[], T]) -> T | None:
        """Do it, and survive what the test made of it."""
        try:
            with self.faults.striking():
                return work()
        except (Conflict, Killed, OperationalError):
            return None

    def are(self, status: str) -> bool:
        return any(row.status == status for row in self.rows)

    def read(self) -> None:
        self.jobs = list(VideoJob.objects.order_by("created_at"))
        self.rows = list(Submission.objects.order_by("pk"))
