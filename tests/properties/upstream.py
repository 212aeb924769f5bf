"""The rules by which Krea goes on, and calls are made to the site's webhook addresses.

Krea's words in a webhook are believed where the site asks for no confirmation, so the lies
told here name jobs that are not the submission's own, or words that mean nothing; about its
own job a webhook lies only where the site confirms.
"""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlsplit

from django.urls import reverse
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hailuo_django.models import Submission
from hailuo_django.states import UPSTREAM
from hailuo_django.tokens import Addressee, make_token

from .krea_model import Webhook
from .site import Site, key, one, which
from .world import BEGINNING

MAX_JOBS_OF_OTHERS = 3
ODDITIES = ["daydreaming", "bare", "forgotten"]
LIES = ["nothing", "no job", "another's job", "an old job", "its own job"]


class Upstream(Site):
    """Krea, the other programs that use our token, and whoever knows a webhook address."""

    @precondition(lambda self: self.krea.running())
    @rule(job=which, becomes=st.sampled_from([*sorted(UPSTREAM), *ODDITIES]))
    def krea_goes_on(self, job: int, becomes: str) -> None:
        """Also: a word that nobody knows, no address yet, no memory of the job."""
        moved = one(self.krea.running(), job)
        moved.forgotten = becomes == "forgotten"
        moved.has_url = becomes != "bare"
        if not moved.forgotten:
            self.krea.move(moved, "completed" if becomes == "bare" else becomes)

    @precondition(lambda self: not all(job.has_url for job in self.krea.jobs.values()))
    @rule()
    def krea_finds_the_addresses(self) -> None:
        for job in self.krea.jobs.values():
            job.has_url = True

    @precondition(lambda self: not self.adopts)
    @rule(has_time=st.booleans())
    def another_program_orders(self, has_time: bool) -> None:
        """Which there is not, where the site adopts strangers."""
        others = [job for job in self.krea.jobs.values() if job.key is None]
        if len(others) < MAX_JOBS_OF_OTHERS:
            self.krea.stranger(self.clock.true).has_time = has_time

    @precondition(lambda self: self.krea.webhooks)
    @rule(call=which)
    def krea_calls(self, call: int) -> None:
        """Any call: early, late, again, in any order."""
        self.deliver(one(self.krea.webhooks, call))

    @precondition(lambda self: self.rows)
    @rule(submission=which, names=st.sampled_from(LIES), status=st.sampled_from(sorted(UPSTREAM)))
    def somebody_lies(self, submission: int, names: str, status: str) -> None:
        self.lie(one(self.rows, submission), names, status)

    def lie(self, row: Submission, names: str, status: str) -> None:
        others = Submission.objects.exclude(pk=row.pk).exclude(krea_job_id=None)
        bought = self.krea.of(key(row)) if self.confirms else None
        named = {
            "nothing": "",
            "no job": "no-such-job",
            "another's job": str(others.values_list("krea_job_id", flat=True).first()),
            "an old job": self.krea.stranger(BEGINNING - timedelta(days=1)).id,
            "its own job": bought.id if bought else "no-such-job",
        }[names]
        if row.candidate_id and named not in ("", row.candidate_id):
            self.displaced.add(key(row))
        body = json.dumps({"job_id": named, "status": status}).encode()
        token = make_token(Addressee(row.job_id, row.number))
        self.deliver(Webhook(reverse("hailuo_django:webhook", args=[token]), body))

    def deliver(self, call: Webhook) -> None:
        harmed = self.faults.error is not None
        if answer := self.attempt(
            lambda: self.browser.post(
                urlsplit(call.url).path, call.body, content_type="application/json"
            )
        ):
            call.delivered = answer.status_code in (200, 202)
            assert call.delivered or (harmed and answer.status_code == 503)
