"""Krea as a few lines of Python, for tests that need thousands of exchanges.

It answers as Krea's documentation says and knows more than Krea does: which submission an
order came from. What reached it and may not be repeated is written down, and repeating it
is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from hailuo_django.krea import errors
from hailuo_django.krea.wire import JobPage, JobReport, read_job
from hailuo_django.states import ENDED

from .krea_list import HowItLists, page_of
from .world import GRACE_SECONDS, Clock

Key = tuple[UUID, int]
"""A submission: its job and its number."""

RESULTS = "https://gen.krea.ai/videos"
REPLICA_LAG = timedelta(seconds=90)
"""How long a young job may be unknown to a replica that answers GET and DELETE."""

LATE = {"late": 5, "very late": GRACE_SECONDS}
"""Seconds after which a request arrives whose sender no longer waits for the answer."""


@dataclass
class UpstreamJob:
    """One job at Krea."""

    key: Key | None
    created_at: datetime
    webhook_url: str | None = None
    id: str = field(default_factory=lambda: str(uuid4()))
    status: str = "backlogged"
    has_url: bool = True
    has_time: bool = True
    forgotten: bool = False
    lags: bool = False

    @property
    def url(self) -> str:
        """Where its video is, once it is there."""
        return f"{RESULTS}/{self.id}.mp4"

    def body(self) -> bytes:
        """The job as JSON, in answers and in webhooks alike."""
        done = self.status == "completed" and self.has_url
        return json.dumps(
            {
                "job_id": self.id,
                "status": self.status,
                "created_at": self.created_at.isoformat() if self.has_time else "yesterday",
                "result": {"urls": [self.url]} if done else None,
            }
        ).encode()


@dataclass
class Webhook:
    """One call that Krea makes, early or late, and perhaps again."""

    url: str
    body: bytes
    delivered: bool = False


class KreaModel:
    """What the lanes of a worker need of a client."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: dict[str, UpstreamJob] = {}
        """Every one there is, and those whose request is still on its way."""
        self.webhooks: list[Webhook] = []
        self.bought_or_doubtful: set[Key] = set()
        self.sender: Key | None = None
        """Whose order comes next. Krea itself is not told, the test is."""
        self.post_ends = "answered"
        self.get_ends = "answered"
        self.lists = HowItLists()
        self.garbled: Collection[str] = ()
        self.forgets_cancelled = False

    def behave(self) -> None:
        """From here on it does what its documentation says."""
        self.post_ends = self.get_ends = "answered"
        self.lists, self.garbled = HowItLists(), ()

    def generate(
        self,
        body: Mapping[str, object],
        *,
        webhook_url: str | None = None,
        before_write: Callable[[], None],
    ) -> JobReport:
        """Take an order; ``post_ends`` says how that ends for the one who sent it."""
        assert self.sender is not None
        try:
            before_write()
        except Exception as error:
            raise errors.NotSent(str(error)) from error
        if self.post_ends == "not sent":
            raise errors.NotSent("connection refused")
        assert self.sender not in self.bought_or_doubtful, "it may be paid for twice"
        self._refuse()
        self.bought_or_doubtful.add(self.sender)
        if self.post_ends == "refused":
            raise errors.Refused("no", status=400)
        if self.post_ends == "lost on the way there":
            raise errors.Ambiguous("connection reset")
        arrives_at = self.clock.true + timedelta(seconds=LATE.get(self.post_ends, 0))
        job = UpstreamJob(self.sender, arrives_at, webhook_url)
        job.lags = self.post_ends == "lagging"
        job.has_time = self.post_ends != "lost, and its time unreadable"
        self.jobs[job.id] = job
        if self.post_ends not in ("answered", "lagging"):
            raise errors.Ambiguous("timeout")
        return read_job(job.body())

    def _refuse(self) -> None:
        """Some answers say for certain that nothing was bought."""
        if self.post_ends == "rate limited":
            raise errors.RateLimited("slow down", status=429, retry_after=30)
        if self.post_ends == "no money":
            raise errors.AccountProblem("top up", status=402)

    def get(self, krea_job_id: str) -> JobReport:
        """Tell about one job."""
        if self.get_ends == "failed":
            raise errors.Temporary("bad gateway", status=502)
        if self.get_ends == "rate limited":
            raise errors.RateLimited("slow down", status=429, retry_after=30)
        return read_job(self._visible(krea_job_id).body())

    def list(self, *, cursor: str | None = None, limit: int = 100) -> JobPage:
        """Tell about every job, newest first, as ``lists`` says."""
        self.clock.pass_time(self.lists.seconds_a_page)
        shown = [
            (job.created_at, b"{}" if job.id in self.garbled else job.body())
            for job in self.jobs.values()
            if not job.forgotten
        ]
        return page_of(shown, self.lists, cursor=cursor, limit=limit, now=self.clock.true)

    def cancel(self, krea_job_id: str) -> None:
        """Stop one job, if it still runs."""
        job = self._visible(krea_job_id)
        if job.status not in ENDED:
            self.move(job, "cancelled")
            job.forgotten = self.forgets_cancelled

    def move(self, job: UpstreamJob, status: str) -> None:
        """Let Krea go on with a job, and tell whoever is to be told."""
        job.status = status
        if job.webhook_url:
            self.webhooks.append(Webhook(job.webhook_url, job.body()))

    def stranger(self, created_at: datetime) -> UpstreamJob:
        """Add a job that another program ordered with the same token."""
        job = UpstreamJob(None, created_at)
        self.jobs[job.id] = job
        return job

    def running(self) -> Sequence[UpstreamJob]:
        """Return the jobs that may still become anything."""
        return [
            job
            for job in self.jobs.values()
            if job.status not in ENDED and not job.forgotten and self._is_here(job)
        ]

    def on_the_way(self) -> set[Key]:
        """Return whose requests have not arrived yet."""
        return {job.key for job in self.jobs.values() if job.key and not self._is_here(job)}

    def of(self, key: Key) -> UpstreamJob | None:
        """Return the job that a submission bought, also while its request is on its way."""
        return next((job for job in self.jobs.values() if job.key == key), None)

    def may_bill(self, key: Key) -> bool:
        """Tell whether a submission's job is paid for, or may yet be."""
        job = self.of(key)
        return job is not None and not job.forgotten and job.status not in ("failed", "cancelled")

    def _is_here(self, job: UpstreamJob) -> bool:
        return job.created_at <= self.clock.true

    def _visible(self, krea_job_id: str) -> UpstreamJob:
        job = self.jobs.get(krea_job_id)
        if job is None or job.forgotten or not self._is_here(job):
            raise errors.NotFound("no such job", status=404)
        if job.lags and self.clock.true < job.created_at + REPLICA_LAG:
            raise errors.NotFound("no such job", status=404)
        return job
