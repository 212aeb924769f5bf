"""Whenever the process that answers is killed, who repeats the request buys one video."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.models import IdempotencyKey, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.api.people import Visitor, person
from tests.site import configure

from .mortal import KILLED, MORTAL, MortalWorkers

pytestmark = MORTAL

TIMES = effort.KILLS_AT_A_POINT


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox, API_THROTTLE_RATES={"submit": None})
        yield sandbox


@pytest.fixture
def ada(krea: Sandbox) -> User:
    return person("ada", "add", "submit")


def repeat(user: User, key: str) -> Any:
    client = Visitor()
    client.force_authenticate(user)
    path, body = reverse("hailuo_django_api:job-list"), {"prompt": key}
    return client.post(path, body, headers={"Idempotency-Key": key})


@pytest.mark.proves("M4")
@pytest.mark.parametrize(
    ("point", "done"),
    [
        ("key written", False),
        ("submission written", False),
        ("before its commit", False),
        ("after its commit", True),
    ],
)
def test_an_answer_killed_at_a_named_point(
    krea: Sandbox, processes: MortalWorkers, ada: User, point: str, done: bool
) -> None:
    keys = [f"key-{number}" for number in range(TIMES)]
    assert [processes.post(ada.pk, key, point) for key in keys] == [KILLED] * TIMES
    rows = (VideoJob, Submission, IdempotencyKey)
    assert [model._default_manager.count() for model in rows] == [TIMES * done] * 3

    answers = [repeat(ada, key) for key in keys]

    assert {answer.status_code for answer in answers} == {202}
    assert {"Idempotent-Replayed" in answer for answer in answers} == {done}
    sweep()
    posts = Counter(post.body["prompt"] for post in krea.posts)
    assert posts == Counter(keys)


@pytest.mark.proves("M4")
def test_answers_killed_at_any_time(krea: Sandbox, processes: MortalWorkers, ada: User) -> None:
    dice = random.Random(4)  # noqa: S311 - the same times in every run, as far as time allows
    keys = [f"key-{number}" for number in range(effort.KILLS_AT_RANDOM)]
    ends = {processes.post(ada.pk, key, f"{dice.uniform(0, 120):.1f}") for key in keys}
    assert ends <= {KILLED, 0}

    for key in keys:
        assert repeat(ada, key).status_code == 202
        assert repeat(ada, key)["Idempotent-Replayed"] == "true"
    assert Submission.objects.count() == VideoJob.objects.count() == len(keys)
