"""Our own faults are answered 503 with nothing changed, and the next delivery succeeds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from django.dispatch import Signal
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from hailuo_django import signals
from hailuo_django.models import JobEvent, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import RUNNING, Status
from hailuo_django.worker.sweep import sweep
from tests.site import configure
from tests.trouble import FRAMES, down, failing_at

from .rows import SITE, Pair, everything, look, post, running, unconfirmed

pytestmark = pytest.mark.django_db(transaction=True)

MAX_STATEMENTS = 4


@contextmanager
def listening(signal: Signal, receiver: Callable[..., Any]) -> Iterator[None]:
    signal.connect(receiver)
    yield
    signal.disconnect(receiver)


def statements(client: Client, pair: Pair, body: bytes, answer: int) -> list[str]:
    """The statements that a webhook takes, BEGIN and COMMIT not counted."""
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        assert post(client, pair.path, body) == answer
    executed = [query["sql"] for query in queries.captured_queries]
    return [sql for sql in executed if not sql.startswith(FRAMES)]


Deliver = Callable[[Sandbox], tuple[Pair, bytes, int]]


def applied(krea: Sandbox) -> tuple[Pair, bytes, int]:
    pair = running(krea)
    return pair, pair.news("completed"), 200


def repeated(krea: Sandbox) -> tuple[Pair, bytes, int]:
    pair = running(krea)
    krea.move(pair.upstream.id, "completed", deliver=False)
    look()
    return pair, pair.news("completed"), 200


def made_due(krea: Sandbox) -> tuple[Pair, bytes, int]:
    return running(krea), b"no JSON", 202


def named_a_candidate(krea: Sandbox) -> tuple[Pair, bytes, int]:
    pair = unconfirmed(krea)
    return pair, pair.news("completed"), 202


CASES = [applied, repeated, made_due, named_a_candidate]


@pytest.mark.proves("B5")
@pytest.mark.parametrize("case", CASES)
def test_whichever_statement_fails_nothing_changed_and_the_next_delivery_succeeds(
    krea: Sandbox, client: Client, case: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    pair, body, answer = case(krea)
    before, failures = everything(), 0

    while True:
        with failing_at(failures + 1) as executed:
            status = post(client, pair.path, body)
        if len(executed) <= failures:
            break
        nudging = "django_q" in executed[failures]
        if nudging:  # the rows were committed; a lost nudge costs time only
            assert status == answer
            break
        failures += 1
        assert (status, everything()) == (503, before), executed

    assert status == answer
    assert everything() != before
    assert failures >= 1
    ours = [record for record in caplog.records if record.name == "hailuo_django.webhooks"]
    assert len(ours) == failures
    assert all(str(pair.job.pk) in record.getMessage() for record in ours)


@pytest.mark.proves("B5")
def test_a_failing_commit_is_our_fault_too(
    krea: Sandbox, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = running(krea)
    before = everything()
    with monkeypatch.context() as patch:
        patch.setattr(connections[VideoJob.database()], "_commit", down)
        assert post(client, pair.path, pair.news("completed")) == 503
    assert everything() == before
    assert post(client, pair.path, pair.news("completed")) == 200
    assert pair.row.status == Status.COMPLETED


def test_what_nobody_foresaw_is_503_as_well(
    krea: Sandbox, client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    pair = running(krea)
    configure(settings, krea, RESULT_HOSTS=None)
    assert post(client, pair.path, pair.news("completed")) == 503
    assert pair.row.status in RUNNING
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]

    configure(settings, krea, WEBHOOK_BASE_URL=SITE)
    assert post(client, pair.path, pair.news("completed")) == 200


@pytest.mark.parametrize("status", ["processing", "completed", "failed", "cancelled"])
def test_at_most_four_statements_for_a_webhook_that_is_applied(
    krea: Sandbox, client: Client, status: str
) -> None:
    pair = running(krea)
    assert 1 < len(statements(client, pair, pair.news(status), 200)) <= MAX_STATEMENTS
    assert pair.row.status == status


def test_a_repeat_takes_no_more_statements_than_the_first(krea: Sandbox, client: Client) -> None:
    pair, body, answer = repeated(krea)
    assert len(statements(client, pair, body, answer)) <= MAX_STATEMENTS


@pytest.mark.proves("B6")
def test_receivers_are_told_after_the_commit_and_outside_of_any_transaction(
    krea: Sandbox, client: Client
) -> None:
    pair = running(krea)
    heard: list[tuple[str, bool]] = []

    def hear(job: VideoJob, **more: Any) -> None:
        inside = connections[VideoJob.database()].in_atomic_block
        heard.append((VideoJob.objects.get(pk=job.pk).status, inside))

    with listening(signals.job_completed, hear):
        for _ in range(3):
            assert post(client, pair.path, pair.news("completed")) == 200
    assert heard == [("completed", False)]


@pytest.mark.proves("B6")
def test_a_receiver_that_raises_does_not_lose_the_state(
    krea: Sandbox, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    pair = running(krea)

    def broken(**more: Any) -> None:
        raise RuntimeError("the site's own bug")

    with listening(signals.job_completed, broken):
        assert post(client, pair.path, pair.news("completed")) == 200
    assert pair.row.status == Status.COMPLETED
    assert "the site's own bug" in caplog.text
    assert not JobEvent.objects.filter(
        announcement="job_completed", announce_after__isnull=False
    ).exists()


@pytest.mark.proves("B6")
def test_no_call_to_krea_is_made_by_a_webhook(krea: Sandbox, client: Client) -> None:
    for case in CASES:
        krea.behave()
        pair, body, answer = case(krea)
        asked = len(krea.requests)
        assert post(client, pair.path, body) == answer
        assert len(krea.requests) == asked
        # The next case begins with nothing that is due.
        krea.move(pair.upstream.id, "completed", deliver=False)
        sweep()
        VideoJob.objects.all().delete()
