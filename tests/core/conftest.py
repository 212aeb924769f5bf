"""A site whose Krea is the sandbox."""

from __future__ import annotations

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
