"""Signals after commit, at least once, whatever receivers and processes do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.dispatch import Signal
from django.utils import timezone

from hailuo_django import signals
from hailuo_django.ledger.announcements import PATIENCE
from hailuo_django.models import JobEvent, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.worker.sweep import sweep

from .rows import ago, fresh, look_again, only, sent, submitted

pytestmark = pytest.mark.django_db(transaction=True)

Heard = list[tuple[str, VideoJob, JobEvent]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    calls: Heard = []
    receivers: list[tuple[Signal, Any]] = []
    for name, signal in signals.BY_NAME.items():

        def hear(
            sender: type, job: VideoJob, event: JobEvent, name: str = name, **_more: Any
        ) -> None:
            assert sender is VideoJob
            assert not transaction.get_connection(VideoJob.database()).in_atomic_block
            calls.append((name, job, event))

        signal.connect(hear)
        receivers.append((signal, hear))
    yield calls
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def names(heard: Heard) -> list[str]:
    return [name for name, _job, _event in heard]


def test_a_site_hears_of_the_beginning_and_of_the_end(krea: Sandbox, heard: Heard) -> None:
    job = sent()
    krea.move(str(only(job).krea_job_id), "completed")
    look_again(job)
    look_again(job)

    assert names(heard) == ["job_submitted", "job_completed"]
    assert heard[-1][1].video_url.endswith(".mp4")
    assert not JobEvent.objects.filter(announce_after__isnull=False).exists()


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_late_completion_is_announced_too(krea: Sandbox, heard: Heard, end: str) -> None:
    job = sent()
    krea.move(str(only(job).krea_job_id), end)
    look_again(job)
    krea.jobs[0].status = "completed"
    job.sync()
    sweep()

    assert names(heard) == ["job_submitted", f"job_{end}", "job_completed"]


def test_a_receiver_that_raises_loses_nothing(
    krea: Sandbox, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_kwargs: Any) -> None:
        raise RuntimeError("the site's own bug")

    signals.job_submitted.connect(broken)
    try:
        job = submitted()
    finally:
        signals.job_submitted.disconnect(broken)

    assert fresh(job).status == "unsent"
    assert names(heard) == ["job_submitted"]
    assert "the site's own bug" in caplog.text


def test_trouble_after_the_commit_is_logged_and_nobody_elses(
    heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if "announce_after" in sql and sql.startswith("UPDATE"):
            raise OperationalError("the database is gone")
        return execute(sql, *rest)

    with transaction.get_connection(VideoJob.database()).execute_wrapper(fail):
        job = submitted()

    assert names(heard) == ["job_submitted"]
    assert "the database is gone" in caplog.text
    assert job.events.filter(announce_after__isnull=False).exists(), "it will be announced again"


def test_nothing_is_announced_that_was_rolled_back(heard: Heard) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=VideoJob.database()):
        submitted()
        raise ZeroDivisionError
    assert heard == []


def test_what_a_killed_process_owed_is_announced_by_the_next_sweep(heard: Heard) -> None:
    job = submitted()
    job.events.filter(announcement="job_submitted").update(announce_after=timezone.now() + PATIENCE)
    sweep()
    assert names(heard) == ["job_submitted"], "a young announcement is still its writer's"

    job.events.filter(announcement="job_submitted").update(announce_after=ago(seconds=1))
    sweep()
    sweep()
    assert names(heard) == ["job_submitted", "job_submitted"]
    assert heard[0][2] == heard[1][2], "the same event tells a repeat"


def test_a_slow_receiver_holds_up_no_request_and_no_record_of_an_answer(krea: Sandbox) -> None:
    seen: list[tuple[str, list[str]]] = []

    def slow(job: VideoJob, event: JobEvent, **_kwargs: Any) -> None:
        states = VideoJob.objects.order_by("prompt").values_list("status", flat=True)
        seen.append((event.announcement, [*states]))

    krea.misbehave("invalid_request")
    for prompt in ("a", "b"):
        submitted(prompt=prompt)
    for signal in (signals.job_failed, signals.job_submitted):
        signal.connect(slow)
    JobEvent.objects.update(announce_after=ago(seconds=1))
    try:
        sweep()
    finally:
        for signal in (signals.job_failed, signals.job_submitted):
            signal.disconnect(slow)
    assert seen[0][0] == "job_failed"
    assert {status for _, states in seen for status in states} == {"failed", "backlogged"}


def test_where_nobody_listens_the_sweep_clears_the_books(krea: Sandbox) -> None:
    job = submitted()
    owed = job.events.filter(announce_after__isnull=False)
    assert owed.count() == 1

    owed.update(announce_after=ago(seconds=1))
    sweep()
    assert not owed.exists()
