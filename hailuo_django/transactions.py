"""How we keep out of a host's transactions: our commits are what money is spent by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections, transaction
from django.db.transaction import TransactionManagementError

View = TypeVar("View", bound=Callable[..., Any])


def outside_atomic_requests(view: View) -> View:
    """Exempt ``view`` on every database: a state change begins with a write, and commits at once.

    A transaction around the whole request would have read before us (session, user), which
    is what SQLite answers with "database is locked".
    """
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


def ensure_commits(using: str) -> None:
    """Make sure that what is written from here on is committed when our own transaction ends.

    Raises TransactionManagementError within a transaction of somebody else's, and where the
    database is opened without ``AUTOCOMMIT``: what is undone after a POST is sent, and paid for,
    once more. A transaction of Django's ``TestCase`` counts as none, as for ``durable``.
    """
    connection = connections[using]
    if not connection.in_atomic_block:
        if not connection.get_autocommit():
            raise TransactionManagementError(
                f'The database "{using}" does not commit by itself: AUTOCOMMIT is off.'
                " A worker has to know that what it wrote is kept."
            )
        return
    try:
        with transaction.atomic(using=using, durable=True):
            pass
    except RuntimeError as error:
        raise TransactionManagementError(
            "A worker cannot run within a transaction: if that is undone, what was sent is sent,"
            " and paid for, again. Call it outside of atomic() and ATOMIC_REQUESTS."
        ) from error
