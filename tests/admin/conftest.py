"""The people of these stories, and their browsers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.db import connections

from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.testing import make_submitted_job, sandbox
from hailuo_django.worker.sweep import sweep

from .pages import Browser, person

EVERY_RIGHT = ("view", "add", "change", "delete", "submit", "cancel")


@pytest.fixture
def grace(db: None) -> User:
    """An operator who may do everything with video jobs."""
    return person("grace", *EVERY_RIGHT)


@pytest.fixture
def browser(grace: User) -> Browser:
    """Grace's browser."""
    return Browser(grace)


@pytest.fixture
def no_network(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be connected to any more, but for the database that is open already."""

    def refuse(*args: Any) -> NoReturn:
        raise AssertionError(f"a page wanted to connect to {args[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture
def depths(transactional_db: None) -> Iterator[list[int]]:
    """For each submission that is written, how many transactions it is written in."""
    found: list[int] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('INSERT INTO "hailuo_django_submission"'):
            found.append(len(context["connection"].atomic_blocks))
        return execute(sql, params, many, context)

    with connections[VideoJob.database()].execute_wrapper(watch):
        yield found


@pytest.fixture
def krea(db: None) -> Iterator[Sandbox]:
    """A sandbox whose jobs move only when told to; lost answers are looked for at once."""
    with sandbox(manual=True, hailuo={"UNCONFIRMED_GRACE_SECONDS": 0}) as krea:
        yield krea


@pytest.fixture
def lost(krea: Sandbox, grace: User) -> VideoJob:
    """Grace's job that Krea took, and whose answer was lost."""
    krea.misbehave("lost_answer", on="generate")
    job = make_submitted_job(owner=grace)
    sweep()
    return VideoJob.objects.get(pk=job.pk)


@pytest.fixture
def judge(db: None) -> User:
    """Somebody who may decide about lost answers, also to pay once more."""
    return person("judy", "view", "submit", "reconcile")
