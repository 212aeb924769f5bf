"""Whatever happens in whatever order: no video is paid for twice, and none is lost.

Krea's words in a webhook are believed where the site asks for no confirmation, so the lies
told here name jobs that are not the submission's own, or words that mean nothing; about its
own job a webhook lies only where the site confirms.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError
from django.urls import reverse
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hailuo_django import ledger
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import LIVE, RESUBMITTABLE, UPSTREAM, Status
from hailuo_django.tokens import Addressee, make_token
from hailuo_django.worker.look import LookLane
from hailuo_django.worker.send import SendLane
from tests import effort

from .invariants import check_events, check_job, check_provenance, check_submission
from .krea_model import Webhook
from .site import identified, key, one, outcome, which
from .workers import ENDS, SECONDS_LEFT, Workers
from .world import Killed, a_site

MAX_JOBS = 3
MAX_SUBMISSIONS = 4
STEPS_BEFORE_REST = 15
ROUNDS = 40

ODDITIES = ["daydreaming", "bare", "forgotten"]
WISHES = ["a video", "a look", "to cancel", "another", "another at any price"]
LIES = ["nothing", "no job", "another's job", "an old job", "its own job"]


class Everything(Workers):
    """People, workers, Krea, whoever knows a webhook address, and the weather."""

    @initialize(
        with_webhooks=st.booleans(),
        confirm=st.booleans(),
        forgets=st.booleans(),
        first_post=st.one_of(st.none(), ENDS),
    )
    def open(
        self, with_webhooks: bool, confirm: bool, forgets: bool, first_post: str | None
    ) -> None:
        self.confirm, self.krea.forgets_cancelled = confirm, forgets
        address = "https://site.example" if with_webhooks else ""
        self.site = a_site(self.clock, WEBHOOK_BASE_URL=address, WEBHOOK_CONFIRM=confirm)
        self.submit()
        self.read()
        if first_post:
            self.a_sender_hurries(first_post)

    # What people want.

    def submit(self) -> None:
        if len(self.jobs) < MAX_JOBS:
            self.attempt(VideoJob(prompt="a lighthouse").submit)

    @rule(wish=st.sampled_from(WISHES), job=which)
    def somebody_wants(self, wish: str, job: int) -> None:
        wanted = one(self.jobs, job) if self.jobs else None
        if wish == "a video" or wanted is None:
            self.submit()
        elif wish == "a look":
            self.attempt(wanted.sync)
        elif wish == "to cancel":
            self.unwanted |= {key(row) for row in self.rows if row.job_id == wanted.pk}
            self.attempt(wanted.cancel)
        elif wanted.submission_count < MAX_SUBMISSIONS:
            self.resubmit(wanted, force=wish == "another at any price")

    def resubmit(self, wanted: VideoJob, *, force: bool) -> None:
        alive = {row.status for row in self.rows if row.job_id == wanted.pk} & LIVE
        if self.attempt(lambda: wanted.resubmit(force=force)):
            assert force or (wanted.previous_status in RESUBMITTABLE and not alive)

    # Krea, and whoever calls the webhook.

    @precondition(lambda self: self.krea.running())
    @rule(job=which, becomes=st.sampled_from([*sorted(UPSTREAM), *ODDITIES]))
    def krea_goes_on(self, job: int, becomes: str) -> None:
        """Also: a word that nobody knows, no address yet, no memory of the job."""
        moved = one(self.krea.running(), job)
        moved.forgotten = becomes == "forgotten"
        moved.has_url = becomes != "bare"
        if not moved.forgotten:
            self.krea.move(moved, "completed" if becomes == "bare" else becomes)

    @precondition(lambda self: not all(job.has_url for job in self.krea.jobs.values()))
    @rule()
    def krea_finds_the_addresses(self) -> None:
        for job in self.krea.jobs.values():
            job.has_url = True

    @precondition(lambda self: self.krea.webhooks)
    @rule(call=which)
    def krea_calls(self, call: int) -> None:
        """Any call: early, late, again, in any order."""
        self.deliver(one(self.krea.webhooks, call))

    @precondition(lambda self: self.rows)
    @rule(submission=which, names=st.sampled_from(LIES), status=st.sampled_from(sorted(UPSTREAM)))
    def somebody_lies(self, submission: int, names: str, status: str) -> None:
        row = one(self.rows, submission)
        others = Submission.objects.exclude(pk=row.pk).exclude(krea_job_id=None)
        bought = self.krea.of(key(row)) if self.confirm else None
        named = {
            "nothing": "",
            "no job": "no-such-job",
            "another's job": str(others.values_list("krea_job_id", flat=True).first()),
            "an old job": self.krea.stranger(self.clock.true - timedelta(days=1)).id,
            "its own job": bought.id if bought else "no-such-job",
        }[names]
        if row.candidate_id and named not in ("", row.candidate_id):
            self.displaced.add(key(row))
        body = json.dumps({"job_id": named, "status": status}).encode()
        token = make_token(Addressee(row.job_id, row.number))
        self.deliver(Webhook(reverse("hailuo_django:webhook", args=[token]), body))

    def deliver(self, call: Webhook) -> None:
        harmed = self.faults.error is not None
        if answer := self.attempt(
            lambda: self.browser.post(
                urlsplit(call.url).path, call.body, content_type="application/json"
            )
        ):
            call.delivered = answer.status_code in (200, 202)
            assert call.delivered or (harmed and answer.status_code == 503)

    # The weather.

    @rule(seconds=st.sampled_from([1, 35, 50, 100, 400, 1000, 8000]), skew=st.integers(-120, 120))
    def time_passes(self, seconds: int, skew: int) -> None:
        """Somebody sets the clock, by less than what is allowed for between Krea and us."""
        self.clock.pass_time(seconds)
        self.clock.skew = timedelta(seconds=skew)

    @precondition(lambda self: self.faults.error is None)
    @rule(statement=st.integers(1, 9), error=st.sampled_from([Killed, OperationalError]))
    def the_next_work_will_fail(self, statement: int, error: type[BaseException]) -> None:
        self.faults.arm(statement, error)

    # What must hold.

    @invariant()
    def all_holds(self) -> None:
        self.steps += 1
        self.read()
        events: dict[int, list[JobEvent]] = {}
        for event in JobEvent.objects.exclude(submission=None).order_by("pk"):
            events.setdefault(cast(int, event.submission_id), []).append(event)
        rows: dict[Any, list[Submission]] = {}
        for row in self.rows:
            rows.setdefault(row.job_id, []).append(row)
            check_submission(row)
            check_events(row, events[row.pk])
            check_provenance(row, self.krea)
        for job in self.jobs:
            check_job(job, rows[job.pk])
            newest = rows[job.pk][-1]
            given_up = newest.status == Status.CANCELLED and newest.krea_job_id is None
            assert not given_up or job.status == Status.COMPLETED or key(newest) in self.unwanted
        completed: set[Any] = {job.pk for job in self.jobs if job.status == Status.COMPLETED}
        completed |= {row.pk for row in self.rows if row.status == Status.COMPLETED}
        assert self.completed <= completed, "a finished video is never undone"
        self.completed = completed

    @precondition(lambda self: self.steps > STEPS_BEFORE_REST)
    @rule()
    def everything_comes_to_rest(self) -> None:
        """Who is at work dies; from here on Krea behaves and the sweeps run."""
        self.steps = 0
        self.faults.error = None
        self.sends, self.looks = [], []
        self.krea.post_ends = self.krea.get_ends = "answered"
        for _round in range(ROUNDS):
            for job in self.krea.running():
                self.krea.move(job, "completed")
            for call in self.krea.webhooks:
                if not call.delivered:
                    self.deliver(call)
            self.clock.pass_time(600)
            self.sweep()
            self.read()
            if not any(waits(row) for row in self.rows):
                break
        for row in self.rows:
            self.check_rest(row)
        owed = set(JobEvent.objects.exclude(announcement="").values_list("pk", flat=True))
        assert owed == self.announced

    def sweep(self) -> None:
        ledger.lose_abandoned()
        ledger.announce_owed()
        looks, sends = LookLane(self.client), SendLane(self.client)
        while taken := looks.take(SECONDS_LEFT):
            seen = outcome(partial(looks.call, taken))
            looks.record(taken, seen)
        while item := sends.take(SECONDS_LEFT):
            self.krea.sender = key(item.submission)
            answer = outcome(partial(sends.call, item))
            sends.record(item, answer)
            self.claimed.add(key(item.submission))

    def check_rest(self, row: Submission) -> None:
        bought = self.krea.of(key(row))
        if bought is None or bought.forgotten:
            assert row.status in (Status.FAILED, Status.CANCELLED, Status.UNCONFIRMED)
        elif row.krea_job_id or (bought.webhook_url and key(row) not in self.displaced):
            assert row.status == bought.status
        else:
            assert row.status == Status.UNCONFIRMED, "only its note is left to it"


def waits(row: Submission) -> bool:
    """Tell whether a worker will do something about it."""
    wanted = row.status in (Status.UNSENT, Status.SUBMITTING)
    return wanted or bool(identified(row) and row.due_at)


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
