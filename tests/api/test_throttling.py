"""Rates: a page may poll, a loop that runs wild is stopped, and a site says otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django import Settings

from .people import Visitor, address, draft, person, wanted

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")


def rates(settings: Settings, **kinds: str | None) -> None:
    settings.HAILUO = {**settings.HAILUO, "API_THROTTLE_RATES": kinds}


def statuses(times: int, ask: Any) -> list[int]:
    return [ask().status_code for _ in range(times)]


@pytest.mark.slow
def test_ten_jobs_may_be_polled_every_few_seconds(client: Visitor, ada: User) -> None:
    job = wanted(ada)
    assert statuses(200, lambda: client.get(address(job))) == [200] * 200


def test_who_reads_too_often_hears_when_to_come_again(client: Visitor, settings: Settings) -> None:
    rates(settings, read="3/hour")

    assert statuses(3, lambda: client.get(JOBS)) == [200] * 3
    answer = client.get(JOBS)

    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert 3590 <= int(answer["Retry-After"]) <= 3600
    assert Visitor(person("grace")).get(JOBS).status_code == 200


def test_who_may_submit_no_more_still_reads_and_cancels(
    client: Visitor, ada: User, settings: Settings
) -> None:
    rates(settings, submit="2/hour")
    job, another = draft(ada), draft(ada)

    assert client.create(prompt="x").status_code == 202
    assert client.post(address(job, "submit")).status_code == 202
    assert client.create(prompt="x", submit=False).status_code == 429
    assert client.post(address(another, "submit")).status_code == 429
    assert client.post(address(job, "resubmit")).status_code == 429

    assert client.post(address(job, "cancel")).status_code == 202
    assert client.patch(address(another), {"duration": 7}).status_code == 200
    assert client.get(JOBS).status_code == 200


def test_a_refused_submit_leaves_the_draft_as_it_was(
    client: Visitor, ada: User, settings: Settings
) -> None:
    rates(settings, submit="1/day")
    job = draft(ada)
    client.create(prompt="x")
    assert client.post(address(job, "submit")).status_code == 429
    job.refresh_from_db()
    assert (job.status, job.submissions.count()) == ("draft", 0)


def test_a_site_lifts_a_limit(client: Visitor, settings: Settings) -> None:
    rates(settings, submit=None)
    assert {*statuses(70, lambda: client.create(prompt="x", submit=False))} == {201}


def test_a_site_sets_them_in_drfs_own_way(client: Visitor, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {
        "DEFAULT_THROTTLE_RATES": {"hailuo-read": "1/hour", "hailuo-submit": None}
    }
    rates(settings, read="5/hour", submit="1/hour")
    assert statuses(2, lambda: client.get(JOBS)) == [200, 429]
    assert statuses(2, lambda: client.create(prompt="x")) == [202, 202]


def test_a_limit_that_was_lowered_still_says_how_long(client: Visitor, settings: Settings) -> None:
    statuses(5, lambda: client.get(JOBS))
    rates(settings, read="2/min")
    answer = client.get(JOBS)
    assert (answer.status_code, int(answer["Retry-After"])) == (429, 60)


def test_who_is_not_let_in_is_not_counted(client: Visitor, ada: User, settings: Settings) -> None:
    rates(settings, read="1/hour")
    assert statuses(3, lambda: Visitor().get(JOBS)) == [403] * 3
    assert client.get(JOBS).status_code == 200
