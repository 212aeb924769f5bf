"""``hailuo_sweep``: one pass, as from cron, or one after the other until a signal."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from pytest_django import Settings

from hailuo_django.management.commands import hailuo_sweep
from hailuo_django.models import Heartbeat, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.testing import make_submitted_job, sandbox

PROCESS = """
import sys
import django
from django.conf import settings
from django.core.management import call_command

django.setup()
settings.HAILUO = {"KREA_BASE_URL": sys.argv[1], "KREA_API_TOKEN": sys.argv[2]}
call_command("hailuo_sweep", *sys.argv[3:])
"""


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("hailuo_sweep", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_one_pass_does_what_is_due_and_says_so_in_a_line() -> None:
    with sandbox(manual=True) as krea:
        job = make_submitted_job()
        assert said() == "Requests to Krea: 1\n"
        assert said() == "Requests to Krea: 0\n"
        assert len(krea.posts) == 1
    job.refresh_from_db()
    assert job.status == Status.BACKLOGGED


@pytest.mark.django_db
def test_it_can_be_quiet() -> None:
    with sandbox():
        assert said("-v0") == ""


def test_without_a_token_it_names_the_setting(settings: Settings) -> None:
    settings.HAILUO = {}
    with pytest.raises(CommandError, match=r'HAILUO\["KREA_API_TOKEN"\] is empty'):
        said()


@pytest.mark.parametrize("text", ["0", "-5", "nan", "inf", "soon"])
def test_seconds_have_to_be_a_positive_number(text: str) -> None:
    with pytest.raises(CommandError, match="no positive number of seconds"):
        said(f"--loop={text}")


@pytest.fixture
def handlers() -> Iterator[None]:
    """The signal handlers are afterwards what they were."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    assert [signal.getsignal(number) for number in numbers] == before


def stopping_after(monkeypatch: pytest.MonkeyPatch, *outcomes: int | Exception) -> list[int]:
    """Let passes end so, and have the process told to stop during the last of them."""
    passes: list[int] = []

    def one_pass() -> int:
        outcome = outcomes[len(passes)]
        passes.append(1)
        if len(passes) == len(outcomes):
            signal.raise_signal(signal.SIGTERM)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(hailuo_sweep, "sweep", one_pass)
    return passes


@pytest.mark.django_db
def test_it_goes_on_until_a_signal_and_finishes_the_pass(
    monkeypatch: pytest.MonkeyPatch, handlers: None
) -> None:
    passes = stopping_after(monkeypatch, 3, 0, 1)
    lines = said("--loop=0.01").splitlines()
    assert lines == [f"Requests to Krea: {calls}" for calls in (3, 0, 1)]
    assert len(passes) == 3


@pytest.mark.django_db
def test_a_database_that_is_away_for_a_pass_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, handlers: None, caplog: pytest.LogCaptureFixture
) -> None:
    passes = stopping_after(monkeypatch, OperationalError("gone away"), 0)
    assert said("--loop=0.01") == "Requests to Krea: 0\n"
    assert len(passes) == 2
    [record] = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert "gone away" in str(record.exc_info)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_as_a_service_it_sends_and_ends_with_0(number: signal.Signals) -> None:
    with sandbox(manual=True) as krea:
        job = make_submitted_job()
        with started(krea, "--loop", "0.1") as process:
            krea.wait(lambda: status(job) == Status.BACKLOGGED, timeout=30)
            process.send_signal(number)
            output, _ = process.communicate(timeout=30)
        assert process.returncode == 0, output
        assert "Requests to Krea: 1\n" in output
        assert len(krea.posts) == 1
        assert Heartbeat.objects.filter(name="sweep").exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_single_pass_that_is_told_to_stop_waits_for_the_answer_it_has_ordered(
    number: signal.Signals,
) -> None:
    with sandbox(manual=True) as krea:
        krea.misbehave("late_answer", seconds=20)
        job = make_submitted_job()
        with started(krea) as process:
            krea.wait(lambda: krea.posts, timeout=30)
            process.send_signal(number)
            krea.wait(lambda: ended_later(krea, process), timeout=30)
            output, _ = process.communicate()
    assert (process.returncode, output) == (0, "Requests to Krea: 1\n")
    assert status(job) == Status.BACKLOGGED


@pytest.mark.django_db(transaction=True)
def test_a_single_pass_may_run_in_any_thread() -> None:
    with sandbox(manual=True), ThreadPoolExecutor(1) as threads:
        assert threads.submit(said_and_closed).result() == "Requests to Krea: 0\n"


def ended_later(krea: Sandbox, process: subprocess.Popen[str]) -> bool:
    """Whether it ended, and more time for it: a request is seen before its answer is held back."""
    krea.advance(20)
    return process.poll() is not None


def said_and_closed() -> str:
    try:
        return said()
    finally:
        connections.close_all()


@contextmanager
def started(krea: Sandbox, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that sweeps; killed if it is still there afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, krea.url, krea.token, *arguments],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def status(job: VideoJob) -> str:
    return VideoJob.objects.values_list("status", flat=True).get(pk=job.pk)
