"""A running site with the sandbox behind it, and a worker that works all the while."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connections
from pytest_django.live_server_helper import LiveServer

from hailuo_django.sandbox import Sandbox
from hailuo_django.testing import sandbox
from hailuo_django.worker.sweep import sweep
from tests.api.people import person

PASSWORD = "correct horse"
BREATH_SECONDS = 0.2
"""Between two sweeps, so that the site has its turn."""


@pytest.fixture
def krea(live_server: LiveServer) -> Iterator[Sandbox]:
    """A sandbox whose videos take a moment. Nobody here asks too often."""
    rates = {"API_THROTTLE_RATES": {"read": None, "submit": None}}
    with sandbox(seconds=1, hailuo={"WEBHOOK_BASE_URL": live_server.url, **rates}) as krea:
        yield krea


@pytest.fixture
def ada(transactional_db: None) -> User:
    """A customer who may do everything with her jobs, and signs in with a password."""
    ada = person("ada", "add", "change", "delete", "submit", "cancel")
    ada.set_password(PASSWORD)
    ada.save()
    return ada


@pytest.fixture
def worker(krea: Sandbox, transactional_db: None) -> Iterator[None]:
    """A worker of this site, in a thread of its own."""
    enough = threading.Event()

    def work() -> None:
        while not enough.wait(BREATH_SECONDS):
            sweep()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    enough.set()
    thread.join()
