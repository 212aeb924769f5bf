"""The list of video jobs: what it shows, finds and costs the database."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status
from tests import effort
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser

pytestmark = pytest.mark.django_db


def results(browser: Browser, query: str) -> int:
    """How many jobs the list shows."""
    page = browser.open(reverse(LIST) + query)
    assert page.status == 200
    return len(page.jobs)


def test_every_job_stands_with_its_price_and_what_was_spent(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.COMPLETED, result_url="https://gen.krea.ai/v.mp4")
    Submission.objects.filter(job=job).update(price_usd=Decimal("0.5670"))

    page = browser.open(reverse(LIST))

    assert page.text.count("0.5670 USD") == 2
    for words in ("a lighthouse", "completed", "768p", "6 s", "grace"):
        assert words in page.text


def test_the_list_says_what_asks_for_attention(browser: Browser, grace: User) -> None:
    ended(grace, Status.FAILED, failure_code="moderation")
    ended(grace, Status.COMPLETED)
    overdue = wanted(grace)
    rows = Submission.objects.filter(job=overdue)
    rows.update(status=Status.QUEUED, overdue_at=timezone.now())

    text = browser.open(reverse(LIST)).text

    assert "failed, refused by moderation" in text
    assert "completed, flagged: no video to link" in text
    assert "unsent, overdue" in text


STATEMENTS = {
    "": 3,  # so many, the jobs, their submissions
    "?o=2": 3,
    "?p=1": 3,
    "?status=live": 3,
    "?attention=overdue": 3,
    "?created=today": 3,
    "?q=order 7": 4,  # and whether that is a user's name
    "?q=prompt: lighthouse": 4,  # and where the newest prompts end
}


@pytest.mark.slow
def test_many_jobs_cost_as_many_queries_as_one(judge: User, subtests: pytest.Subtests) -> None:
    lost = {"status": "unconfirmed", "lost_at": timezone.now(), "overdue_at": timezone.now()}
    for more in (1, effort.LISTED - 1):
        for _n in range(more):
            wanted(judge, reference="order 7")
        Submission.objects.update(**lost)
        VideoJob.objects.update(status="unconfirmed")
        jobs, browser = VideoJob.objects.count(), Browser(judge)
        for query, statements in STATEMENTS.items():
            with subtests.test(query, jobs=jobs):
                with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
                    page = browser.open(reverse(LIST) + query)
                assert page.text.count("Decide about submission 1") == jobs
                asked = [query for query in queries if not is_about_the_visitor(query["sql"])]
                assert len(asked) == statements


def is_about_the_visitor(sql: str) -> bool:
    """Whether a query is one of those that precede every page of the admin."""
    about = ("django_session", "auth_permission", 'FROM "auth_user" WHERE "auth_user"."id"')
    return any(words in sql for words in about)


def test_lists_leave_requests_and_answers_in_the_database(browser: Browser, grace: User) -> None:
    wanted(grace)
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        browser.open(reverse(LIST))

    statements = " ".join(query["sql"] for query in queries)
    assert "hailuo_django_submission" in statements
    assert '"hailuo_django_submission"."body"' not in statements
    assert '"hailuo_django_submission"."raw"' not in statements


@pytest.mark.parametrize(
    "filter_by", ["status__exact=draft", "resolution__exact=768p", "duration__exact=6"]
)
def test_the_list_is_filtered(browser: Browser, grace: User, filter_by: str) -> None:
    draft(grace)
    wanted(grace, resolution="1080p", duration=10)

    assert results(browser, f"?{filter_by}") == 1


def test_the_list_is_filtered_by_failure(browser: Browser, grace: User) -> None:
    ended(grace, Status.FAILED, failure_code="moderation")
    ended(grace, Status.FAILED, failure_code="not_found")

    assert results(browser, "?failure_code__exact=moderation") == 1


@pytest.mark.parametrize("query", ["?id__exact=nonsense", "?p=99", "?o=99.x"])
def test_a_strange_address_is_no_error(browser: Browser, grace: User, query: str) -> None:
    draft(grace)
    assert browser.open(reverse(LIST) + query).status == 200


def test_amounts_and_times_follow_the_reader(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.LANGUAGE_CODE = "de"
    settings.TIME_ZONE = "Asia/Tokyo"
    job = draft(grace)
    VideoJob.objects.update(created_at="2026-06-01T20:00:00+00:00")

    page = browser.open(reverse(LIST))
    assert "0,2835 USD" in page.text
    assert "2. Juni 2026 05:00" in page.text

    page = browser.buy("submit_selected", job)
    assert VideoJob.objects.get().status == "unsent"
    assert "0,2835 USD" in page.text
