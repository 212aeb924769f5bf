"""The rules by which people want something, and decide about lost answers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hailuo_django import ledger, pacing
from hailuo_django.ledger import By
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.states import LIVE, RESUBMITTABLE, Status

from .site import Site, key, one, which

MAX_JOBS = 6
MAX_SUBMISSIONS = 4
SECONDS_OF_VIDEO = [6, 10, 6]
A_QUARTER = timedelta(minutes=15)
"""For how long Krea may not find a job before that counts."""
OPERATOR = By("operator")
UNDECIDED = {"unconfirmed", "failed", "cancelled"}

WISHES = ["a video", "a look", "to cancel", "another", "another at any price"]
NAMES = ["its own job", "its own job", "a known job", "no job", "a foreign job"]


class People(Site):
    """Customers and staff. Where strangers are adopted, staff know what they say."""

    def submit(self) -> None:
        if len(self.jobs) < MAX_JOBS:
            duration = one(SECONDS_OF_VIDEO, len(self.jobs))
            self.attempt(VideoJob(prompt="a lighthouse", duration=duration).submit)

    @rule(wish=st.sampled_from(WISHES), job=which)
    def somebody_wants(self, wish: str, job: int) -> None:
        wanted = one(self.jobs, job) if self.jobs else None
        if wish == "a video" or wanted is None:
            self.submit()
        elif wish == "a look":
            self.attempt(wanted.sync)
        elif wish == "to cancel":
            self.unwanted |= {key(row) for row in self.rows if row.job_id == wanted.pk}
            self.attempt(wanted.cancel)
        elif wanted.submission_count < MAX_SUBMISSIONS:
            self.resubmit(wanted, force=wish == "another at any price")

    def resubmit(self, wanted: VideoJob, *, force: bool) -> None:
        was, count = wanted.status, wanted.submission_count
        alive = {row.status for row in self.rows if row.job_id == wanted.pk} & LIVE
        self.attempt(lambda: wanted.resubmit(force=force))
        if Submission.objects.filter(job=wanted, number=count + 1).exists():
            assert force or (was in RESUBMITTABLE and not alive)
            if force:
                self.forced.add((wanted.pk, count + 1))

    @precondition(lambda self: any(row.lost_at for row in self.rows))
    @rule(submission=which, name=st.sampled_from(NAMES))
    def somebody_names_its_job(self, submission: int, name: str) -> None:
        row = one([row for row in self.rows if row.lost_at], submission)
        known = {other.krea_job_id for other in self.rows} - {None}
        bought = self.krea.of(key(row))
        foreign = [
            job for job in self.krea.jobs.values() if job is not bought and job.id not in known
        ]
        named = "no-such-job"
        if name == "its own job" and bought:
            named = bought.id
        elif name == "a known job" and known:
            named = str(min(known - {None}, key=str))
        elif name == "a foreign job" and foreign and not self.adopts:
            wrong = one(foreign, submission)
            named = wrong.id
            self.misled |= {key(row)} | ({wrong.key} if wrong.key else set())
        others = [other for other in self.rows if other.pk != row.pk]
        told = Stranger.objects.open().filter(krea_job_id=named, named_for__in=others)
        spoken_for = told.exists() or named in {other.candidate_id for other in others}
        self.choose(row, named, free=named not in known and not spoken_for)

    def choose(self, row: Submission, named: str, *, free: bool) -> None:
        unharmed = self.faults.error is None
        self.attempt(partial(ledger.choose, row, named, by=OPERATOR))
        now = self.again(row)
        if now.candidate_id != row.candidate_id and row.candidate_id:
            self.displaced.add(key(row))
        if unharmed:
            open_to_it = row.status in UNDECIDED and row.krea_job_id is None and free
            assert now.candidate_id == (named if open_to_it else row.candidate_id)

    @precondition(lambda self: any(row.lost_at for row in self.rows))
    @rule(submission=which, again=st.booleans())
    def somebody_gives_up(self, submission: int, again: bool) -> None:
        """Or has it sent once more."""
        row = one([row for row in self.rows if row.lost_at], submission)
        unharmed = self.faults.error is None
        if not again:
            self.attempt(partial(ledger.give_up, row, by=OPERATOR))
            now = self.again(row)
            decided = now.status != row.status or now.written_off_at != row.written_off_at
            assert not unharmed or decided is self.may_be_given_up(row)
        elif row.job.submission_count < MAX_SUBMISSIONS:
            self.attempt(partial(ledger.send_again, row, by=OPERATOR))
            replaced = Submission.objects.filter(job=row.job_id, number=row.number + 1)
            if self.again(row).status != row.status:
                assert replaced.get().status == Status.UNSENT, "both, or none"

    def may_be_given_up(self, row: Submission) -> bool:
        """Tell whether Krea has had its time to name, find or end it."""
        if row.status != Status.UNCONFIRMED:
            return row.is_overdue and row.runs_upstream
        since = row.not_found_since
        return (
            not row.candidate_id
            or row.overdue_at is not None
            or bool(since and since + A_QUARTER <= self.clock.now())
        )

    @precondition(lambda self: any(row.evidence for row in self.rows))
    @rule(stranger=which)
    def somebody_dismisses(self, stranger: int) -> None:
        """Also, without knowing it, what became of a lost answer."""
        strangers = list(Stranger.objects.open().order_by("pk"))
        if not strangers:
            return
        row = one(strangers, stranger)
        made = self.krea.jobs.get(row.krea_job_id)  # a webhook may have named what is none
        mine = made.key if made else None
        if mine and self.adopts:
            return
        self.attempt(partial(ledger.dismiss, row, by=OPERATOR))
        row.refresh_from_db()
        if mine and row.dismissed_at:
            self.misled.add(mine)

    @rule(seconds=st.sampled_from([0, 0, 8000]), stays=st.sampled_from([False, False, True]))
    def somebody_holds_sending(self, seconds: int, stays: bool) -> None:
        """For a moment, or until somebody resumes it; time alone never ends it."""
        self.attempt(lambda: pacing.hold(pacing.account(), by="an operator"))
        self.clock.pass_time(seconds)
        if not stays:
            self.somebody_resumes_sending()

    @precondition(lambda self: self.is_in_trouble())
    @rule()
    def somebody_resumes_sending(self) -> None:
        if self.attempt(lambda: pacing.resume(pacing.account())):
            self.trial_ends = None
