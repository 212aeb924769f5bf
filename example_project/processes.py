"""Processes that the demo starts, and how it is rid of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.utils.translation import gettext as _

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
STOP_SECONDS = 10
TICK_SECONDS = 0.05


class Interrupted(Exception):
    """Somebody asked the demo to stop: ``number`` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Died(Exception):
    """A service ended by itself."""

    def __init__(self, child: Child) -> None:
        super().__init__(child.name)
        self.child = child


@dataclass(frozen=True)
class Child:
    """One process: its name on the screen, and the file that it writes to, if any."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None

    def obituary(self) -> str:
        """Return that it ended, and its last words."""
        message = _("“%(name)s” ended by itself (%(code)s). Its last words:")
        words = self.log.read_text(errors="replace").splitlines()[-20:] if self.log else []
        values = {"name": self.name, "code": self.process.returncode}
        return "\n".join([message % values, *words])


class Signals:
    """Remembers the signals that ask for an end, instead of acting wherever they meet us.

    Explicitly also SIGINT: a shell starts what it puts into the background with SIGINT
    ignored, and Python leaves it at that. SIGHUP is left ignored where it is (nohup).
    """

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._watch_terminal = False

    def first(self) -> int:
        """Return the first signal so far, or 0."""
        # make leads the session of a bare terminal (ssh -t host make demo) and keeps the
        # SIGHUP to itself.
        if self._watch_terminal and not os.isatty(0):
            self.seen.append(signal.SIGHUP)
        return self.seen[0] if self.seen else 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Remember signals within this block."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
            self._watch_terminal = os.isatty(0)
        before = {number: signal.signal(number, self._remember) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.seen.append(number)


class Processes:
    """The demo's children. Each leads a session of its own: Ctrl-C reaches the demo alone."""

    def __init__(self, environment: Mapping[str, str], directory: Path, signals: Signals) -> None:
        self._environment = {**os.environ, **environment}
        self._directory = directory
        self._signals = signals
        self._services: list[Child] = []

    def run(self, *arguments: str, log: str = "", **more: str) -> Child:
        """Run a management command to its end and return what is left of it.

        It writes to this process's screen, or to the file ``log``. ``more`` is added to its
        environment. Raises Interrupted, and Died when a service ended meanwhile.
        """
        child = self._start(arguments[0], arguments, log, more)
        self.wait_until(lambda: child.process.poll() is not None)
        self._services.remove(child)
        return child

    def serve(self, name: str, *arguments: str, pass_fds: Collection[int] = ()) -> None:
        """Start a management command that goes on until ``stop``; it writes to a file."""
        self._start(name, arguments, name, {}, pass_fds)

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Wait for ``done``. Raises Interrupted on a signal, Died when a service ended."""
        while True:
            if number := self._signals.first():
                raise Interrupted(number)
            if done():
                return
            for child in self._services:
                if child.process.poll() is not None:
                    raise Died(child)
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """End all of them: asked first, killed when they take too long or at a second Ctrl-C."""
        # Asking is for the leader alone: a cluster whose workers are asked as well waits for
        # them for ever. django-q2's own stop may hang, too, hence the limit.
        for child in self._services:
            child.process.terminate()
        asked, deadline = len(self._signals.seen), time.monotonic() + STOP_SECONDS
        for child in self._services:
            while child.process.poll() is None:
                if time.monotonic() > deadline or len(self._signals.seen) > asked:
                    break
                time.sleep(TICK_SECONDS)
            kill_session(child.process)
        self._services.clear()

    def _start(
        self,
        name: str,
        arguments: Collection[str],
        log: str,
        more: Mapping[str, str],
        pass_fds: Collection[int] = (),
    ) -> Child:
        path = self._directory / f"{log}.log" if log else None
        with open(path or os.devnull, "ab") as file:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, str(MANAGE), *arguments],
                env={**self._environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=file if path else None,
                stderr=file if path else None,
                start_new_session=True,
                pass_fds=tuple(pass_fds),
            )
        child = Child(name, process, path)
        self._services.append(child)
        return child


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and whatever children it left behind, and see them gone."""
    deadline = time.monotonic() + 1
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # Children of its own are init's by now, which alone can bury them.
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(TICK_SECONDS)
