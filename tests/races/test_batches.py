"""Batches that are confirmed, worked on, stopped and forgotten by many at the same time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import budget, ledger
from hailuo_django.admin.confirming import AT_ONCE
from hailuo_django.models import Batch, BatchItem, JobEvent, Submission, VideoJob
from hailuo_django.models.batches import BatchItemQuerySet
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.admin.pages import Browser, Page, person
from tests.processes.mortal import MortalWorkers, mortal_workers

from .crowd import SIZE, Crowd, succeeded

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MANY = AT_ONCE + 5


@pytest.fixture
def grace() -> User:
    return person("grace", "view", "submit")


def drafts(count: int) -> list[VideoJob]:
    return [VideoJob.objects.create(prompt=f"video {number}") for number in range(count)]


def ordered(grace: User, count: int) -> Batch:
    """A batch that was confirmed, and that nobody has begun with."""
    batch = ledger.propose(Action.SUBMIT, drafts(count), actor=grace)
    assert ledger.confirm(batch, actor=grace)
    make_due()
    return batch


def items(batch: Batch) -> BatchItemQuerySet:
    return BatchItem.objects.filter(batch=batch)


def make_due() -> None:
    """Let the lease of whoever worked on batches run out."""
    Batch.objects.filter(due_at__isnull=False).update(due_at=timezone.now())


def check_once(count: int) -> None:
    """Each job was submitted once, and all that belongs to that was written once."""
    assert Submission.objects.count() == count
    assert Submission.objects.values("job").distinct().count() == count
    assert JobEvent.objects.filter(action=Action.SUBMIT).count() == count
    assert BatchItem.objects.filter(outcome="done").count() == count
    assert not BatchItem.objects.filter(outcome__in=["waiting", "failed"]).exists()


@pytest.mark.proves("M1")
@pytest.mark.parametrize("count", [3, MANY], ids=["at once", "by workers"])
def test_a_batch_confirmed_by_many_windows_is_obeyed_once(
    krea: Sandbox, crowd: Crowd, grace: User, count: int
) -> None:
    windows = [Browser(grace) for _ in range(SIZE)]
    page = windows[0].act("submit_selected", *drafts(count))
    forms = [window.open(page.address) for window in windows]

    presses = zip(windows, forms, strict=True)
    pages: list[Page] = crowd.at_once(*[partial(window.confirm, form) for window, form in presses])

    late = [one for one in pages if "This was confirmed already." in one.text]
    assert len(late) == SIZE - 1
    sweep()
    check_once(count)
    assert len(krea.posts) == count


@pytest.mark.proves("M1")
def test_workers_at_the_same_batch_submit_each_job_once(
    krea: Sandbox, crowd: Crowd, grace: User
) -> None:
    for _round in range(effort.RACES):
        before = Submission.objects.count()
        batch = ordered(grace, MANY)

        crowd.at_once(*[partial(ledger.work_on, batch, seconds=60)] * 4)

        batch.refresh_from_db()
        assert (batch.done_count, batch.is_under_way) == (MANY, False)
        check_once(before + MANY)


def test_sweeps_at_the_same_time_share_the_batches(
    krea: Sandbox, crowd: Crowd, grace: User
) -> None:
    for _batch in range(4):
        ordered(grace, 10)

    crowd.at_once(*[sweep] * 4)
    sweep()

    check_once(40)
    assert len(krea.posts) == 40


def test_what_is_stopped_in_the_middle_is_counted_right(
    krea: Sandbox, crowd: Crowd, grace: User
) -> None:
    for _round in range(effort.RACES):
        batch = ordered(grace, MANY)

        work = partial(ledger.work_on, batch, seconds=60)
        outcomes = crowd.at_once(work, work, partial(ledger.stop, batch, "enough"))

        assert outcomes[2] in (True, False)
        batch.refresh_from_db()
        tally = items(batch).tally()
        assert tally["waiting"].jobs == tally["failed"].jobs == 0
        assert (batch.done_count, batch.done_usd) == tuple(tally["done"])
        assert Submission.objects.filter(job__in=items(batch).values("job")).count() == (
            batch.done_count
        )


def test_a_batch_and_single_submits_share_the_last_room(
    krea: Sandbox, crowd: Crowd, grace: User, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "1.4175"}}  # five of them
    batch = ordered(grace, SIZE)

    work = partial(ledger.work_on, batch, seconds=60)
    outcomes = crowd.at_once(work, work, *[VideoJob(prompt="x").submit for _ in range(SIZE)])

    bought = [one for one in succeeded(outcomes) if isinstance(one, Submission)]
    batch.refresh_from_db()
    assert batch.done_count + len(bought) == 5
    assert [one.room_usd for one in budget.balances()] == [0]


def test_jobs_of_a_batch_are_deleted_and_bought_elsewhere_meanwhile(
    krea: Sandbox, crowd: Crowd, grace: User
) -> None:
    for _round in range(effort.RACES):
        batch = ordered(grace, 12)
        jobs = [item.job for item in items(batch).select_related("job") if item.job]

        def delete(job: VideoJob) -> Any:
            return VideoJob.objects.filter(pk=job.pk, status="draft").delete()

        work = partial(ledger.work_on, batch, seconds=60)
        calls = [partial(delete, job) for job in jobs[8:]]
        crowd.at_once(work, *[job.submit for job in jobs[:4]], *calls)

        tally = items(batch).tally()
        assert tally["waiting"].jobs == tally["failed"].jobs == 0
        assert 4 <= tally["done"].jobs <= 12
        assert {
            job.submission_count for job in VideoJob.objects.filter(submission_count__gt=0)
        } == {1}


def test_a_proposal_is_confirmed_or_forgotten_and_never_both(
    krea: Sandbox, crowd: Crowd, grace: User
) -> None:
    for _round in range(effort.RACES):
        batch = ledger.propose(Action.SUBMIT, drafts(2), actor=grace)
        Batch.objects.filter(pk=batch.pk).update(created_at=timezone.now() - timedelta(days=2))
        confirm = partial(ledger.confirm, batch, actor=grace)

        confirmed, *_counts = crowd.at_once(confirm, *[ledger.forget_proposals] * 2)

        assert Batch.objects.filter(pk=batch.pk).exists() == confirmed
        assert BatchItem.objects.filter(batch=batch.pk).count() == (2 if confirmed else 0)
        Batch.objects.all().delete()


@pytest.fixture
def workers() -> Iterator[MortalWorkers]:
    with mortal_workers() as workers:
        yield workers


@pytest.mark.proves("M2")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_killed_worker_goes_on_where_it_was(
    krea: Sandbox, workers: MortalWorkers, grace: User
) -> None:
    ordered(grace, MANY)

    for point, done in (
        ("within a job of a batch", 0),
        ("between jobs of a batch", 1),
        ("within a job of a batch", 1),
        ("between jobs of a batch", 2),
    ):
        assert workers.sweep(point) == -signal.SIGKILL
        assert Submission.objects.count() == done
        assert BatchItem.objects.filter(outcome="done").count() == done
        sweep()
        assert Submission.objects.count() == done, "its lease has not run out"
        make_due()

    sweep()
    check_once(MANY)
    assert len(krea.posts) == MANY
