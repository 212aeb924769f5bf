"""The sandbox as a whole: a stand-in for Krea that one starts and looks into."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from .api import Api, Post
from .contract import STATUSES
from .faults import Mischief, Value
from .jobs import SandboxJob
from .server import Server
from .upstream import Upstream
from .webhooks import Delivery, Message, message

T = TypeVar("T")


class Sandbox:
    """A real HTTP server that behaves as Krea's public contract says, in memory.

    Jobs walk to their end in ``seconds``, or stay until ``move`` (``manual=True``). ``misbehave``
    names what every job meets, such as ``["late_webhook:2"]``. Raises ValueError for names that do
    not exist and OSError when the address cannot be had. It starts serving at once; ``stop`` or
    the end of its ``with`` block ends that.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = "sandbox-token",  # noqa: S107
        seconds: float = 3.0,
        misbehave: Iterable[str] = (),
        manual: bool = False,
    ) -> None:
        if not seconds >= 0:
            raise ValueError("seconds must not be negative.")
        self._mischief = Mischief(misbehave)
        self._upstream = Upstream(seconds, manual)
        self._api = Api(self._upstream, self._mischief, token)
        self._server = Server((host, port), self._api)
        self.token = token
        self.url = f"http://{host}:{self._server.server_port}"
        self._api.base_url = self.url
        self._upstream.open()
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop serving and close every connection."""
        self._server.stop()
        self._upstream.stop()
        self._thread.join()

    @property
    def now(self) -> datetime:
        """The time by Krea's clock."""
        return self._upstream.clock.now()

    def advance(self, seconds: float) -> None:
        """Put Krea's clock forward: what is to happen or to be seen by then is at once.

        Raises ValueError when ``seconds`` are negative.
        """
        self._upstream.clock.advance(seconds)
        self._upstream.touch()

    def pass_time(self, seconds: float) -> None:
        """Let ``seconds`` have passed everywhere: what Krea made is so much older.

        Where ``advance`` makes its clock differ from this machine's, both go on agreeing here.
        """
        with self._upstream.changed:
            for job in self._upstream.jobs.values():
                job.grow_older(seconds)
        self._upstream.clock.pass_time(seconds)
        self._upstream.touch()

    @property
    def jobs(self) -> list[SandboxJob]:
        """The jobs so far, oldest first. The list is a snapshot; the jobs in it go on living."""
        with self._upstream.changed:
            return list(self._upstream.jobs.values())

    @property
    def paid(self) -> list[SandboxJob]:
        """The jobs that cost money: the completed ones."""
        return [job for job in self.jobs if job.billed]

    @property
    def posts(self) -> list[Post]:
        """The requests for a video that arrived, also those refused or lost."""
        return [one for one in list(self._api.exchanges) if isinstance(one, Post)]

    @property
    def requests(self) -> list[tuple[str, str, int | None]]:
        """Every request to the API: method, path without query, and the status answered or None."""
        return [(one.method, one.path, one.status) for one in list(self._api.exchanges)]

    @property
    def deliveries(self) -> list[Delivery]:
        """The webhooks tried so far, in the order in which they ended."""
        with self._upstream.changed:
            return list(self._upstream.deliveries)

    def misbehave(
        self, name: str, times: int | None = 1, on: str | None = None, **options: Value
    ) -> None:
        """Let the next ``times`` requests (None: all) meet misbehaviour ``name``.

        ``on`` narrows it to ``generate``, ``get``, ``list`` or ``cancel``. Several wait for one
        another. Raises ValueError for unknown names and options.
        """
        with self._upstream.changed:
            self._mischief.arm(name, times, on, options)

    def behave(self) -> None:
        """End what ``misbehave`` began."""
        with self._upstream.changed:
            self._mischief.disarm()

    def move(self, job_id: str, status: str, deliver: bool = True) -> list[int | None]:
        """Put a job in a state by hand, send its webhooks, and return their HTTP statuses."""
        job = self._job(job_id)
        if status not in STATUSES:
            raise ValueError(f"No such state: {status!r}")
        with self._upstream.changed:
            sent = self._upstream.enter(job, status, deliver)
        return self._upstream.deliver(job, sent)

    def deliver(
        self,
        job_id: str,
        status: str | None = None,
        body: dict[str, Any] | str | bytes | None = None,
        times: int = 1,
    ) -> list[int | None]:
        """Send a webhook now: the job as it is, or as it would be in ``status``, or ``body``.

        Returns the HTTP statuses. Raises ValueError when the job has no webhook URL.
        """
        job = self._job(job_id)
        if job.webhook_url is None:
            raise ValueError("This job was submitted without a webhook URL.")
        one = message(job, status or job.status)
        if body is not None:
            text = json.dumps(body) if isinstance(body, dict) else body
            one = Message(one.status, text.encode() if isinstance(text, str) else text)
        return self._upstream.deliver_now(job, [one] * times)

    def wait(self, condition: Callable[[], T], timeout: float = 10) -> T:
        """Return what ``condition`` gives once it is true, or raise TimeoutError.

        It is asked again at every change here, and every tenth of a second for what changes
        elsewhere.
        """
        changed, end = self._upstream.changed, time.monotonic() + timeout
        while True:
            version = self._upstream.version
            if found := condition():
                return found
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"Not so within {timeout} s; {self._summary()}")
            with changed:
                if self._upstream.version == version:
                    changed.wait(min(left, 0.1))

    def wait_idle(self, timeout: float = 10) -> None:
        """Wait until every job ended and every webhook was tried."""
        self.wait(lambda: self._upstream.idle, timeout)

    def _summary(self) -> str:
        states = [job.status for job in self.jobs]
        return f"jobs: {states}, requests: {self.requests[-10:]}, webhooks: {len(self.deliveries)}"

    def _job(self, job_id: str) -> SandboxJob:
        job = self._upstream.jobs.get(str(job_id))
        if job is None:
            raise ValueError(f"No such job: {job_id}")
        return job
