"""What Krea does behind its API: jobs come, move, end and are announced."""

from __future__ import annotations

import threading
from typing import Any

from . import webhooks
from .clock import Clock, Timetable
from .contract import ListQuery
from .jobs import SandboxJob
from .webhooks import Delivery, Message


class Upstream:
    """The jobs, their walk through the states over ``seconds``, and their webhooks."""

    def __init__(self, seconds: float, manual: bool) -> None:
        self.changed = threading.Condition()
        self.clock = Clock()
        self.version = 0
        self.jobs: dict[str, SandboxJob] = {}
        self.deliveries: list[Delivery] = []
        self._undelivered = 0
        self._seconds = seconds
        self._manual = manual
        self._timetable = Timetable(self.clock)

    def touch(self) -> None:
        """Tell those who wait that something changed."""
        with self.changed:
            self.version += 1
            self.changed.notify_all()

    def open(self) -> None:
        """Let time pass."""
        self._timetable.start()

    def stop(self) -> None:
        """Stop the walks, and whatever waits."""
        self.clock.stop()

    @property
    def idle(self) -> bool:
        """Whether every job ended and every webhook was tried."""
        with self.changed:
            return not self._undelivered and all(job.ended for job in self.jobs.values())

    def create(self, job: SandboxJob) -> None:
        """Accept a job. It moves when it is started."""
        with self.changed:
            self.jobs[job.id] = job
            self.touch()

    def start(self, job: SandboxJob) -> None:
        """Let the job walk through its states; by hand, it only waits."""
        if not self._manual:
            self._walk(job, job.walk[1:], self._seconds / len(job.walk[1:]))

    def _walk(self, job: SandboxJob, states: list[str], pause: float) -> None:
        def step() -> None:
            with self.changed:
                # A job that was cancelled, or ended by hand, goes no further.
                if not job.ended:
                    self.announce(job, self.enter(job, states[0]))
                    self._walk(job, states[1:], pause)

        if states:
            self._timetable.after(pause, step)

    def enter(self, job: SandboxJob, status: str, tell: bool = True) -> list[Message]:
        """Put a job in a state, and return the webhooks to be sent (none unless ``tell``)."""
        with self.changed:
            job.enter(status)
            sent = webhooks.messages(job, status) if tell else []
            self._undelivered += len(sent)
            self.touch()
            return sent

    def announce(self, job: SandboxJob, sent: list[Message]) -> None:
        """Send webhooks without waiting for them."""

        def begin() -> None:
            threading.Thread(target=self.deliver, args=(job, sent), daemon=True).start()

        if sent:
            self._timetable.after(float(job.faults.get("late_webhook") or 0), begin)

    def deliver(self, job: SandboxJob, sent: list[Message]) -> list[int | None]:
        """Send webhooks that ``enter`` returned, in their order, and return their HTTP statuses."""
        return [self._post(job, one) for one in sent]

    def _post(self, job: SandboxJob, one: Message) -> int | None:
        status = webhooks.post(job.webhook_url or "", one.body)
        with self.changed:
            self.deliveries.append(Delivery(job.id, one.status, status, one.body))
            self._undelivered -= 1
            self.touch()
        return status

    def deliver_now(self, job: SandboxJob, sent: list[Message]) -> list[int | None]:
        """Send webhooks that nothing asked for, and return their HTTP statuses."""
        with self.changed:
            self._undelivered += len(sent)
        return self.deliver(job, sent)

    def cancel(self, job: SandboxJob) -> None:
        """Cancel a job.

        Documented: possible while queued or processing. Unknown: the other states, and what it does
        to an ended job; here every running job is cancelled, an ended one stays as it is, and both
        stay readable.
        """
        with self.changed:
            if not job.ended:
                self.announce(job, self.enter(job, "cancelled"))

    def listed(self, query: ListQuery) -> tuple[list[SandboxJob], bool]:
        """Return one page of jobs, newest first, and whether older ones follow.

        Documented: strictly before the cursor, so jobs of the same instant can be skipped between
        two pages.
        """
        with self.changed:
            jobs = [job for job in reversed(self.jobs.values()) if _matches(job, query)]
        jobs.sort(key=lambda job: job.created_at, reverse=True)
        return jobs[: query.limit], len(jobs) > query.limit


def _matches(job: SandboxJob, query: ListQuery) -> bool:
    # Inferred: a list may be served from a copy that lags behind.
    lag: Any = job.faults.get("lagging_list") or 0
    return (
        (query.before is None or job.created_at < query.before)
        and (query.status is None or job.status == query.status)
        and (query.types is None or job.type in query.types)
        and (job.clock.now() - job.created_at).total_seconds() >= lag
    )
