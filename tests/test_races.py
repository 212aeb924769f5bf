"""Whoever comes at the same time: one of them does it, and nobody fails."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import signals
from hailuo_django.exceptions import BudgetExceeded, Conflict
from hailuo_django.models import Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.site import configure
from tests.webhooks.rows import SITE, look, post, running

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CROWD = 8
ROUNDS = effort.RACES
# As many connections as a PostgreSQL gives by default leave room for.
BUYERS = 20
PRICE = Decimal("0.2835")


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox, WEBHOOK_BASE_URL=SITE)
        yield sandbox


@pytest.fixture
def announced() -> Iterator[list[str]]:
    """The names of the signals that were sent."""
    names: list[str] = []
    receivers: list[tuple[Any, Callable[..., None]]] = []
    for name, signal in signals.BY_NAME.items():

        def hear(name: str = name, **_more: Any) -> None:
            names.append(name)

        signal.connect(hear)
        receivers.append((signal, hear))
    yield names
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make all calls at the same time, each in a thread; return what came of each.

    A Conflict is an answer. Any other exception is none, and is raised.
    """
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return call()
        except Conflict as conflict:
            return conflict
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def deliver(path: str, body: bytes) -> int:
    return post(Client(), path, body)


def the_same(job: VideoJob) -> list[VideoJob]:
    """The job as each of a crowd read it."""
    return [VideoJob.objects.get(pk=job.pk) for _ in range(CROWD)]


def winners(outcomes: list[Any]) -> int:
    return sum(not isinstance(outcome, Conflict) for outcome in outcomes)


def events(job: VideoJob) -> Counter[tuple[str, str]]:
    """What happened to the job, and how often."""
    return Counter(job.events.values_list("action", "to_status"))


@pytest.mark.proves("R1", "R5", "W6")
def test_deliveries_at_the_same_time_are_one_change_and_one_announcement(
    krea: Sandbox, announced: list[str]
) -> None:
    for number in range(ROUNDS):
        pair = running(krea, f"video {number}")
        body = pair.news("completed")
        announced.clear()

        answers = at_once(*[partial(deliver, pair.path, body)] * CROWD)

        assert answers == [200] * CROWD
        assert events(pair.job)["report", "completed"] == 1
        assert pair.submission.webhook_count == CROWD
        assert announced == ["job_completed"]


@pytest.mark.proves("R1", "R2")
def test_different_words_at_the_same_time_never_lose_the_video(krea: Sandbox) -> None:
    words = ["processing", "completed", "sampling", "failed", "cancelled", "queued"]
    for number in range(ROUNDS):
        pair = running(krea, f"video {number}")
        krea.move(pair.upstream.id, "completed", deliver=False)

        bodies = [pair.news(word) for word in words]
        answers = at_once(*[partial(deliver, pair.path, body) for body in bodies])

        assert set(answers) <= {200, 202}
        look()
        assert pair.row.status == Status.COMPLETED
        assert events(pair.job)["report", "completed"] == 1


@pytest.mark.proves("M1", "R5")
def test_sweeps_at_the_same_time_send_each_job_once(krea: Sandbox) -> None:
    jobs = [VideoJob(prompt=f"video {number}") for number in range(effort.CONTESTED_JOBS)]
    for job in jobs:
        job.submit()

    at_once(*[sweep] * CROWD)

    assert Counter(one.body["prompt"] for one in krea.posts) == {job.prompt: 1 for job in jobs}
    recorded = Submission.objects.values_list("krea_job_id", flat=True)
    assert sorted(map(str, recorded)) == sorted(one.id for one in krea.jobs)
    assert {row.status for row in VideoJob.objects.all()} == {Status.BACKLOGGED}


