"""Signals after commit, at least once, whatever receivers and processes do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.models import F
from django.dispatch import Signal
from django.utils import timezone

from hailuo_django import ledger, signals
from hailuo_django.deadlines import sweep_seconds
from hailuo_django.ledger.announcements import NEXT_TRY, PATIENCE
from hailuo_django.models import Heartbeat, JobEvent, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.worker.sweep import sweep

from .rows import ago, change, fresh, look_again, only, sent, submitted

pytestmark = pytest.mark.django_db(transaction=True)

KEPT = PATIENCE + timedelta(seconds=sweep_seconds())
"""For so long what a sweep has seen is left to it."""

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
            assert event.job is job
            assert not transaction.get_connection(VideoJob.database()).in_atomic_block
            calls.append((name, job, event))

        signal.connect(hear)
        receivers.append((signal, hear))
    yield calls
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def two_failed(krea: Sandbox) -> list[VideoJob]:
    """Two jobs that have failed at Krea; the next sweep is going to hear of it"""
    jobs = [sent(), sent()]
    for job in jobs:
        krea.move(str(only(job).krea_job_id), "failed")
        change(job, due_at=ago(seconds=1))
    return jobs


def let_pass(time: timedelta) -> None:
    """Let so much time pass for what is still to be announced."""
    owed = JobEvent.objects.filter(announce_after__isnull=False)
    owed.update(announce_after=F("announce_after") - time)


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


@pytest.mark.logs_errors
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
    failed = f"Receiver {broken!r} of {signals.job_submitted} failed."
    [record] = [record for record in caplog.records if record.getMessage() == failed]
    assert record.exc_info
    assert isinstance(record.exc_info[1], RuntimeError)


@pytest.mark.logs_errors
@pytest.mark.parametrize(("nth", "told"), [(1, []), (2, ["job_submitted"])])
def test_trouble_after_the_commit_is_logged_and_nobody_elses(
    heard: Heard, caplog: pytest.LogCaptureFixture, nth: int, told: list[str]
) -> None:
    updates: list[str] = []

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if "announce_after" in sql and sql.startswith("UPDATE"):
            updates.append(sql)
            if len(updates) == nth:
                raise OperationalError("the database is gone")
        return execute(sql, *rest)

    with transaction.get_connection(VideoJob.database()).execute_wrapper(fail):
        job = submitted()

    assert names(heard) == told
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


class Killed(BaseException):
    """What no receiver's caller catches: as if its process were gone."""


def test_a_receiver_that_kills_its_process_holds_up_nobody_elses_news(
    krea: Sandbox,
) -> None:
    two_failed(krea)
    told: list[VideoJob] = []

    def kill(job: VideoJob, **_kwargs: Any) -> None:
        told.append(job)
        if job == told[0]:
            raise Killed

    signals.job_failed.connect(kill)
    try:
        began = timezone.now()
        with pytest.raises(Killed):
            sweep()
        assert Heartbeat.objects.get().beat_at > began, "what was due was done"

        let_pass(KEPT)
        sweep()
        assert len(told) == len({*told}) == 2, "the other one, although the first was owed longer"

        let_pass(NEXT_TRY)
        with pytest.raises(Killed):
            sweep()
        assert told[2] == told[0], "and it goes on being told"
    finally:
        signals.job_failed.disconnect(kill)


def test_a_job_deleted_before_its_turn_is_told_of_to_nobody(krea: Sandbox, heard: Heard) -> None:
    two_failed(krea)

    def delete_the_other(job: VideoJob, **_kwargs: Any) -> None:
        VideoJob.objects.exclude(pk=job.pk).get().delete()

    signals.job_failed.connect(delete_the_other)
    try:
        sweep()
    finally:
        signals.job_failed.disconnect(delete_the_other)
    assert names(heard).count("job_failed") == 1
    assert Heartbeat.objects.exists()


@pytest.mark.logs_errors
def test_one_announcement_that_fails_holds_up_no_other(
    krea: Sandbox, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    two_failed(krea)
    failed: list[str] = []

    def fail_once(execute: Any, sql: str, *rest: Any) -> Any:
        is_taken = sql.startswith("UPDATE") and "announce_after" in sql and " > " not in sql
        if is_taken and not failed:
            failed.append(sql)
            raise OperationalError("the database is gone")
        return execute(sql, *rest)

    with transaction.get_connection(VideoJob.database()).execute_wrapper(fail_once):
        sweep()
    assert names(heard).count("job_failed") == 1
    assert "the database is gone" in caplog.text
    [owed] = JobEvent.objects.filter(announce_after__isnull=False)
    assert f"Event {owed.pk} could not be announced; a later sweep will." in caplog.messages

    let_pass(KEPT)
    sweep()
    assert names(heard).count("job_failed") == 2


def test_of_two_workers_with_the_same_news_one_tells_them(heard: Heard) -> None:
    jobs = [submitted(prompt=prompt) for prompt in ("a", "b")]
    heard.clear()
    JobEvent.objects.update(announce_after=ago(seconds=1))

    def another_worker(**_kwargs: Any) -> None:
        ledger.announce_owed()

    signals.job_submitted.connect(another_worker)
    try:
        ledger.announce_owed()
    finally:
        signals.job_submitted.disconnect(another_worker)
    assert sorted(job.prompt for _, job, _ in heard) == [job.prompt for job in jobs]


def test_where_nobody_listens_the_sweep_clears_the_books(krea: Sandbox) -> None:
    job = submitted()
    owed = job.events.filter(announce_after__isnull=False)
    assert owed.count() == 1

    owed.update(announce_after=ago(seconds=1))
    sweep()
    assert not owed.exists()


def test_who_listens_to_video_jobs_alone_hears_at_once(krea: Sandbox) -> None:
    heard: list[VideoJob] = []

    def hear(job: VideoJob, **_more: Any) -> None:
        heard.append(job)

    signals.job_submitted.connect(hear, sender=VideoJob)
    try:
        job = submitted()
    finally:
        signals.job_submitted.disconnect(hear, sender=VideoJob)
    assert heard == [job]


def test_what_is_announced_after_a_sweep_is_left_to_it_for_as_long_as_a_sweep_takes(
    krea: Sandbox,
) -> None:
    job = sent()
    krea.move(krea.jobs[0].id, "failed")
    look_again(job)
    asked, failed = job.events.filter(announce_after__isnull=False).order_by("pk")
    second = timedelta(seconds=1)
    for event, patience in ((asked, PATIENCE), (failed, KEPT)):
        assert event.announce_after
        assert patience <= event.announce_after - event.created_at + second < patience + 5 * second
