"""Workers that are killed at the worst moment: others take over, and everybody is told."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from hailuo_django.deadlines import lease_seconds
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.worker.sweep import sweep
from tests.processes.mortal import MortalWorkers, mortal_workers
from tests.webhooks.rows import running

from .crowd import Crowd
from .stories import make_due, names

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]

KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def workers() -> Iterator[MortalWorkers]:
    with mortal_workers() as workers:
        yield workers


def owed() -> list[str]:
    return names(list(JobEvent.objects.filter(announce_after__isnull=False)))


def patience_is_over() -> None:
    """Let the process that wrote the events have had its time."""
    past = timezone.now() - timedelta(seconds=1)
    JobEvent.objects.filter(announce_after__isnull=False).update(announce_after=past)


@pytest.mark.parametrize("point", ["before the receivers", "within a receiver"])
@pytest.mark.parametrize("where", ["in a worker", "in a web process"])
def test_what_a_killed_process_did_not_announce_the_next_sweep_does(
    krea: Sandbox, workers: MortalWorkers, announced: list[JobEvent], point: str, where: str
) -> None:
    if where == "in a worker":
        pair = running(krea)
        job, expected = pair.job, "job_completed"
        krea.move(pair.upstream.id, "completed", deliver=False)
        make_due()
        assert workers.work(job, point) == KILLED
    else:
        job, expected = VideoJob(prompt="a lighthouse at dusk"), "job_submitted"
        job.save()
        assert workers.work(job, point, verb="submit") == KILLED

    assert owed() == [expected], "the change is committed, and nobody was told"
    announced.clear()
    sweep()
    assert announced == [], "its writer still has its time"
    patience_is_over()
    sweep()
    sweep()
    assert (names(announced), owed()) == ([expected], [])


@pytest.mark.proves("P2")
def test_of_four_workers_one_is_killed_and_its_look_is_made_up_for_after_its_lease(
    krea: Sandbox, crowd: Crowd, workers: MortalWorkers
) -> None:
    pairs = [running(krea, f"video {number}") for number in range(10)]
    make_due()
    assert workers.work(pairs[0].job, "look taken") == KILLED
    taken = Submission.objects.get(job=pairs[0].job).due_at
    assert taken is not None and taken <= timezone.now() + timedelta(seconds=lease_seconds())

    crowd.at_once(*[sweep] * 3)
    assert looks(krea) == {pair.upstream.id: 1 for pair in pairs[1:]}, "none twice"

    Submission.objects.filter(due_at=taken).update(due_at=timezone.now())
    crowd.at_once(*[sweep] * 3)
    assert looks(krea) == {pair.upstream.id: 1 for pair in pairs}


def looks(krea: Sandbox) -> Counter[str]:
    """How often each job was asked for."""
    paths = (path for method, path, _ in krea.requests if method == "GET")
    return Counter(path.removeprefix("/jobs/") for path in paths)
