"""The people of these stories."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from .people import Visitor, person


@pytest.fixture(autouse=True)
def nobody_was_counted_before() -> Iterator[None]:
    """The rates are counted in the cache, which tests share."""
    cache.clear()
    yield


@pytest.fixture
def ada(db: None) -> User:
    """A customer who may do everything with her jobs."""
    return person("ada", "add", "change", "delete", "submit", "cancel")


@pytest.fixture
def client(ada: User) -> Visitor:
    """Ada's program."""
    return Visitor(ada)
