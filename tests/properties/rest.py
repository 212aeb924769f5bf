"""Coming to rest: Krea behaves, the sweeps run, and then a person decides what is left."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hailuo_django import ledger
from hailuo_django.models import JobEvent, Stranger, Submission
from hailuo_django.states import LIVE, FailureCode, Status
from hailuo_django.worker.look import LookLane
from hailuo_django.worker.reconcile import ListLane
from hailuo_django.worker.send import SendLane

from .krea_list import HowItLists
from .listers import LISTS, Listers
from .people import OPERATOR, People
from .site import identified, key, outcome
from .upstream import LIES, Upstream
from .workers import ANSWERED_OR_LOST, SECONDS_LEFT, Workers

STEPS_BEFORE_REST = 15
ROUNDS = 40


class Rest(Workers, Listers, People, Upstream):
    """The end of all trouble, at which everything has to be in its place."""

    @rule(
        posts_end=st.lists(ANSWERED_OR_LOST, min_size=1, max_size=2),
        how=LISTS,
        garbled=st.sampled_from([False, False, False, True]),
        meanwhile=st.none() | st.sampled_from(LIES),
    )
    def the_site_goes_on(
        self, posts_end: list[str], how: HowItLists, garbled: bool, meanwhile: str | None
    ) -> None:
        """Something newer is sent, perhaps as proof that a list does not lag; then there is one.

        Before that is recorded, a webhook may name something for what was looked for.
        """
        for ends in posts_end:
            self.submit()
            self.read()
            self.a_sender_hurries(ends)
        self.read()
        if errand := self.hurry_to_list(how, garbled):
            for row in errand.item.submissions if meanwhile else ():
                self.lie(self.again(row), str(meanwhile), "processing")
            self.record_list(errand)

    @precondition(lambda self: self.steps > STEPS_BEFORE_REST)
    @rule(decided=st.booleans())
    def everything_comes_to_rest(self, decided: bool) -> None:
        """Who is at work dies; from here on Krea behaves and the sweeps run."""
        self.steps = 0
        self.faults.error = None
        self.sends, self.looks, self.lists, self.trial_ends = [], [], [], None
        self.krea.behave()
        if (account := self.account()) and account.held_at:
            self.somebody_resumes_sending()
        for job in self.jobs:
            job.sync()
        self.run_sweeps()
        for row in self.rows:
            self.check_rest(row)
        owed = set(JobEvent.objects.exclude(announcement="").values_list("pk", flat=True))
        assert owed == self.announced
        if decided:
            self.staff_decides()
            self.run_sweeps()
            self.check_end()

    def run_sweeps(self) -> None:
        for _round in range(ROUNDS):
            for job in self.krea.running():
                self.krea.move(job, "completed")
            for call in self.krea.webhooks:
                if not call.delivered:
                    self.deliver(call)
            self.clock.pass_time(600)
            self.sweep()
            self.read()
            if not any(self.waits(row) for row in self.rows):
                break

    def waits(self, row: Submission) -> bool:
        """Tell whether a worker will do something about it."""
        if row.status == Status.UNCONFIRMED and not row.evidence:
            return not self.is_of_earlier_token(row)
        wanted = row.status in (Status.UNSENT, Status.SUBMITTING)
        return wanted or bool(identified(row) and row.due_at)

    def sweep(self) -> None:
        self.begin_sweep()
        looks, lists, sends = LookLane(self.client), ListLane(self.client), SendLane(self.client)
        while taken := looks.take(SECONDS_LEFT):
            looks.record(taken, outcome(partial(looks.call, taken)))
        while search := lists.take(SECONDS_LEFT):
            lists.record(search, outcome(partial(lists.call, search)))
        while item := sends.take(SECONDS_LEFT):
            self.krea.sender = key(item.submission)
            sends.record(item, outcome(partial(sends.call, item)))
            self.claimed.add(key(item.submission))

    def check_rest(self, row: Submission) -> None:
        """Nothing is live but what needs a person, who sees what there is to see.

        What an earlier token sent and nobody named is not looked for.
        """
        if self.is_of_earlier_token(row) and self.is_nowhere(row):
            return
        waits_for_a_person = [Status.UNCONFIRMED]
        if Stranger.objects.open().filter(named_for=row).exists():
            waits_for_a_person.append(Status.UNSENT)  # it may have been sent, by its own webhook
        others = Submission.objects.may_arrive().filter(job=row.job_id).exclude(pk=row.pk)
        if others.exists() and not row.beside_others:
            waits_for_a_person.append(Status.UNSENT)
        assert row.status not in LIVE or row.status in waits_for_a_person
        bought = self.krea.of(key(row))
        if key(row) in self.misled:
            return
        if bought is None or bought.forgotten:
            assert row.status in (Status.FAILED, Status.CANCELLED, *waits_for_a_person)
        elif row.krea_job_id or (bought.webhook_url and key(row) not in self.displaced):
            assert row.status == bought.status or row.failure_code == FailureCode.GIVEN_UP
            assert row.status == Status.COMPLETED or bought.status != "completed"
        elif row.status == Status.UNCONFIRMED:
            assert bought.id in row.evidence["strangers"], "there it is to be seen"
        else:
            assert row.failure_code == FailureCode.GIVEN_UP

    def is_nowhere(self, row: Submission) -> bool:
        """Tell whether Krea knows nothing of it, or nobody here knows what Krea does."""
        bought = self.krea.of(key(row))
        named = row.krea_job_id or row.candidate_id
        return bought is None or bought.forgotten or bought.id != named

    def staff_decides(self) -> None:
        """Somebody who knows which job became of what, and asks Krea for nothing."""
        for stranger in Stranger.objects.open().filter(named_for__isnull=False):
            made, owner = self.krea.jobs.get(stranger.krea_job_id), stranger.named_for
            assert owner
            if made is None or made.forgotten or made.key != key(owner):
                self.attempt(partial(ledger.dismiss, stranger, by=OPERATOR))
        for row in self.rows:
            bought = self.krea.of(key(row))
            if row.krea_job_id or not row.lost_at:
                continue
            if bought and not bought.forgotten:
                known = any(other.krea_job_id == bought.id for other in self.rows)
                self.choose(row, bought.id, free=not known)
            elif row.status == Status.UNCONFIRMED:
                self.attempt(partial(ledger.give_up, row, by=OPERATOR))

    def check_end(self) -> None:
        """Every finished video of ours is where it belongs."""
        for row in self.rows:
            bought = self.krea.of(key(row))
            if key(row) in self.misled:
                continue
            assert row.status not in LIVE or self.is_of_earlier_token(row)
            if bought and bought.status == "completed":
                assert (row.status, row.krea_job_id) == (Status.COMPLETED, bought.id)
            else:
                assert row.status != Status.COMPLETED
