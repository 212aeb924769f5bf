"""A site whose Krea is the sandbox."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from hailuo_django.sandbox import Sandbox
from tests.site import configure


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    """A sandbox whose jobs move only when told to, and a site that uses it, without webhooks."""
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox)
        yield sandbox


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What is caught and logged as an error failed all the same, except where a story is of it."""
    yield
    found = [one for one in caplog.get_records("call") if one.levelno >= logging.ERROR]
    if not request.node.get_closest_marker("logs_errors"):
        assert [one.getMessage() for one in found] == []
