"""Whenever a worker is killed, nothing is paid twice and no paid video is lost."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django.models import KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import RUNNING, Status
from hailuo_django.worker.sweep import sweep
from tests import effort

from .mortal import KILLED, MORTAL, MortalWorkers

pytestmark = MORTAL

TIMES = effort.KILLS_AT_A_POINT
RANDOM_TIMES = effort.KILLS_AT_RANDOM


@pytest.fixture
def krea(settings: Settings, live_server: LiveServer) -> Iterator[Sandbox]:
    with Sandbox(manual=True) as sandbox:
        settings.HAILUO = {
            "KREA_API_TOKEN": sandbox.token,
            "KREA_BASE_URL": sandbox.url,
            "WEBHOOK_BASE_URL": live_server.url,
            "RESULT_HOSTS": ["127.0.0.1"],
        }
        yield sandbox


def submitted(number: int) -> VideoJob:
    job = VideoJob(prompt=f"video {number}")
    job.submit()
    return job


def one_lease_later() -> None:
    """Let every lease run out, and a worker come; again, where so many deaths paused sending."""
    past = timezone.now() - timedelta(seconds=1)
    leased = Submission.objects.filter(status=Status.SUBMITTING)
    leased.update(lease_expires_at=past, due_at=past)
    KreaAccount.objects.update(trial_until=past)
    for _pass in range(2):
        sweep()


def paid_for(krea: Sandbox) -> Counter[str]:
    """How often each prompt was POSTed."""
    # What was cut off before its end is no request that Krea could have taken.
    whole = [post.body for post in krea.posts if isinstance(post.body, dict)]
    return Counter(body["prompt"] for body in whole)


def finish_upstream(krea: Sandbox) -> None:
    """Let every video be ready, its webhook arrive, and a worker come."""
    for upstream in krea.jobs:
        krea.move(upstream.id, "completed")
    sweep()


@pytest.mark.proves("M2")
@pytest.mark.parametrize(
    ("point", "posts", "status"),
    [
        ("before claim", 1, Status.BACKLOGGED),
        ("after claim", 0, Status.UNCONFIRMED),
        ("after send", 1, Status.UNCONFIRMED),
        ("after answer", 1, Status.UNCONFIRMED),
        ("before commit", 1, Status.UNCONFIRMED),
        ("after commit", 1, Status.BACKLOGGED),
    ],
)
def test_a_worker_killed_at_a_named_point(
    krea: Sandbox, processes: MortalWorkers, point: str, posts: int, status: Status
) -> None:
    jobs = [submitted(number) for number in range(TIMES)]
    assert [processes.work(job, point) for job in jobs] == [KILLED] * TIMES
    one_lease_later()
    krea.wait(lambda: len(krea.posts) == posts * TIMES)

    assert paid_for(krea) == Counter({job.prompt: posts for job in jobs if posts})
    rows = Submission.objects.all()
    assert Counter(row.status for row in rows) == {status: TIMES}
    assert all(row.note for row in rows if row.status == Status.UNCONFIRMED), "and says why"

    finish_upstream(krea)
    assert VideoJob.objects.filter(status=Status.COMPLETED).count() == posts * TIMES
    assert len(krea.paid) == len(krea.posts) == posts * TIMES


@pytest.mark.proves("M2")
def test_workers_killed_at_any_time(krea: Sandbox, processes: MortalWorkers) -> None:
    began = time.monotonic()
    assert processes.work(submitted(0), "60000") == 0, "this one came through"
    milliseconds = (time.monotonic() - began) * 1000
    dice = random.Random(2)  # noqa: S311 - the same times in every run, as far as time allows
    jobs = [submitted(number) for number in range(1, 1 + RANDOM_TIMES)]
    ends = [processes.work(job, f"{dice.uniform(0, milliseconds):.1f}") for job in jobs]
    assert KILLED in ends
    assert set(ends) <= {KILLED, 0}
    one_lease_later()
    # A request that was under way when its sender died may still arrive.
    krea.wait(lambda: all(post.status for post in krea.posts))

    assert set(paid_for(krea).values()) <= {1}
    for row in Submission.objects.all():
        assert row.status in RUNNING or (row.status == Status.UNCONFIRMED and row.note)

    finish_upstream(krea)
    finished = VideoJob.objects.filter(status=Status.COMPLETED)
    assert {job.prompt for job in finished} == set(paid_for(krea))
    assert len(krea.paid) == sum(paid_for(krea).values())
