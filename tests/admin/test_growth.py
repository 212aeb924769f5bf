"""The list of a site with very many jobs: it counts, sorts and reads no more than it shows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connections
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.admin import VideoJobAdmin, changelist, searching
from hailuo_django.models import Submission, VideoJob
from tests import statistics

from .pages import LIST, Browser

pytestmark = pytest.mark.django_db(transaction=True)


def jobs(count: int, days: int = 0, **fields: Any) -> list[str]:
    """Write drafts, one a minute, the newest so many days ago; their keys, the newest first."""
    newest = timezone.now() - timedelta(days=days)
    rows = [VideoJob(created_at=newest - timedelta(minutes=n), **fields) for n in range(count)]
    return [str(job.pk) for job in VideoJob.objects.bulk_create(rows)]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs on a page, and four that are counted."""
    monkeypatch.setattr(VideoJobAdmin, "list_per_page", 2)
    monkeypatch.setattr(changelist, "MAX_COUNTED", 4)


def test_what_fits_is_counted_and_shown_to_its_end(small_pages: None, browser: Browser) -> None:
    keys = jobs(4)
    page = browser.open(reverse(LIST) + "?p=2")

    assert page.jobs == keys[2:]
    assert "4 video jobs" in page.text
    assert "no further" not in page.text


def test_a_longer_list_says_that_it_is_and_goes_on_with_older_jobs(
    small_pages: None, browser: Browser
) -> None:
    keys = jobs(7)
    page = browser.open(reverse(LIST))
    assert "4+ video jobs" in page.text
    assert "Select all 4+ video jobs" in page.text, "for an action is not about four of them"
    assert "no further" not in page.text

    page = browser.open(reverse(LIST) + "?p=2")
    assert page.jobs == keys[2:4]
    assert "The list is counted and shown no further." in page.text
    assert browser.open(reverse(LIST) + "?p=3").address == f"{reverse(LIST)}?e=1"

    [link] = [link["href"] for link in page.all("a") if "created=20" in link["href"]]
    page = browser.open(reverse(LIST) + link)
    assert page.jobs == keys[3:5], "from the last one on, lest one of the same moment be left out"
    assert "Until " in page.text
    assert "4 video jobs" in page.text


def test_a_longer_list_in_another_order_asks_for_a_filter(
    small_pages: None, browser: Browser
) -> None:
    jobs(5)
    page = browser.open(reverse(LIST) + "?o=2&p=2")
    assert "The list is counted and shown no further. A filter shows the others." in page.text


def test_such_a_number_is_written_as_its_reader_writes_numbers(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(changelist, "MAX_COUNTED", 1000)
    jobs(1001)
    assert "1,000+ video jobs" in browser.open(reverse(LIST)).text

    settings.LANGUAGE_CODE = "de"
    settings.USE_THOUSAND_SEPARATOR = True
    text = browser.open(reverse(LIST) + "?status=draft&q=").text
    for words in ("1.000+ video jobs", "Alle 1.000+ video jobs", "1.000+ Ergebnisse"):
        assert words in text


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", [3, 2, 1, 0]),
        ("o=-8", [3, 2, 1, 0]),
        ("o=8", [0, 1, 2, 3]),
        ("o=2", [3, 1, 2, 0]),
        ("o=-2", [0, 2, 1, 3]),
        ("o=2.8", [3, 1, 2, 0]),  # by one column only
        ("o=8.2", [0, 1, 2, 3]),
        ("o=99", [3, 2, 1, 0]),
        ("o=x.8", [3, 2, 1, 0]),
    ],
)
def test_jobs_are_sorted_by_time_or_by_status(
    browser: Browser, order: str, expected: list[int]
) -> None:
    now = timezone.now()
    states = ["unsent", "draft", "unsent", "draft"]
    rows = [
        VideoJob(prompt=str(n), status=status, created_at=now - timedelta(days=9 - n))
        for n, status in enumerate(states)
    ]
    keys = [str(job.pk) for job in VideoJob.objects.bulk_create(rows)]

    assert browser.open(f"{reverse(LIST)}?{order}").jobs == [keys[n] for n in expected]


def test_the_arrow_stands_above_the_one_column_that_sorts(browser: Browser) -> None:
    jobs(2)
    page = browser.open(reverse(LIST) + "?o=2.8")
    sorted_by = [th["class"] for th in page.all("th") if "sorted" in th.get("class", "")]
    assert len(sorted_by) == 1
    assert "column-state" in sorted_by[0]


PLANS = {
    "": "hailuo_job_created",
    "o=8": "hailuo_job_created",
    "o=2": "hailuo_job_status",
    "o=-2": "hailuo_job_status",
    "status=failed": "hailuo_job_status",
    "status=running": "hailuo_job_(status|kind)",
    "status=live": "hailuo_job_(status|kind)",
    "attention=unconfirmed": "hailuo_submission_(status|ended)",
    "attention=overdue": "hailuo_submission_(status|ended|overdue)",
    "attention=flagged": "hailuo_job_result",
    "failure_code__exact=moderation": "hailuo_job_by_failure",
    "created=today": "hailuo_job_created",
    "created=older": "hailuo_job_created",
    "resolution__exact=512p": "hailuo_job_by_resolution",
    "duration__exact=10": "hailuo_job_by_duration",
    "q=prompt:zeppelin": "hailuo_job_(created|owner)",
    "q=order 7": "hailuo_job_reference",
    "q=krea-7": "krea_job_id",
    "q=grace": "hailuo_job_owner",
}
"""What the list is asked for, and the index that answers it."""

READS_ALL = re.compile(r"Seq Scan on hailuo_|SCAN hailuo_\w+(?! USING INDEX)\b")


@pytest.mark.slow
@pytest.mark.proves("D1")
def test_whatever_the_list_is_asked_for_is_found_by_index(
    grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_PROMPTS", 100)
    many(grace)
    if connections[VideoJob.database()].vendor == "postgresql":
        statistics.gather()
    statistics.forget()
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=grace.pk)
    for query, index in PLANS.items():
        request.GET = QueryDict(query)
        jobs = admin.site.get_model_admin(VideoJob).get_changelist_instance(request).queryset
        page = jobs[:100].explain()
        assert re.search(index, page), f"{query}\n{page}"
        counted = jobs.order_by().values("pk").explain() if "=" in query.replace("o=", "") else ""
        for plan in (page, counted):
            assert not READS_ALL.search(plan), f"{query}\n{plan}"


def many(owner: User) -> None:
    """Write thousands of finished jobs, and few of each other kind."""
    finished: dict[str, Any] = {"status": "completed", "result_host": "gen.krea.ai"}
    jobs(3000, days=9, prompt="a cat " * 100, submission_count=1, **finished)
    few: Any = (
        {"resolution": "512p"},
        {"duration": 10},
        {"reference": "order 7"},
        {"owner": owner},
    )
    for fields in (*few, {"result_host": "elsewhere.example"}):
        jobs(3, days=9, **(finished | fields))
    failed: dict[str, Any] = {"status": "failed", "failure_code": "moderation"}
    for fields in (failed, {"status": "queued"}, {"status": "unconfirmed"}):
        jobs(3, submission_count=1, **fields)
    tries = [
        Submission(job=job, number=1, body={}, price_usd=1, status=job.status)
        for job in VideoJob.objects.filter(submission_count=1)
    ]
    Submission.objects.bulk_create(tries)
