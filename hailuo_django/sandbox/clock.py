"""Krea's clock, and what happens at its time."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count


class Clock:
    """Runs as this machine's does, and can be put forward. ``changed`` tells when it was."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.stopped = False
        self._ahead = 0.0
        self._passed = 0.0

    def now(self) -> datetime:
        """Return the time as job objects have it, in whole milliseconds (our choice)."""
        moment = datetime.now(UTC) + timedelta(seconds=self._ahead)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def seconds(self) -> float:
        """Return a number of seconds that only grows."""
        return time.monotonic() + self._ahead + self._passed

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` have passed. Raises ValueError when they are negative."""
        if not seconds >= 0:
            raise ValueError("Time does not run backwards.")
        with self.changed:
            self._ahead += seconds
            self.changed.notify_all()

    def pass_time(self, seconds: float) -> None:
        """End the waits that end within ``seconds``; the time of day stays this machine's."""
        with self.changed:
            self._passed += seconds
            self.changed.notify_all()

    def sleep(self, seconds: float) -> bool:
        """Wait; return False as soon as the clock is stopped."""
        end = self.seconds() + seconds
        with self.changed:
            while not self.stopped and (left := end - self.seconds()) > 0:
                self.changed.wait(left)
            return not self.stopped

    def stop(self) -> None:
        """End every wait."""
        with self.changed:
            self.stopped = True
            self.changed.notify_all()


class Timetable:
    """One thread that does things at their time, until the clock is stopped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def start(self) -> None:
        """Begin, with what is due by then."""
        threading.Thread(target=self._run, name="sandbox-timetable", daemon=True).start()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something in ``seconds``."""
        with self._clock.changed:
            heapq.heappush(self._due, (self._clock.seconds() + seconds, next(self._order), do))
            self._clock.changed.notify_all()

    def _run(self) -> None:
        while (do := self._next()) is not None:
            do()

    def _next(self) -> Callable[[], None] | None:
        with self._clock.changed:
            while not self._clock.stopped:
                wait = self._due[0][0] - self._clock.seconds() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._clock.changed.wait(wait)
            return None
