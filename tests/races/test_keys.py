"""A request with a key counts once, however often it is repeated at the same moment."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.api import idempotency
from hailuo_django.models import IdempotencyKey, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.api.people import Visitor, address, draft, person

from .crowd import SIZE, Crowd

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

JOBS = reverse("hailuo_django_api:job-list")
REPEATED = 100


@pytest.fixture
def ada(krea: Sandbox, settings: Settings) -> User:
    """A customer whom no rate holds up."""
    settings.HAILUO = {**settings.HAILUO, "API_THROTTLE_RATES": {"submit": None}}
    return person("ada", "add", "submit")


def threads() -> int:
    """How many can ask at once: a PostgreSQL has a hundred connections by default."""
    return REPEATED if connection.vendor == "sqlite" else REPEATED // 2


def order(user: User, key: str, path: str = JOBS, **fields: Any) -> Any:
    client = Visitor()
    client.force_authenticate(user)
    return client.post(path, fields, headers={"Idempotency-Key": key})


def repeat(call: Any, times: int) -> list[Any]:
    return [call() for _ in range(times)]


def at_once(crowd: Crowd, call: Any) -> list[Any]:
    """What a hundred who ask the same at the same moment are answered."""
    times = REPEATED // threads()
    parts = crowd.at_once(*[partial(repeat, call, times)] * threads())
    return [answer for part in parts for answer in part]


@contextlib.contextmanager
def impatience() -> Iterator[None]:
    """Let SQLite, too, wait less long than the tests' site has it wait."""
    database = connections[VideoJob.database()]
    if database.vendor == "sqlite":
        with database.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 200")
    yield
    database.close()  # the next connection is as patient as ever


def replayed(answers: list[Any]) -> Counter[bool]:
    return Counter("Idempotent-Replayed" in answer for answer in answers)


@pytest.mark.proves("M4")
def test_a_hundred_who_order_the_same_make_one_submission(
    krea: Sandbox, crowd: Crowd, ada: User
) -> None:
    answers = at_once(crowd, partial(order, ada, "a-key", prompt="a lighthouse"))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert replayed(answers) == {False: 1, True: REPEATED - 1}
    for _pass in range(2):
        sweep()
    assert VideoJob.objects.count() == Submission.objects.count() == len(krea.posts) == 1


@pytest.mark.proves("M4")
def test_a_hundred_who_submit_the_same_draft_make_one_submission(
    krea: Sandbox, crowd: Crowd, ada: User
) -> None:
    job = draft(ada)
    answers = at_once(crowd, partial(order, ada, "a-key", address(job, "submit")))

    assert {answer.status_code for answer in answers} == {202}
    assert replayed(answers) == {False: 1, True: REPEATED - 1}
    sweep()
    assert Submission.objects.count() == len(krea.posts) == 1


@pytest.mark.proves("M4")
def test_many_keys_of_many_repetitions_make_one_job_each(
    krea: Sandbox, crowd: Crowd, ada: User, settings: Settings
) -> None:
    # With a budget, whose lock all of them need as well.
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "1000"}}
    keys = [f"key-{number}" for number in range(effort.CONTESTED_KEYS)]

    def order_all() -> list[Any]:
        return [order(ada, key, prompt=key) for key in keys]

    parts = crowd.at_once(*[order_all] * SIZE)

    answers = [answer for part in parts for answer in part]
    assert {answer.status_code for answer in answers} == {202}
    assert replayed(answers) == {False: len(keys), True: (SIZE - 1) * len(keys)}
    prompts = VideoJob.objects.values_list("prompt", flat=True)
    assert sorted(prompts) == sorted(keys)
    assert Submission.objects.count() == IdempotencyKey.objects.count() == len(keys)


@pytest.mark.proves("M4")
def test_of_different_requests_with_one_key_the_first_is_done(
    krea: Sandbox, crowd: Crowd, ada: User
) -> None:
    calls = [partial(order, ada, "a-key", prompt=f"video {number}") for number in range(SIZE)]
    answers = crowd.at_once(*calls)
    assert Counter(answer.status_code for answer in answers) == {202: 1, 422: SIZE - 1}
    assert Submission.objects.count() == 1


@pytest.mark.proves("M4")
def test_while_the_first_is_still_answered_a_repetition_does_not_wait_for_ever(
    krea: Sandbox, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE_SECONDS", 0.2)
    begun, go_on = threading.Event(), threading.Event()
    submit = VideoJob.submit

    def slowly(job: VideoJob, **options: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return submit(job, **options)

    monkeypatch.setattr(VideoJob, "submit", slowly)
    answers: list[Any] = []

    def first() -> None:
        answers.append(order(ada, "a-key", prompt="x"))
        connections.close_all()

    slow = threading.Thread(target=first)
    slow.start()
    assert begun.wait(60)
    with impatience():
        refused = order(ada, "a-key", prompt="x")
    go_on.set()
    slow.join()

    assert (refused.status_code, refused["Retry-After"]) == (409, "1")
    assert refused.json()["code"] == "idempotency_key_in_use"
    again = order(ada, "a-key", prompt="x")
    assert again.content == answers[0].content
    assert Submission.objects.count() == 1
