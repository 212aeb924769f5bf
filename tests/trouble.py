"""A database that fails at a chosen statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connections

from hailuo_django.models import VideoJob

FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
"""What begins and ends transactions."""


def down(*args: Any, **kwargs: Any) -> None:
    raise OperationalError("the database is away")


@contextmanager
def failing_at(statement: int) -> Iterator[list[str]]:
    """Let one statement fail, the ``statement``-th from here on, BEGIN included."""
    executed: list[str] = []

    def execute_or_fail(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        executed.append(sql)
        if len(executed) == statement:
            down()
        return execute(sql, *args)

    with connections[VideoJob.database()].execute_wrapper(execute_or_fail):
        yield executed
