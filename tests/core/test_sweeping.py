"""One pass over what is due: fair, bounded, cheap, and never raising into django-q2."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from hailuo_django.krea.wire import JobReport
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker import tasks
from hailuo_django.worker.lanes import Outcome, run
from tests import statistics

from .rows import ago, change, fresh, sent, submitted

pytestmark = pytest.mark.django_db


class Numbers:
    """A lane whose items are numbers."""

    waits = False

    def __init__(self, width: int, items: int, call: Callable[[int], JobReport]) -> None:
        self.width, self.call = width, call
        self.items = list(range(items))
        self.recorded: list[tuple[int, Outcome]] = []

    def take(self, seconds_left: float) -> int | None:
        return self.items.pop(0) if self.items and seconds_left > 0 else None

    def record(self, item: int, outcome: Outcome) -> None:
        self.recorded.append((item, outcome))


def answer(_item: int) -> JobReport:
    return JobReport(krea_job_id="1", status="queued")


@pytest.mark.proves("P4")
def test_slow_sends_never_starve_polls() -> None:
    polls_done = threading.Event()

    def slow(item: int) -> JobReport:
        assert polls_done.wait(10), "the polls waited for the sends"
        return answer(item)

    sends = Numbers(width=2, items=4, call=slow)
    polls = Numbers(width=2, items=50, call=answer)
    real = polls.record

    def record(item: int, outcome: Outcome) -> None:
        real(item, outcome)
        if len(polls.recorded) == 50:
            polls_done.set()

    polls.record = record  # type: ignore[method-assign]
    assert run([polls, sends], seconds=60) == 54
    assert [outcome for _, outcome in sends.recorded] == [answer(0)] * 4


def test_no_more_calls_than_the_lane_is_wide_run_at_once() -> None:
    lock, running, most = threading.Lock(), 0, 0
    full = threading.Barrier(3, timeout=10)

    def call(item: int) -> JobReport:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        full.wait()
        with lock:
            running -= 1
        return answer(item)

    idle = Numbers(width=40, items=0, call=answer)
    run([Numbers(width=3, items=9, call=call), idle], seconds=60)
    assert most == 3


def test_as_many_calls_as_the_lane_is_wide_do_run_at_once() -> None:
    full = threading.Barrier(40, timeout=10)

    def call(item: int) -> JobReport:
        full.wait()
        return answer(item)

    lane = Numbers(width=40, items=80, call=call)
    run([lane], seconds=60)
    assert [outcome for _, outcome in lane.recorded] == [answer(0)] * 80


def test_whoever_interrupts_waits_for_what_is_under_way() -> None:
    class Interrupted(Numbers):
        def take(self, seconds_left: float) -> int | None:
            if not self.items:
                raise KeyboardInterrupt
            return super().take(seconds_left)

    lane = Interrupted(width=3, items=2, call=answer)
    with pytest.raises(KeyboardInterrupt):
        run([lane], seconds=60)
    assert len(lane.recorded) == 2, "it may have been paid for"


@pytest.mark.logs_errors
def test_what_cannot_be_recorded_is_named_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Unwritable(Numbers):
        def record(self, item: int, outcome: Outcome) -> None:
            if item == 1:
                raise OSError("the disk is full")
            super().record(item, outcome)

    lane = Unwritable(width=1, items=3, call=answer)
    assert run([lane], seconds=60) == 3
    assert [item for item, _ in lane.recorded] == [0, 2]
    assert "Could not record what came of 1." in caplog.messages


def test_what_a_call_raises_is_recorded_as_its_outcome() -> None:
    def fail(_item: int) -> JobReport:
        raise ValueError("no")

    lane = Numbers(width=1, items=1, call=fail)
    run([lane], seconds=60)
    assert isinstance(lane.recorded[0][1], ValueError)


def test_nothing_is_begun_that_no_longer_fits() -> None:
    lane = Numbers(width=1, items=5, call=answer)
    assert run([lane], seconds=0) == 0


@pytest.mark.logs_errors
def test_a_table_that_cannot_be_read_ends_the_lane_and_not_the_sweep(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Numbers):
        def take(self, seconds_left: float) -> int | None:
            raise OSError("no table")

    healthy = Numbers(width=1, items=2, call=answer)
    assert run([Broken(width=1, items=1, call=answer), healthy], seconds=60) == 2
    assert "Could not take more work; the next sweep will." in caplog.messages


@pytest.mark.logs_errors
def test_django_q_gets_no_exception(
    krea: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job, another = submitted(), submitted()
    assert tasks.work(str(job.pk)) == "1 requests"
    assert fresh(another).status == Status.UNSENT, "a nudge is about one job"
    assert tasks.sweep() == "1 requests"
    assert tasks.work("no id") == "no job id", "a task never raises"

    def broken(**_kwargs: object) -> int:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(tasks, "run_sweep", broken)
    assert tasks.sweep() == "failed"
    assert "a bug of ours" in caplog.text
    assert "The sweep failed." in caplog.messages


def test_a_nudge_for_a_job_that_is_gone_is_harmless(krea: Sandbox) -> None:
    assert tasks.work(str(uuid.uuid4())) == "0 requests"


@pytest.mark.django_db(transaction=True)
def test_submitting_rings_for_a_worker_and_hands_it_the_id_only() -> None:
    job = submitted()
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == ("hailuo_django.worker.tasks.work", (str(job.pk),))
    assert task["ack_failure"] is True
    assert isinstance(task["timeout"], int)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wish", [VideoJob.cancel, VideoJob.sync], ids=lambda wish: wish.__name__)
def test_other_wishes_ring_as_well(krea: Sandbox, wish: Callable[[VideoJob], object]) -> None:
    job = sent()
    OrmQ.objects.all().delete()
    wish(job)
    assert OrmQ.objects.get().task["args"] == (str(job.pk),)


@pytest.mark.logs_errors
@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_costs_time_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*_args: object, **_kwargs: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("django_q.tasks.async_task", down)
    assert fresh(submitted()).status == Status.UNSENT
    assert "the next sweep will find it" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_without_django_q_nobody_rings(settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    assert fresh(submitted()).status == Status.UNSENT
    assert not OrmQ.objects.exists()


def plan(rows: object) -> str:
    return str(rows.explain())  # type: ignore[attr-defined]


@pytest.mark.proves("P6")
@pytest.mark.parametrize("query", ["to_send", "to_look_at", "abandoned"])
def test_what_is_due_is_found_by_index(query: str) -> None:
    job, old = submitted(), VideoJob.objects.create(prompt="x")
    settled = [
        Submission(job=old, number=n, body={}, price_usd=1, status=Status.COMPLETED)
        for n in range(3000)
    ]
    Submission.objects.bulk_create(settled)
    change(job, due_at=ago(seconds=1))
    statistics.gather()

    rows = getattr(Submission.objects, query)(timezone.now())

    assert "hailuo_submission_" in plan(rows)


def test_what_nobody_ends_is_found_among_all_that_has_failed() -> None:
    job, old = submitted(), VideoJob.objects.create(prompt="x")
    settled = [
        Submission(
            job=old,
            number=number,
            status=Status.FAILED,
            ended_at=ago(days=9, minutes=number),
            krea_job_id=f"{number}",
            body={},
            price_usd=1,
        )
        for number in range(3000)
    ]
    Submission.objects.bulk_create(settled)
    asked_for = {"krea_job_id": "x", "due_at": ago(seconds=1)}
    change(job, status=Status.FAILED, ended_at=ago(days=9), **asked_for)
    statistics.gather()

    rows = Submission.objects.unsettled(ago(days=2))

    assert rows.get().job == job
    assert "due_at" in plan(rows)
    assert "hailuo_submission_" in plan(Submission.objects.unmarked(timedelta(hours=4), ago()))


def test_announcements_owed_are_found_by_index() -> None:
    job = submitted()
    told = [JobEvent(job=job, source="system", action="note") for _ in range(3000)]
    JobEvent.objects.bulk_create(told)
    statistics.gather()

    assert "announce_after" in plan(JobEvent.objects.owed(timezone.now()))
    assert "announce_after" in plan(JobEvent.objects.untold(timezone.now()))
