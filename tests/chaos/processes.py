"""The processes of the site, each of which may be killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[2]


class Victim(Protocol):
    """What can be killed, and goes on."""

    strikes: int

    def strike(self) -> None:
        """Kill it without warning, and start it again."""

    def tend(self) -> None:
        """See to it that it runs."""


class Service:
    """A process and its family. It leads a session of its own, so that all die at once."""

    def __init__(self, name: str, *arguments: str, logs: Path, listener: int | None = None) -> None:
        self.command = [sys.executable, *arguments]
        self.log = logs / f"{name}.log"
        self.descriptors = [] if listener is None else [listener]
        self.strikes = 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.descriptors,
            )

    def strike(self) -> None:
        """Kill the family and start another."""
        self.kill()
        self.strikes += 1
        self.process = self._start()

    def tend(self) -> None:
        """Start it again if it ended by itself, as a supervisor does.

        A cluster does so when it starts while there is no database.
        """
        if self.process.poll() is not None:
            self.kill()
            self.process = self._start()

    def kill(self) -> None:
        """Kill the family."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Database:
    """The database server: it crashes, comes back, and has forgotten no commit."""

    def __init__(self, crash: Callable[[], None]) -> None:
        self.crash = crash
        self.strikes = 0

    def strike(self) -> None:
        """Stop it as a crash does, and start it again."""
        self.crash()
        self.strikes += 1

    def tend(self) -> None:
        """It runs: ``strike`` waits for that."""


@contextmanager
def site(listener: int, logs: Path) -> Iterator[list[Victim]]:
    """Start the web process, two clusters and two sweeping loops; kill them in the end."""
    services: list[Service] = []
    try:
        web = ("-m", "tests.chaos.web", str(listener))
        services.append(Service("web", *web, logs=logs, listener=listener))
        loop = ("hailuo_sweep", "--loop", "1", "--verbosity", "0")
        for n in ("1", "2"):
            services.append(Service(f"cluster-{n}", "-m", "django", "qcluster", logs=logs))
            services.append(Service(f"sweep-{n}", "-m", "django", *loop, logs=logs))
        yield [*services]
    finally:
        for service in services:
            service.kill()
