"""The total deadline of one exchange, and whether a byte of its request was written.

``requests`` limits the wait for each read, so a server that drips bytes is never late. Here a
timer shuts the socket down instead: when connecting (TLS and proxy included) takes too long,
and when the whole exchange does. Python cannot interrupt a name lookup; after a slow one the
deadline is found to have passed, and nothing is written.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

MAX_CONNECT_SECONDS = 5.0


class Stopped(Exception):  # noqa: N818
    """The exchange may not go on: its deadline has passed, or ``before_write`` refused."""


class Exchange:
    """The deadline of one request, and how far it got.

    ``written`` turns true before the first byte of the request goes out, never earlier: while
    it is false, Krea has certainly not seen the request.
    """

    def __init__(self, seconds: float, before_write: Callable[[], None] | None = None) -> None:
        now = time.monotonic()
        self.seconds = seconds
        self.deadline = now + seconds
        self.connect_deadline = now + min(MAX_CONNECT_SECONDS, seconds)
        self.written = False
        self.expired = False
        self.refusal: Exception | None = None
        self._before_write = before_write
        self._lock = threading.Lock()
        self._guard: socket.socket | None = None
        self._timer: threading.Timer | None = None

    @property
    def late(self) -> str:
        """What to say when the time is over."""
        connecting = min(MAX_CONNECT_SECONDS, self.seconds)
        return f"No answer within {self.seconds:g} s, or no connection within {connecting:g} s."

    def start(self) -> None:
        """Begin to watch the time; ``close`` must follow."""
        self._set_timer(self.connect_deadline)

    def seconds_to_connect(self) -> float:
        """Seconds left for connecting; raises ``Stopped`` when there are none."""
        return self._left(self.connect_deadline)

    def watch(self, connection: socket.socket) -> None:
        """Shut ``connection`` down at the deadline.

        By a duplicate of its descriptor: TLS takes the original away while it shakes hands.
        """
        guard = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        with self._lock:
            self._release_guard()
            self._guard = guard
        self._left(self.deadline)

    def begin_writing(self) -> float:
        """Return the seconds left for the rest; raises ``Stopped`` where nothing may be sent."""
        self._left(self.deadline)
        self._set_timer(self.deadline)
        if self._before_write is not None:
            try:
                self._before_write()
            except Exception as refusal:  # whatever it was, it means: do not write
                self.refusal = refusal
        if self.refusal is not None:
            raise Stopped("Refused before it was written.")
        left = self._left(self.deadline)
        self.written = True
        return left

    def close(self) -> None:
        """End the watch; nothing of the exchange outlives this."""
        with self._lock:
            self._replace_timer(None)
            self._release_guard()

    def _left(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if self.expired or left <= 0:
            raise Stopped(self.late)
        return left

    def _set_timer(self, deadline: float) -> None:
        timer = threading.Timer(max(deadline - time.monotonic(), 0), self._expire)
        timer.daemon = True
        with self._lock:
            self._replace_timer(timer)
        timer.start()

    def _replace_timer(self, timer: threading.Timer | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer

    def _expire(self) -> None:
        with self._lock:
            # A timer that was replaced or cancelled at this very moment has no say any more.
            if self._timer is not threading.current_thread():
                return
            self.expired = True
            if self._guard is not None:
                with suppress(OSError):
                    self._guard.shutdown(socket.SHUT_RDWR)

    def _release_guard(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None
