"""Whatever happens in whatever order: no video is paid for twice, and none is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hailuo_django.models import JobEvent, Submission
from hailuo_django.states import Status
from tests import effort

from .invariants import (
    check_absence,
    check_events,
    check_job,
    check_provenance,
    check_submission,
    check_succession,
)
from .money import check_money, check_reservation
from .rest import Rest
from .site import key
from .workers import ENDS, LOSSES
from .world import GRACE_SECONDS, Killed, a_site

CAPS = st.sampled_from([None, {"month": "1000"}, {"month": "1000"}, {"month": "0.9"}])
TRUST = st.sampled_from([(False, False), (True, False), (True, True)])
"""``ADOPT_STRANGERS`` and ``RESEND_WHEN_ABSENT``."""


class Everything(Rest):
    """People, workers, Krea, whoever knows a webhook address, and the weather."""

    @initialize(
        with_webhooks=st.booleans(),
        confirms=st.booleans(),
        trust=TRUST,
        budget=CAPS,
        forgets=st.booleans(),
        first_posts=st.lists(ENDS, max_size=3) | st.lists(LOSSES, min_size=2, max_size=2),
    )
    def open(
        self,
        with_webhooks: bool,
        confirms: bool,
        trust: tuple[bool, bool],
        budget: dict[str, str] | None,
        forgets: bool,
        first_posts: list[str],
    ) -> None:
        self.confirms, self.krea.forgets_cancelled = confirms, forgets
        self.adopts, resends = trust
        self.site = a_site(
            self.clock,
            WEBHOOK_BASE_URL="https://site.example" if with_webhooks else "",
            WEBHOOK_CONFIRM=confirms,
            ADOPT_STRANGERS=self.adopts,
            RESEND_WHEN_ABSENT=resends,
            BUDGET=budget,
            UNCONFIRMED_GRACE_SECONDS=GRACE_SECONDS,
            OVERDUE_AFTER_SECONDS=3600,
        )
        self.submit()
        self.read()
        for ends in first_posts:
            self.a_sender_hurries(ends)
            self.submit()
            self.read()

    # The weather.

    @rule(
        seconds=st.sampled_from([1, 35, 50, 100, 400, 1000, 8000]),
        skew=st.none() | st.integers(-120, 120),
    )
    def time_passes(self, seconds: int, skew: int | None) -> None:
        """Somebody may set the clock, by less than what is allowed for between Krea and us.

        The grace of a request that is under way is then as long as the clock says.
        """
        self.clock.pass_time(seconds)
        if skew is not None:
            self.clock.skew = timedelta(seconds=skew)
            self.misled |= self.krea.on_the_way()
            self.misled |= {key(row) for row in self.rows if row.status == Status.SUBMITTING}

    @precondition(lambda self: self.faults.error is None)
    @rule(statement=st.integers(1, 15), error=st.sampled_from([Killed, OperationalError]))
    def the_next_work_will_fail(self, statement: int, error: type[BaseException]) -> None:
        self.faults.arm(statement, error)

    # What must hold.

    @invariant()
    def all_holds(self) -> None:
        self.steps += 1
        self.read()
        events: dict[int, list[JobEvent]] = {row.pk: [] for row in self.rows}
        for event in JobEvent.objects.exclude(submission=None).order_by("pk"):
            events[cast(int, event.submission_id)].append(event)
        rows: dict[Any, list[Submission]] = {}
        for row in self.rows:
            rows.setdefault(row.job_id, []).append(row)
            check_submission(row)
            check_events(row, events[row.pk])
            if key(row) not in self.misled:
                check_provenance(row, self.krea)
                check_absence(row, events[row.pk], self.krea)
            check_reservation(row, self.krea, self.misled)
        for job in self.jobs:
            check_job(job, rows[job.pk])
            check_succession(rows[job.pk], events, self.forced)
            newest = rows[job.pk][-1]
            given_up = newest.status == Status.CANCELLED and newest.krea_job_id is None
            assert not given_up or job.status == Status.COMPLETED or key(newest) in self.unwanted
        check_money(self.rows, events)
        completed: set[Any] = {job.pk for job in self.jobs if job.status == Status.COMPLETED}
        completed |= {row.pk for row in self.rows if row.status == Status.COMPLETED}
        assert self.completed <= completed, "a finished video is never undone"
        self.completed = completed


@pytest.mark.proves("M1", "R1", "R3", "W8")
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.django_db(transaction=True)
def test_no_order_of_events_pays_twice_or_loses_a_video() -> None:
    patience = settings(
        max_examples=effort.HISTORIES,
        stateful_step_count=effort.HISTORY_STEPS,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Everything, settings=patience)
