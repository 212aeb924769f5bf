"""How our doors keep out of a host's ``ATOMIC_REQUESTS``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections, transaction

View = TypeVar("View", bound=Callable[..., Any])


def outside_atomic_requests(view: View) -> View:
    """Exempt ``view`` on every database: a state change begins with a write, and commits at once.

    A transaction around the whole request would have read before us (session, user), which
    is what SQLite answers with "database is locked".
    """
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view
