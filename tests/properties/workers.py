"""The rules by which workers send and look, each of them in its own time."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.test import override_settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hailuo_django import ledger, pacing
from hailuo_django.conf import conf
from hailuo_django.deadlines import lease_seconds
from hailuo_django.krea import errors
from hailuo_django.models import KreaAccount, Submission
from hailuo_django.pacing import LONGEST_BACKOFF_SECONDS
from hailuo_django.states import Status
from hailuo_django.worker.look import LookLane
from hailuo_django.worker.send import SendLane

from .krea_model import LATE
from .site import Errand, Site, identified, key, one, outcome, which

SECONDS_LEFT = 60
PATIENCE = 4
NOT_SENT = (errors.NotSent, errors.RateLimited, errors.AccountProblem)
LOST = ["lost on the way back", "lost, and its time unreadable", "lost on the way there", *LATE]
LOSSES = st.sampled_from([*LOST, "lost on the way there"])
ANSWERED_OR_LOST = st.sampled_from(["answered", *LOST, "lost on the way there"])
ENDS = st.sampled_from(
    [
        "answered",
        "answered",
        "lagging",
        *LOST,
        "not sent",
        "rate limited",
        "no money",
        "refused",
    ]
)
LOOK_ENDS = st.sampled_from(["answered", "answered", "answered", "failed", "rate limited"])


class Workers(Site):
    """Senders and lookers, of any number."""

    @precondition(lambda self: self.are(Status.UNSENT))
    @rule()
    def a_sender_claims(self) -> None:
        lane = SendLane(self.client)
        before = {row.pk: row.status for row in self.rows}
        account, now = self.account(), self.clock.now()
        item = self.attempt(lambda: lane.take(SECONDS_LEFT))
        self.read()
        for row in self.rows:
            if row.status == Status.SUBMITTING and before[row.pk] != row.status:
                assert before[row.pk] == Status.UNSENT
                assert key(row) not in self.claimed, "one submission, one lease"
                self.claimed.add(key(row))
        if item:
            self.sends.append(Errand(item))
            self.check_pace(account, now)

    def check_pace(self, account: KreaAccount | None, now: datetime) -> None:
        """Something was sent: nothing held it back, and after trouble it went alone."""
        if account is None:
            return
        assert account.paused_at is None, "nothing is sent in a pause"
        assert account.held_at is None, "nothing is sent while a person holds it"
        assert account.send_after is None or account.send_after <= self.clock.now()
        if account.setbacks or account.doubts:
            assert self.trial_ends is None or self.trial_ends <= self.clock.now(), "one trial"
            self.trial_ends = now + timedelta(seconds=lease_seconds())

    @precondition(lambda self: sum(row.status == Status.UNSENT for row in self.rows) > 1)
    @rule()
    def two_senders_claim(self) -> None:
        """At once; after trouble one of them has to wait."""
        self.clock.pass_time(LONGEST_BACKOFF_SECONDS)
        self.a_sender_claims()
        self.a_sender_claims()

    @precondition(lambda self: self.are(Status.UNSENT))
    @rule(ends=ENDS)
    def a_sender_hurries(self, ends: str) -> None:
        self.clock.pass_time(LONGEST_BACKOFF_SECONDS)
        under_way = len(self.sends)
        self.a_sender_claims()
        if len(self.sends) > under_way:
            self.a_sender_goes_on(-1, ends, 1)
            self.a_sender_goes_on(-1, ends, 1)

    @precondition(lambda self: self.sends)
    @rule(errand=which, ends=ENDS, times=st.integers(1, 2))
    def a_sender_goes_on(self, errand: int, ends: str, times: int) -> None:
        """From the claim to the request, and from there to the record.

        To two of them, where the database could not tell that it had committed the first.
        """
        mine, lane = one(self.sends, errand), SendLane(self.client)
        if mine.outcome is None:
            self.krea.sender, self.krea.post_ends = key(mine.item.submission), ends
            mine.outcome = outcome(lambda: lane.call(mine.item))
            return
        self.sends.remove(mine)
        self.trial_ends = None
        if isinstance(mine.outcome, NOT_SENT):
            self.claimed.discard(key(mine.item.submission))
        for _ in range(times):
            self.attempt(partial(lane.record, mine.item, mine.outcome))

    @precondition(lambda self: any(row.is_live and not row.is_overdue for row in self.rows))
    @rule(seconds=st.sampled_from([0, 50, 4000]))
    def a_sweep_begins(self, seconds: int) -> None:
        self.clock.pass_time(seconds)
        unharmed = self.faults.error is None
        self.attempt(self.begin_sweep)
        if unharmed:
            late = self.clock.now() - timedelta(seconds=conf.OVERDUE_AFTER_SECONDS + 1)
            for row in Submission.objects.live():
                assert row.is_overdue or (row.sent_at or row.created_at) > late

    def begin_sweep(self) -> None:
        """What a sweep does before it talks to Krea, and after."""
        for _lost in range(ledger.lose_abandoned()):
            pacing.doubt("a sender stopped")
            self.trial_ends = None
        ledger.mark_overdue()
        ledger.announce_owed()

    @precondition(lambda self: any(identified(row) and row.due_at for row in self.rows))
    @rule(patient=st.sampled_from([True, True, False]))
    def a_looker_takes(self, patient: bool) -> None:
        """Patiently: it waits until something is due."""
        for _ in range(1 + PATIENCE * patient):
            lane = LookLane(self.client)
            if taken := self.attempt(partial(lane.take, SECONDS_LEFT)):
                self.looks.append(Errand(taken))
                break
            self.clock.pass_time(100 * patient)

    @precondition(lambda self: any(identified(row) and row.due_at for row in self.rows))
    @rule(ends=LOOK_ENDS)
    def a_looker_hurries(self, ends: str) -> None:
        under_way = len(self.looks)
        self.a_looker_takes(patient=True)
        if len(self.looks) > under_way:
            self.a_looker_goes_on(-1, ends)
            self.a_looker_goes_on(-1, ends)

    @precondition(lambda self: self.looks)
    @rule(errand=which, ends=LOOK_ENDS)
    def a_looker_goes_on(self, errand: int, ends: str) -> None:
        mine, lane = one(self.looks, errand), LookLane(self.client)
        if mine.outcome is None:
            self.krea.get_ends = ends
            mine.outcome = outcome(lambda: lane.call(mine.item))
            return
        self.looks.remove(mine)
        unharmed = self.faults.error is None
        self.attempt(partial(lane.record, mine.item, mine.outcome))
        row = Submission.objects.select_related("job").get(pk=mine.item.pk)
        if unharmed and getattr(mine.outcome, "status", "") == "completed" and row.krea_job_id:
            assert (row.status, row.job.status) == (Status.COMPLETED, Status.COMPLETED)

    @precondition(lambda self: not self.renewed and any(row.lost_at for row in self.rows))
    @rule()
    def the_token_is_renewed(self) -> None:
        """The site starts anew with it, once; Krea shows it the same jobs."""
        self.renewed = True
        self.sends, self.looks, self.lists, self.trial_ends = [], [], [], None
        renewed = settings.HAILUO | {"KREA_API_TOKEN": "a renewed token"}
        self.site.enter_context(override_settings(HAILUO=renewed))

    @precondition(lambda self: self.sends or self.looks or self.lists)
    @rule(errand=which)
    def a_worker_dies(self, errand: int) -> None:
        """What it had sent is sent, and what it had learned is lost."""
        busy: list[list[Any]] = [self.sends, self.looks, self.lists]
        everybody = [(errands, item) for errands in busy for item in errands]
        errands, dead = one(everybody, errand)
        errands.remove(dead)
