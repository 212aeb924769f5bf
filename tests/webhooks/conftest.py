"""A site that takes webhooks, and jobs that Krea knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django.sandbox import Sandbox
from tests.site import configure

from .rows import SITE


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    """A sandbox whose jobs move only when told to, and whose webhooks the tests post."""
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox, WEBHOOK_BASE_URL=SITE)
        yield sandbox


@pytest.fixture
def live_krea(settings: Settings, live_server: LiveServer) -> Iterator[Sandbox]:
    """A sandbox that calls the site over HTTP."""
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox, WEBHOOK_BASE_URL=live_server.url)
        yield sandbox


@pytest.fixture
def client() -> Client:
    """A sender as Krea is: no session, no CSRF token."""
    return Client(enforce_csrf_checks=True)
