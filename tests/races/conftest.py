"""A site whose Krea is the sandbox, a crowd, and what was announced."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from hailuo_django import signals
from hailuo_django.models import JobEvent
from hailuo_django.sandbox import Sandbox
from tests.site import configure
from tests.webhooks.rows import SITE

from .crowd import Crowd, Troubles


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox, WEBHOOK_BASE_URL=SITE, UNCONFIRMED_GRACE_SECONDS=0)
        yield sandbox


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """Threads to be let loose. In the end none of them may have met any trouble."""
    troubles, log = Troubles(), logging.getLogger("hailuo_django")
    log.addHandler(troubles)
    yield Crowd(troubles)
    log.removeHandler(troubles)
    assert troubles.seen == []


@pytest.fixture
def announced() -> Iterator[list[JobEvent]]:
    """The events whose signals were sent, in that order."""
    heard: list[JobEvent] = []

    def hear(event: JobEvent, **_more: Any) -> None:
        heard.append(event)

    for signal in signals.BY_NAME.values():
        signal.connect(hear)
    yield heard
    for signal in signals.BY_NAME.values():
        signal.disconnect(hear)
