"""Workers that sweep at the same time: each job is sent once, and asked for by one at a time."""

from __future__ import annotations

from collections import Counter

import pytest
from django.utils import timezone

from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.webhooks.rows import running

from .crowd import SIZE, Crowd
from .stories import names

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.mark.proves("M1", "R5")
def test_sweeps_at_the_same_time_send_each_job_once(krea: Sandbox, crowd: Crowd) -> None:
    jobs = [VideoJob(prompt=f"video {number}") for number in range(effort.CONTESTED_JOBS)]
    for job in jobs:
        job.submit()

    crowd.at_once(*[sweep] * SIZE)

    assert Counter(one.body["prompt"] for one in krea.posts) == {job.prompt: 1 for job in jobs}
    recorded = Submission.objects.values_list("krea_job_id", flat=True)
    assert sorted(map(str, recorded)) == sorted(one.id for one in krea.jobs)
    assert {row.status for row in VideoJob.objects.all()} == {Status.BACKLOGGED}


@pytest.mark.proves("P2")
def test_sweeps_at_the_same_time_ask_for_each_job_once(
    krea: Sandbox, crowd: Crowd, announced: list[JobEvent]
) -> None:
    pairs = [running(krea, f"video {number}") for number in range(10)]
    for pair in pairs:
        krea.move(pair.upstream.id, "completed", deliver=False)
    Submission.objects.update(due_at=timezone.now())
    announced.clear()

    crowd.at_once(*[sweep] * SIZE)

    asked = Counter(path for method, path, _ in krea.requests if method == "GET")
    assert asked == {f"/jobs/{pair.upstream.id}": 1 for pair in pairs}
    assert names(announced) == ["job_completed"] * len(pairs)
