"""The people of these stories, and their browsers."""

from __future__ import annotations

import socket
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User

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
