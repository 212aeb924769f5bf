"""The sandbox's ledger and the site's tables, compared row by row."""

from __future__ import annotations

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import cached_property

from hailuo_django.conf import conf
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Delivery, Sandbox, SandboxJob
from hailuo_django.states import ENDED, Action, Status
from hailuo_django.tokens import Addressee, read_token

from .orders import leaves_doubt

NOTHING_BOUGHT = frozenset({400, 401, 402, 403, 404, 410, 422, 429})
"""After any other answer to a POST, or none, the site must not send it again."""


def addressee(webhook_url: str | None) -> Addressee:
    """Return the submission that a request to Krea was made for: its token names it."""
    assert webhook_url, "this site never sends without a webhook"
    return read_token(webhook_url.rstrip("/").rpartition("/")[2])


class Reckoning:
    """One comparison, with the site at rest. ``forced`` are the jobs resubmitted at a risk."""

    def __init__(self, krea: Sandbox, forced: Collection[uuid.UUID] = ()) -> None:
        self.posts, self.upstream = krea.posts, {job.id: job for job in krea.jobs}
        self.deliveries = krea.deliveries
        self.forced = forced
        self.jobs = {job.pk: job for job in VideoJob.objects.all()}
        self.rows = {Addressee(row.job_id, row.number): row for row in Submission.objects.all()}

    @cached_property
    def bought(self) -> dict[Addressee, list[SandboxJob]]:
        """The upstream jobs of each submission."""
        found = defaultdict(list)
        for job in self.upstream.values():
            found[addressee(job.webhook_url)].append(job)
        return found

    @cached_property
    def told(self) -> set[str]:
        """The upstream jobs of which a webhook told the site, and the site took it."""
        return {one.job_id for one in self.deliveries if _tells(one)}

    @cached_property
    def doubted(self) -> set[Addressee]:
        """The submissions whose outcome was hidden from the site.

        By a fault, or because no answer came in time: its sender was killed, or the machine
        was slow.
        """
        keys = {row.pk: key for key, row in self.rows.items()}
        claimed: dict[int, datetime] = {}
        late = set[Addressee]()
        told = JobEvent.objects.filter(action__in=[Action.CLAIM, Action.LOSE]).order_by("pk")
        patience = timedelta(seconds=conf.KREA_TIMEOUT_SECONDS)
        for pk, action, at in told.values_list("submission", "action", "created_at"):
            if action == Action.CLAIM:
                claimed[pk] = at
            elif at - claimed[pk] >= patience:
                late.add(keys[pk])
        hidden = {addressee(post.headers["x-webhook-url"]) for post in self.posts}
        return late | {key for key in hidden if leaves_doubt(self.jobs[key.job_id].prompt)}

    @cached_property
    def untold(self) -> set[Addressee]:
        """The doubted ones of which no webhook told: the site may remain in doubt about them."""
        known = {addressee(self.upstream[job_id].webhook_url) for job_id in self.told}
        return self.doubted - known

    @cached_property
    def paid_twice(self) -> list[str]:
        """Submissions with two upstream jobs or doubtful POSTs, and jobs with two videos."""
        twins = [
            f"{key} has {len(jobs)} upstream jobs"
            for key, jobs in self.bought.items()
            if len(jobs) > 1
        ]
        doubtful = Counter(
            addressee(post.headers["x-webhook-url"])
            for post in self.posts
            if post.status not in NOTHING_BOUGHT
        )
        again = [f"{key} was POSTed again after doubt" for key, n in doubtful.items() if n > 1]
        videos = Counter(
            key.job_id for key, jobs in self.bought.items() for job in jobs if job.billed
        )
        twice = [
            f"job {job_id} has {n} paid videos and nobody forced that"
            for job_id, n in videos.items()
            if n > 1 and job_id not in self.forced
        ]
        return twins + again + twice

    @cached_property
    def without_row(self) -> list[str]:
        """Paid videos that are not where they belong, though the site could know of them."""
        return [
            f"the video {job.id} of {key} is not on {_show(self.rows.get(key))}"
            for key, jobs in self.bought.items()
            for job in jobs
            if job.billed and not self._has(key, job) and not self._may_be_in_doubt(key)
        ]

    def _has(self, key: Addressee, job: SandboxJob) -> bool:
        row = self.rows.get(key)
        if row is None or row.krea_job_id is None:
            return False
        # In the end its webhook counts, which gave it an id that Krea does not know.
        renamed = "webhook_other_job" in job.faults and row.krea_job_id not in self.upstream
        return (
            (row.krea_job_id == job.id or renamed)
            and row.status == Status.COMPLETED
            and job.id in row.result_url
        )

    def _may_be_in_doubt(self, key: Addressee) -> bool:
        row = self.rows.get(key)
        return row is not None and row.status == Status.UNCONFIRMED and key in self.untold

    @cached_property
    def unfinished(self) -> list[str]:
        """Submissions without an end that were not left in doubt."""
        return [
            f"{key} is not finished: {_show(row)}"
            for key, row in self.rows.items()
            if row.status not in ENDED and not self._may_be_in_doubt(key)
        ]

    @cached_property
    def wrong(self) -> list[str]:
        """Everything else in which the tables contradict Krea or themselves."""
        return [*self._wrong_rows(), *self._wrong_jobs(), *self._wrong_answers()]

    def _wrong_rows(self) -> Iterator[str]:
        for key, row in self.rows.items():
            job = self.upstream.get(row.krea_job_id or "")
            if row.krea_job_id is None:
                if row.status in ENDED and key in self.bought:
                    yield f"{key} ended and Krea has a job for it: {_show(row)}"
            elif job is None and any(self._has(key, bought) for bought in self.bought[key]):
                continue
            elif job is None or addressee(job.webhook_url) != key:
                yield f"{key} has a Krea job that is not its own: {_show(row)}"
            elif job.status != row.status:
                yield f"{key} is {job.status} upstream: {_show(row)}"

    def _wrong_jobs(self) -> Iterator[str]:
        newest: dict[uuid.UUID, str] = {}
        for key, row in sorted(self.rows.items(), key=lambda item: item[0].number):
            if newest.get(key.job_id) != Status.COMPLETED:
                newest[key.job_id] = row.status
        for job_id, job in self.jobs.items():
            if job.status != newest.get(job_id):
                yield f"job {job_id} is {job.status}, and not {newest.get(job_id)}"

    def _wrong_answers(self) -> Iterator[str]:
        for one in self.deliveries:
            if one.http_status is not None and 400 <= one.http_status < 500:
                yield f"a webhook of {one.job_id} was answered {one.http_status}"

    @property
    def offences(self) -> list[str]:
        """Everything that may not be; empty when the promise was kept."""
        return self.paid_twice + self.without_row + self.unfinished + self.wrong

    @property
    def figures(self) -> dict[str, int]:
        """What came of it, in figures."""
        answered = [one for one in self.deliveries if one.http_status in (200, 202)]
        statuses = Counter(row.status for row in self.rows.values())
        return {
            "jobs": len(self.jobs),
            "submissions": len(self.rows),
            "POSTs": len(self.posts),
            "upstream jobs": len(self.upstream),
            "paid twice": len(self.paid_twice),
            "upstream videos without their row": len(self.without_row),
            "webhooks lost": len(self.deliveries) - len(answered),
            "webhooks repeated": len(answered) - len({one.job_id for one in answered}),
            "unconfirmed": statuses[Status.UNCONFIRMED],
            "lost answers without webhook": len(self.untold),
        }


def _tells(one: Delivery) -> bool:
    taken = one.http_status in (200, 202) and len(one.body) <= conf.WEBHOOK_MAX_BODY_BYTES
    try:
        return taken and json.loads(one.body)["job_id"] == one.job_id
    except ValueError:
        return False


def _show(row: Submission | None) -> str:
    if row is None:
        return "any row"
    words = {
        "status": row.status,
        "krea_job_id": row.krea_job_id,
        "candidate_id": row.candidate_id,
        "due_at": row.due_at,
        "note": row.note,
        "prompt": row.body.get("prompt"),
    }
    return ", ".join(f"{name} {value}" for name, value in words.items() if value)
