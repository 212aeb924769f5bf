"""A budget is never overdrawn, however many ask for its last room at the same moment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from hailuo_django import budget
from hailuo_django.exceptions import BudgetExceeded
from hailuo_django.models import KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.api.people import person

from .crowd import SIZE, Crowd, succeeded
from .stories import submitted

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PRICE = Decimal("0.2835")
WANTED = 100
MONEY = {"cap", "limit_usd", "spent_usd", "reserved_usd", "price_usd", "resets_at"}


def caps(settings: Settings, **usd: Any) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": usd}


def buyers() -> int:
    """How many can ask at once: a PostgreSQL has a hundred connections by default."""
    return WANTED if connection.vendor == "sqlite" else WANTED // 2


def submit_each(jobs: list[VideoJob]) -> list[Any]:
    """Submit one after the other; what came of each."""
    outcomes: list[Any] = []
    for job in jobs:
        try:
            outcomes.append(job.submit())
        except BudgetExceeded as refusal:
            outcomes.append(refusal)
    return outcomes


def submit_at_once(crowd: Crowd, jobs: list[VideoJob]) -> list[Any]:
    """Submit them all, by as many threads as there may be connections."""
    shares = [jobs[first :: buyers()] for first in range(buyers())]
    parts = crowd.at_once(*[partial(submit_each, share) for share in shares])
    return [outcome for part in parts for outcome in part]


@pytest.mark.proves("M5")
def test_a_hundred_submits_against_room_for_three(
    krea: Sandbox, crowd: Crowd, settings: Settings
) -> None:
    for run in range(effort.BUDGET_RACES):
        caps(settings, day=3 * (run + 1) * PRICE)
        jobs = [VideoJob(prompt=f"video {run}.{number}") for number in range(WANTED)]

        outcomes = submit_at_once(crowd, jobs)

        assert len(succeeded(outcomes)) == 3
        assert {one.cap for one in outcomes if isinstance(one, BudgetExceeded)} == {"day"}
        for _pass in range(2):
            sweep()
        assert len(krea.posts) == VideoJob.objects.count() == 3 * (run + 1)


@pytest.mark.proves("M5")
def test_a_hundred_orders_over_http_against_room_for_three(
    krea: Sandbox, crowd: Crowd, settings: Settings, live_server: LiveServer
) -> None:
    caps(settings, day=3 * PRICE)
    settings.HAILUO["API_THROTTLE_RATES"] = {"submit": None}
    client = APIClient()
    client.force_login(person("ada", "add", "submit"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    token = "t" * 32
    address = live_server.url + reverse("hailuo_django_api:job-list")

    def order(times: int) -> list[Any]:
        browser = requests.Session()
        browser.cookies.update({settings.SESSION_COOKIE_NAME: session, "csrftoken": token})
        with browser:
            body = {"prompt": "a lighthouse at dusk"}
            headers = {"X-CSRFToken": token}
            return [browser.post(address, json=body, headers=headers) for _time in range(times)]

    # Each of them needs a connection to the database here, and one in the server.
    parts = crowd.at_once(*[partial(order, 4)] * (WANTED // 4))
    answers = [answer for part in parts for answer in part]

    refused = [answer for answer in answers if answer.status_code == 402]
    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [402] * 97
    for answer in refused:
        body = answer.json()
        assert body.keys() == {"detail", "code", *MONEY}
        assert (body["code"], body["cap"]) == ("budget_exceeded", "day")
        assert Decimal(body["spent_usd"]) + Decimal(body["reserved_usd"]) == 3 * PRICE
    assert VideoJob.objects.count() == 3


def test_each_user_has_room_of_their_own(krea: Sandbox, crowd: Crowd, settings: Settings) -> None:
    caps(settings, user_day=2 * PRICE, month=100)
    users = get_user_model().objects
    owners = [users.create_user(name) for name in ("ada", "grace", "joan")]
    jobs = [VideoJob(prompt="a lighthouse", owner=owner) for owner in owners for _ in range(SIZE)]

    outcomes = crowd.at_once(*[job.submit for job in jobs])

    assert len(succeeded(outcomes)) == 2 * len(owners)
    for owner in owners:
        assert VideoJob.objects.filter(owner=owner).count() == 2
        assert min(one.room_usd for one in budget.balances(owner.pk)) == 0


def test_resubmits_and_submits_share_the_last_room(
    krea: Sandbox, crowd: Crowd, settings: Settings
) -> None:
    ended = [submitted(prompt=f"video {number}") for number in range(SIZE)]
    for job in ended:
        job.cancel()
    caps(settings, day=3 * PRICE)
    new = [VideoJob(prompt="a new one") for _ in range(SIZE)]

    outcomes = crowd.at_once(*[job.resubmit for job in ended], *[job.submit for job in new])

    assert len(succeeded(outcomes)) == Submission.objects.live().count() == 3


@pytest.mark.parametrize("room", [2, 3])
@pytest.mark.proves("M5")
def test_what_is_sent_again_by_itself_takes_the_room_that_it_had(
    krea: Sandbox, crowd: Crowd, settings: Settings, room: int
) -> None:
    settings.HAILUO = {**settings.HAILUO, "ADOPT_STRANGERS": True, "RESEND_WHEN_ABSENT": True}
    krea.misbehave("lost_request", on="generate")
    lost = submitted()
    sweep()
    earlier = timedelta(minutes=10)
    rows = Submission.objects.filter(job=lost)
    rows.update(sent_at=F("sent_at") - earlier, lost_at=F("lost_at") - earlier, due_at=None)
    KreaAccount.objects.update(doubts=0, trial_until=None)
    submitted(prompt="made after it, and so the proof that it never arrived")
    sweep()
    caps(settings, day=room * PRICE)
    rows.update(due_at=timezone.now())

    outcomes = crowd.at_once(sweep, sweep, *[VideoJob(prompt="x").submit for _ in range(SIZE)])

    bought = [one for one in succeeded(outcomes) if isinstance(one, Submission)]
    assert len(bought) == room - 2
    assert list(rows.values_list("status", flat=True))[0] == Status.FAILED
    assert rows.count() == 2, "it was sent again, once"
    assert Submission.objects.live().count() == room
