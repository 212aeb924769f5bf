"""Workers that a test has killed; see ``mortal_worker.py`` for the points where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import pytest
from django.conf import settings

from hailuo_django.models import VideoJob

from .start import start

KILLED = -signal.SIGKILL
MORTAL = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]
"""The marks of stories in which processes are killed."""


class MortalWorkers:
    """A process that makes workers, each for one piece of work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._orders, self._ends = cast(IO[str], process.stdin), cast(IO[str], process.stdout)

    def work(self, job: VideoJob, point: str, verb: str = "") -> int:
        """Have a new one do the job's work, or a verb of it, and be killed at a point.

        Returns how it ended: a signal as a negative number.
        """
        return self._order(job=str(job.pk), point=point, verb=verb)

    def sweep(self, point: str) -> int:
        """Have a new one do all that is due, and be killed at a point; return how it ended."""
        return self._order(job=None, point=point)

    def post(self, user_id: int, key: str, point: str) -> int:
        """Have a new one answer a request of the API with this key, and be killed at a point."""
        return self._order(job=None, user=user_id, key=key, point=point)

    def _order(self, **order: Any) -> int:
        self._orders.write(json.dumps({**order, "site": settings.HAILUO}) + "\n")
        self._orders.flush()
        return int(self._ends.readline())


@contextmanager
def mortal_workers() -> Iterator[MortalWorkers]:
    """Start the process; it has no database of its own."""
    command = ("-m", "tests.processes.mortal_worker")
    with start(*command, site={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield MortalWorkers(process)
        cast(IO[str], process.stdin).close()
    assert process.returncode == 0
