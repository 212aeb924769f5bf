"""The people of these stories."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from .people import Visitor, person


@pytest.fixture
def ada(db: None) -> User:
    """A customer who may create, submit and cancel."""
    return person("ada", "add", "submit", "cancel")


@pytest.fixture
def client(ada: User) -> Visitor:
    """Ada's program."""
    return Visitor(ada)
