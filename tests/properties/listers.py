"""The rules by which workers ask for Krea's list, each of them in its own time."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hailuo_django.clock import aware
from hailuo_django.states import Status
from hailuo_django.worker.reconcile import ListLane, Search

from .invariants import check_evidence
from .krea_list import HowItLists
from .site import Errand, Site, one, outcome, which
from .world import GRACE_SECONDS

SECONDS_LEFT = 60
PATIENCE = 4
MAX_LISTERS = 2

LISTS = st.builds(
    HowItLists,
    page=st.sampled_from([1000, 1000, 1000, 1, 2]),
    lag=st.sampled_from([0, 0, 0, 40, 400, 400]),
    seconds_a_page=st.sampled_from([0, 0, 31]),
    ends=st.sampled_from([*["answered"] * 8, "failed", "rate limited", "without its time"]),
)


class Listers(Site):
    """Whoever looks for lost answers, any number of them."""

    def is_looked_for(self) -> bool:
        """Tell whether there is anything that the list may show."""
        lost = [row for row in self.rows if row.status == Status.UNCONFIRMED]
        mine = [row for row in lost if row.due_at and not self.is_of_earlier_token(row)]
        return any(not row.candidate_id for row in mine)

    @precondition(lambda self: self.is_looked_for() and len(self.lists) < MAX_LISTERS)
    @rule(patient=st.sampled_from([True, True, False]))
    def a_lister_takes(self, patient: bool) -> None:
        """Patiently: it waits until something is due."""
        for _ in range(1 + PATIENCE * patient):
            lane = ListLane(self.client)
            if taken := self.attempt(partial(lane.take, SECONDS_LEFT)):
                self.lists.append(Errand(taken))
                break
            self.clock.pass_time(2 * GRACE_SECONDS * patient)

    @precondition(lambda self: self.lists)
    @rule(errand=which, how=LISTS, garbled=st.sampled_from([False, False, False, True]))
    def a_lister_goes_on(self, errand: int, how: HowItLists, garbled: bool) -> None:
        """From the row to the list, and from there to the record.

        Garbled: what cannot be read of the list is what nobody here knows.
        """
        mine = one(self.lists, errand)
        if mine.outcome is None:
            self.ask_for_list(mine, how, garbled)
        else:
            self.record_list(mine)

    def ask_for_list(self, mine: Errand[Search], how: HowItLists, garbled: bool) -> None:
        lane = ListLane(self.client)
        known = {row.krea_job_id for row in self.rows}
        self.krea.lists, self.krea.garbled = how, {*self.krea.jobs} - known if garbled else ()
        mine.outcome = outcome(lambda: lane.call(mine.item))

    def record_list(self, mine: Errand[Search]) -> None:
        lane = ListLane(self.client)
        self.lists.remove(mine)
        was_paused = self.account()
        before = [self.again(row) for row in mine.item.submissions]
        self.attempt(partial(lane.record, mine.item, mine.outcome))
        for taken, row in zip(mine.item.submissions, before, strict=True):
            check_evidence(taken, row, self.again(row))
        now = self.account()
        if was_paused and was_paused.paused_at and now and not now.paused_at:
            assert aware(was_paused.paused_at) <= mine.item.asked_at, "asked while it lasted"
            self.trial_ends = None

    @precondition(lambda self: self.is_looked_for())
    @rule(how=LISTS, garbled=st.sampled_from([False, False, False, True]))
    def a_lister_hurries(self, how: HowItLists, garbled: bool) -> None:
        if errand := self.hurry_to_list(how, garbled):
            self.record_list(errand)

    def hurry_to_list(self, how: HowItLists, garbled: bool) -> Errand[Search] | None:
        """Wait until something is due, and ask; what came of it is not recorded yet."""
        under_way = len(self.lists)
        self.a_lister_takes(patient=True)
        if len(self.lists) == under_way:
            return None
        self.ask_for_list(self.lists[-1], how, garbled)
        return self.lists[-1]
