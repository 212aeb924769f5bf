"""The rules by which workers ask for Krea's list, each of them in its own time."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hailuo_django.clock import aware
from hailuo_django.models import KreaAccount
from hailuo_django.states import Status
from hailuo_django.worker.reconcile import ListLane

from .krea_list import HowItLists
from .site import Errand, Site, one, outcome, which
from .world import GRACE_SECONDS

SECONDS_LEFT = 60
PATIENCE = 4

LISTS = st.builds(
    HowItLists,
    page=st.sampled_from([1000, 1000, 1, 2]),
    lag=st.sampled_from([0, 0, 40, 400]),
    seconds_a_page=st.sampled_from([0, 0, 31]),
    ends=st.sampled_from([*["answered"] * 4, "failed", "rate limited", "without its time"]),
)


class Listers(Site):
    """Whoever looks for lost answers, any number of them."""

    @precondition(lambda self: self.are(Status.UNCONFIRMED))
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
        mine, lane = one(self.lists, errand), ListLane(self.client)
        if mine.outcome is None:
            known = {row.krea_job_id for row in self.rows}
            self.krea.lists, self.krea.garbled = how, {*self.krea.jobs} - known if garbled else ()
            mine.outcome = outcome(lambda: lane.call(mine.item))
            return
        self.lists.remove(mine)
        was_paused = KreaAccount.objects.filter(paused_at__isnull=False).first()
        self.attempt(partial(lane.record, mine.item, mine.outcome))
        if was_paused and not KreaAccount.objects.filter(paused_at__isnull=False).exists():
            assert was_paused.paused_at is not None
            assert aware(was_paused.paused_at) <= mine.item.asked_at, "asked while it lasted"
            self.trial_ends = None

    @precondition(lambda self: self.are(Status.UNCONFIRMED))
    @rule(how=LISTS, garbled=st.sampled_from([False, False, False, True]))
    def a_lister_hurries(self, how: HowItLists, garbled: bool) -> None:
        under_way = len(self.lists)
        self.a_lister_takes(patient=True)
        if len(self.lists) > under_way:
            self.a_lister_goes_on(-1, how, garbled)
            self.a_lister_goes_on(-1, how, garbled)
