"""What the rules of the state machine work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from django.db import OperationalError
from django.db.transaction import TransactionManagementError
from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from hailuo_django import pacing, signals
from hailuo_django.exceptions import BudgetExceeded, Conflict
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.errors import KreaError
from hailuo_django.models import JobEvent, KreaAccount, Submission, VideoJob
from hailuo_django.worker.reconcile import Search
from hailuo_django.worker.send import Sending

from .krea_model import Key, KreaModel
from .money import check_refusal
from .world import Clock, Faults, Killed, empty_tables

T = TypeVar("T")

which = st.integers(0, 11)
"""One of a list, whatever its length."""


def one(rows: Sequence[T], index: int) -> T:
    return rows[index % len(rows)]


def key(row: Submission) -> Key:
    return row.job_id, row.number


def identified(row: Submission) -> bool:
    return bool(row.krea_job_id or row.candidate_id)


def outcome(call: Callable[[], Any]) -> Any:
    """What the runner of lanes makes of a call."""
    try:
        return call()
    except KreaError as error:
        return error


@dataclass(eq=False)
class Errand(Generic[T]):
    """What a worker has taken, and what came of it so far."""

    item: T
    outcome: Any = None


class Site(RuleBasedStateMachine):
    """The site's rows, and everything that is under way around them."""

    def __init__(self) -> None:
        super().__init__()
        empty_tables()
        self.clock, self.faults = Clock(), Faults()
        self.krea = KreaModel(self.clock)
        self.client = cast(KreaClient, self.krea)
        self.browser = Client()
        self.confirms = self.adopts = False
        self.sends: list[Errand[Sending]] = []
        self.looks: list[Errand[Submission]] = []
        self.lists: list[Errand[Search]] = []
        self.jobs: list[VideoJob] = []
        self.rows: list[Submission] = []
        self.claimed: set[Key] = set()
        self.trial_ends: datetime | None = None
        self.renewed = False
        self.unwanted: set[Key] = set()
        """Somebody wished them cancelled."""
        self.forced: set[Key] = set()
        """Asked for although an older one may be alive."""
        self.displaced: set[Key] = set()
        """What a webhook had named for them was replaced by what somebody else named."""
        self.misled: set[Key] = set()
        """A person said of them, of their jobs or of the time, what is not true."""
        self.completed: set[Any] = set()
        self.announced: set[int] = set()
        self.site = ExitStack()
        self.steps = 0
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
        except BudgetExceeded as error:
            check_refusal(error)
            return None
        except (Conflict, Killed, OperationalError):
            return None
        except TransactionManagementError:
            # Where it strikes as a savepoint is rolled back, nothing more is written at all.
            assert self.faults.has_struck
            return None

    def are(self, status: str) -> bool:
        return any(row.status == status for row in self.rows)

    def read(self) -> None:
        self.jobs = list(VideoJob.objects.order_by("created_at"))
        self.rows = list(Submission.objects.order_by("pk"))

    def account(self) -> KreaAccount | None:
        """Return what is kept about the account in use."""
        return KreaAccount.objects.filter(fingerprint=pacing.account()).first()

    def is_in_trouble(self) -> bool:
        """Tell whether the next sender has to wait, or goes alone."""
        account = self.account()
        return account is not None and bool(account.setbacks or account.doubts or account.held_at)

    def is_of_earlier_token(self, row: Submission) -> bool:
        """Tell whether another token sent it: nobody looks for its answer with this one."""
        return row.account not in ("", pacing.account())

    def again(self, row: Submission) -> Submission:
        return Submission.objects.get(pk=row.pk)
