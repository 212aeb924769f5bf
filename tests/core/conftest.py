"""A site whose Krea is the sandbox."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from pytest_django import Settings

from hailuo_django import ledger
from hailuo_django.ledger import By
from hailuo_django.models import JobEvent, VideoJob
from hailuo_django.sandbox import Sandbox
from tests.site import configure

from .rows import look_again, made_twice, sent, told


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    """A sandbox whose jobs move only when told to, and a site that uses it, without webhooks."""
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox)
        yield sandbox


@pytest.fixture
def operator() -> By:
    """Somebody who decides about lost answers."""
    user: User = get_user_model().objects.create_user("grace")
    return By(JobEvent.Source.OPERATOR, user)


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What is caught and logged as an error failed all the same, except where a story is of it."""
    yield
    found = [one for one in caplog.get_records("call") if one.levelno >= logging.ERROR]
    if not request.node.get_closest_marker("logs_errors"):
        assert [one.getMessage() for one in found] == []


@pytest.fixture
def ended(krea: Sandbox) -> VideoJob:
    """Failed, as Krea itself said."""
    job = sent()
    krea.move(krea.jobs[0].id, "failed")
    return look_again(job)


@pytest.fixture
def held_up(krea: Sandbox) -> VideoJob:
    """Refused for want of money, as it seemed; its own webhook has named a job since."""
    krea.misbehave("payment_required", on="generate")
    job = sent()
    ledger.make_due(job.pk, 1, told(krea, made_twice(krea), "processing"))
    return job