@pytest.mark.proves("P2")
def test_sweeps_at_the_same_time_ask_for_each_job_once(krea: Sandbox, announced: list[str]) -> None:
    pairs = [running(krea, f"video {number}") for number in range(10)]
    for pair in pairs:
        krea.move(pair.upstream.id, "completed", deliver=False)
    Submission.objects.update(due_at=timezone.now())
    announced.clear()

    at_once(*[sweep] * CROWD)

    asked = Counter(path for method, path, _ in krea.requests if method == "GET")
    assert asked == {f"/jobs/{pair.upstream.id}": 1 for pair in pairs}
    assert announced == ["job_completed"] * len(pairs)


@pytest.mark.proves("M5")
def test_a_hundred_submits_against_room_for_three(krea: Sandbox, settings: Settings) -> None:
    for run in range(effort.BUDGET_RACES):
        spent_before = run * 3 * PRICE
        configure(settings, krea, BUDGET={"day": str(spent_before + 3 * PRICE)})
        drafts = [VideoJob(prompt=f"video {run}.{number}") for number in range(100)]
        shares = [drafts[start::BUYERS] for start in range(BUYERS)]

        bought = at_once(*[partial(submitted, share) for share in shares])
        outcomes = [one for share in bought for one in share]

        assert outcomes.count("submitted") == 3
        assert outcomes.count("budget_exceeded") == 97
        sweep()
        assert len(krea.posts) == 3 * (run + 1)


def submitted(jobs: list[VideoJob]) -> list[str]:
    """Submit one after the other; what came of each."""
    outcomes = []
    for job in jobs:
        try:
            job.submit()
            outcomes.append("submitted")
        except BudgetExceeded as refusal:
            outcomes.append(refusal.code)
    return outcomes


@pytest.mark.proves("M1")
def test_a_draft_submitted_by_many_is_submitted_once(krea: Sandbox) -> None:
    job = VideoJob(prompt="a lighthouse at dusk")
    job.save()

    outcomes = at_once(*[each.submit for each in the_same(job)])

    assert winners(outcomes) == 1
    assert Submission.objects.get(job=job).number == 1
    sweep()
    assert len(krea.posts) == 1


@pytest.mark.proves("M1")
def test_a_job_resubmitted_by_many_is_resubmitted_once(krea: Sandbox) -> None:
    pair = running(krea)
    krea.move(pair.upstream.id, "failed", deliver=False)
    look()

    outcomes = at_once(*[each.resubmit for each in the_same(pair.job)])

    assert winners(outcomes) == 1
    assert [row.number for row in Submission.objects.filter(job=pair.job)] == [1, 2]
    sweep()
    assert len(krea.posts) == 2


def test_a_cancellation_and_a_claim_leave_nothing_running(krea: Sandbox) -> None:
    for number in range(ROUNDS):
        job = VideoJob(prompt=f"video {number}")
        job.submit()
        before = len(krea.posts)

        outcomes = at_once(VideoJob.objects.get(pk=job.pk).cancel, sweep)

        assert winners(outcomes) == 2
        look()
        look()
        assert VideoJob.objects.get(pk=job.pk).status == Status.CANCELLED
        sent = krea.posts[before:]
        assert len(sent) <= 1
        upstream = {one.id: one.status for one in krea.jobs}
        assert [upstream[str(one.job_id)] for one in sent] == ["cancelled"] * len(sent)


@pytest.mark.proves("R1", "R5")
def test_a_webhook_a_poll_and_a_cancellation_make_one_end(
    krea: Sandbox, announced: list[str]
) -> None:
    for number in range(ROUNDS):
        pair = running(krea, f"video {number}")
        krea.move(pair.upstream.id, "completed", deliver=False)
        Submission.objects.filter(job=pair.job).update(due_at=timezone.now())
        body = pair.news("completed")
        announced.clear()

        webhook = partial(deliver, pair.path, body)
        answers = at_once(webhook, webhook, sweep, sweep, pair.row.cancel)

        assert set(answers[:2]) == {200}

        look()
        assert pair.row.status == Status.COMPLETED
        assert pair.row.video_url
        assert events(pair.job)["report", "completed"] == 1
        assert announced == ["job_completed"]
