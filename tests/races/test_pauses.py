"""Many senders, one account: they stop together, and one of them goes first."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from hailuo_django import pacing
from hailuo_django.models import KreaAccount, Submission
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.send import Sending, SendLane
from hailuo_django.worker.sweep import sweep
from tests.core.rows import client

from .crowd import SIZE, Crowd
from .stories import submitted

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SECONDS_LEFT = 60
QUEUE = 3 * SIZE


class Senders:
    """Workers that take, send and record in step with each other."""

    def __init__(self, krea: Sandbox, crowd: Crowd) -> None:
        self.lanes = [SendLane(client(krea)) for _ in range(SIZE)]
        self.crowd = crowd

    def take(self) -> list[tuple[SendLane, Sending]]:
        """All of them look for work at once; return who found some."""
        calls = [partial(lane.take, SECONDS_LEFT) for lane in self.lanes]
        taken = self.crowd.at_once(*calls)
        return [(lane, item) for lane, item in zip(self.lanes, taken, strict=True) if item]

    def finish(self, busy: list[tuple[SendLane, Sending]]) -> None:
        """They all send at once, and record what came of it."""
        self.crowd.at_once(*[partial(send, lane, item) for lane, item in busy])


def send(lane: SendLane, item: Sending) -> None:
    outcome: Any
    try:
        outcome = lane.call(item)
    except Exception as error:
        outcome = error
    lane.record(item, outcome)


@pytest.fixture
def senders(krea: Sandbox, crowd: Crowd) -> Senders:
    for number in range(QUEUE):
        submitted(prompt=f"video {number}")
    return Senders(krea, crowd)


def outage(krea: Sandbox, *, answers: bool) -> None:
    krea.behave()
    krea.misbehave("lost_request", times=None, on="generate")
    if not answers:
        krea.misbehave("server_error", times=None, on="list")


def test_after_lost_answers_nothing_goes_out_until_krea_answers(
    krea: Sandbox, crowd: Crowd, senders: Senders
) -> None:
    outage(krea, answers=False)
    under_way = senders.take()
    assert len(under_way) == SIZE
    senders.finish(under_way)
    assert pacing.is_paused()
    assert senders.take() == []
    crowd.at_once(*[sweep] * SIZE)
    assert len(krea.posts) == SIZE, "only what was under way"

    outage(krea, answers=True)
    sweep()
    assert not pacing.is_paused(), "a GET was answered"
    assert len(krea.posts) == SIZE
    trial = senders.take()
    assert len(trial) == 1, "a single trial, however many workers there are"
    senders.finish(trial)
    assert len(krea.posts) == SIZE + 1
    assert pacing.is_paused(), "that was lost as well"

    krea.behave()
    crowd.at_once(*[sweep] * SIZE)
    assert len(krea.posts) == SIZE + 1, "a GET was answered, and the next trial waits"
    KreaAccount.objects.update(send_after=None)
    crowd.at_once(*[sweep] * SIZE)
    sweep()
    assert not Submission.objects.filter(status=Status.UNSENT).exists()


@pytest.mark.parametrize("refusal", ["unauthorized", "payment_required"])
def test_after_the_wait_one_trial_goes_first(krea: Sandbox, senders: Senders, refusal: str) -> None:
    krea.misbehave(refusal, times=None, on="generate")
    senders.finish(senders.take())
    assert len(krea.posts) == SIZE
    assert senders.take() == [], "it waits"

    for _trial in range(2):
        KreaAccount.objects.update(send_after=timezone.now())
        trial = senders.take()
        assert len(trial) == 1
        senders.finish(trial)
        assert senders.take() == []
    assert len(krea.posts) == SIZE + 2

    krea.behave()
    KreaAccount.objects.update(send_after=timezone.now())
    senders.finish(senders.take())
    assert len(senders.take()) == SIZE, "and then all the others"
