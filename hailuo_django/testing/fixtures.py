"""Fixtures for pytest: ``pytest_plugins = ["hailuo_django.testing.fixtures"]``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hailuo_django.sandbox import Sandbox

from .site import sandbox


@pytest.fixture
def hailuo_sandbox() -> Iterator[Sandbox]:
    """A Krea on this machine whose videos are ready at once, and the site pointed at it."""
    with sandbox() as krea:
        yield krea
