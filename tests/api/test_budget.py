"""402: what a consumer hears when the budget has no room."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status

from .people import Visitor, address, draft, is_midnight

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_small_budget(settings: Settings) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"user_day": "0.3"}}


def test_the_refusal_says_the_cap_what_counts_and_when_it_resets(client: Visitor) -> None:
    assert client.create(prompt="the first").status_code == 202
    answer = client.create(prompt="the second")

    assert answer.status_code == 402
    refusal = answer.json()
    assert refusal.pop("detail").startswith("The owner's budget of a day has no room for 0.2835")
    assert is_midnight(refusal.pop("resets_at"))
    assert refusal == {
        "code": "budget_exceeded",
        "cap": "user_day",
        "limit_usd": "0.3",
        "spent_usd": "0",
        "reserved_usd": "0.2835",
        "price_usd": "0.2835",
    }
    assert VideoJob.objects.count() == Submission.objects.count() == 1


def test_a_draft_stays_one(client: Visitor, ada: User) -> None:
    assert client.create(prompt="the first").status_code == 202
    job = draft(ada)
    assert client.post(address(job, "submit")).status_code == 402
    job.refresh_from_db()
    assert job.status == Status.DRAFT
