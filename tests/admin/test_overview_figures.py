"""The figures of the overview: each on its day, of nobody else's jobs, and cheap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.admin import VideoJobAdmin
from hailuo_django.models import JobEvent, KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.testing import sandbox
from tests import statistics
from tests.api.people import ended, wanted
from tests.webhooks.rows import SITE, look, post, running

from .overview import beat, change, concerns, move_back, on_day, overview, table
from .pages import Browser, person

pytestmark = pytest.mark.django_db(transaction=True)

QUERIES = 23
"""Session and user, then all figures, with every section and a budget of a day and a month."""

ENDS = {
    Status.COMPLETED: "job_completed",
    Status.FAILED: "job_failed",
    Status.CANCELLED: "job_cancelled",
}


@pytest.fixture
def called(db: None) -> Iterator[Sandbox]:
    """A sandbox that is given an address for webhooks; the stories post them."""
    with sandbox(manual=True, hailuo={"WEBHOOK_BASE_URL": SITE}) as krea:
        yield krea


def video(owner: User | None, status: Status = Status.COMPLETED, **fields: Any) -> VideoJob:
    """A job that ended a moment ago, as a webhook told."""
    url = "https://gen.krea.ai/v.mp4" if status == Status.COMPLETED else ""
    now = timezone.now()
    times = {"sent_at": now - timedelta(seconds=90), "ended_at": now}
    job = ended(owner, status, **{"result_url": url, **times, **fields})
    JobEvent.objects.create(
        job=job,
        submission=job.submissions.get(),
        source=JobEvent.Source.WEBHOOK,
        action="report",
        announcement=ENDS[status],
    )
    return job


# Each on its day


def test_what_krea_tells_and_what_polls_find_is_counted_today(
    called: Sandbox, browser: Browser
) -> None:
    told, found, failed = (running(called, prompt) for prompt in ("told", "found", "failed"))
    post(Client(), told.path, told.news("completed"))
    called.move(found.upstream.id, "completed")
    called.move(failed.upstream.id, "failed")
    look()
    page = overview(browser)

    assert on_day(page, "outcomes") == ["2", "1", "0"]
    assert on_day(page, "finders") == ["1", "1"]
    assert on_day(page, "spending") == ["0.5670 USD"]
    assert on_day(page, "outcomes", ago=1) == ["0", "0", "0"]
    for words in ("completed: 2", "failed: 1", "webhook: 1", "poll: 1", "0.5670 USD in 30 days"):
        assert words in page.text


def test_what_was_withdrawn_is_cancelled_and_costs_nothing(browser: Browser, grace: User) -> None:
    wanted(grace).cancel()
    page = overview(browser)
    assert on_day(page, "outcomes") == ["0", "0", "1"]
    assert table(page, "spending") == []


def test_a_video_that_somebody_else_found_is_counted_otherwise(
    browser: Browser, grace: User
) -> None:
    job = video(grace)
    JobEvent.objects.filter(job=job).update(source=JobEvent.Source.SYSTEM)
    assert on_day(overview(browser), "finders") == ["0", "0", "1"]


def test_what_was_resubmitted_ends_once_more(browser: Browser, grace: User) -> None:
    job = video(grace, Status.FAILED)
    move_back(job, days=2)
    job.resubmit()
    JobEvent.objects.create(job=job, source="poll", announcement="job_completed")
    page = overview(browser)
    assert on_day(page, "outcomes") == ["1", "0", "0"]
    assert on_day(page, "outcomes", ago=2) == ["0", "1", "0"]


def test_thirty_days_are_shown_and_no_more(browser: Browser, grace: User) -> None:
    for days in (0, 1, 28, 29, 30, 31):
        move_back(video(grace), days=days)
    page = overview(browser)
    assert len(table(page, "outcomes")) == 30
    completed = [int(row[1]) for row in table(page, "outcomes")]
    assert completed == [1, 1, *[0] * 26, 1, 1]
    assert "completed: 4" in page.text
    assert "1.1340 USD in 30 days" in page.text


def test_a_day_begins_at_midnight_in_the_sites_time_zone(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.TIME_ZONE = "America/New_York"
    job = video(grace)
    # The night in which summer time ends there: 23:59:59 and 00:00:00.
    for ended_at, expected in (
        (datetime(2026, 11, 1, 3, 59, 59, tzinfo=UTC), ["Oct. 31, 2026", "1", "0", "0"]),
        (datetime(2026, 11, 1, 4, 0, 0, tzinfo=UTC), ["Nov. 1, 2026", "1", "0", "0"]),
        (datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC), ["Nov. 1, 2026", "1", "0", "0"]),
        (datetime(2026, 11, 2, 5, 0, 0, tzinfo=UTC), ["Nov. 2, 2026", "1", "0", "0"]),
    ):
        change(job, ended_at=ended_at)
        JobEvent.objects.filter(job=job).update(created_at=ended_at)
        now = datetime(2026, 11, 3, 12, tzinfo=UTC)
        with mock.patch("django.utils.timezone.now", lambda now=now: now):
            page = overview(Browser(grace))
        [shown] = [row for row in table(page, "outcomes") if "1" in row[1:]]
        assert shown == expected
        [paid] = [row for row in table(page, "spending") if row[1] != "0.0000 USD"]
        assert paid == [expected[0], "0.2835 USD"]


@pytest.fixture
def without_time_zones(settings: Settings) -> Iterator[None]:
    """A site that keeps its times as the clock on its wall shows them."""
    settings.USE_TZ = False
    settings.TIME_ZONE = "America/New_York"
    yield


def test_a_site_without_time_zones_has_its_days_as_well(
    without_time_zones: None, browser: Browser, grace: User
) -> None:
    move_back(video(grace), days=3)
    page = overview(browser)
    assert on_day(page, "outcomes", ago=3) == ["1", "0", "0"]
    assert on_day(page, "spending", ago=3) == ["0.2835 USD"]


def test_what_was_deleted_stays_spent(browser: Browser, grace: User) -> None:
    video(grace)
    video(grace).delete()
    page = overview(browser)
    assert on_day(page, "outcomes") == ["1", "0", "0"]
    assert on_day(page, "spending") == ["0.5670 USD"]


def test_the_budget_of_a_day_is_a_line_in_the_chart(
    browser: Browser, grace: User, settings: Settings
) -> None:
    video(grace)
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "0.5"}}
    page = overview(browser)
    assert [line for line in page.all("line") if line.get("class") == "hailuo-limit"]
    assert "; the budget of a day is 0.5000 USD" in page.text
    assert "budget 0.5" in page.text


def test_how_long_videos_take_is_told_from_twenty_on(browser: Browser, grace: User) -> None:
    for _video in range(19):
        video(grace)
    words = "No kind of video has been completed 20 times yet."
    assert words in overview(browser).text

    video(grace)
    VideoJob.objects.update(completed_at=timezone.now())
    page = overview(browser)
    assert words not in page.text
    assert table(page, "spans") == [["768p, 6 s", "20", "1 min 30 s", "1 min 30 s"]]


def test_a_site_without_videos_says_so(browser: Browser, grace: User) -> None:
    page = overview(browser)
    assert page.text.count("No videos yet in the last 30 days.") == 3
    assert not page.all("svg") or "hailuo-chart" not in page.html


def test_each_chart_is_a_picture_with_its_words_and_its_table(
    browser: Browser, grace: User
) -> None:
    for _video in range(20):
        video(grace)
    VideoJob.objects.update(completed_at=timezone.now())
    page = overview(browser)
    charts = [svg for svg in page.all("svg") if svg.get("class") == "hailuo-chart"]
    assert [chart["role"] for chart in charts] == ["img"] * 4
    ids = [node["id"] for _tag, node in page.attributes if "id" in node]
    assert len(ids) == len({*ids})
    for chart in charts:
        assert {*chart["aria-labelledby"].split()} <= {*ids}
    assert page.nodes["details"] == 4


# Nobody else's


class OwnJobs(VideoJobAdmin):
    """Shows everybody their own jobs, as many a host does, and has no filters."""

    list_filter = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[VideoJob]:
        return super().get_queryset(request).filter(owner=request.user.pk)


site = admin.AdminSite()
site.register(VideoJob, OwnJobs)
urlpatterns = [path("own/", site.urls)]


def test_where_jobs_are_hidden_their_figures_are_hidden_too(
    browser: Browser, grace: User, settings: Settings
) -> None:
    caps = {"day": "12.34", "month": "56.78"}
    settings.HAILUO = {**settings.HAILUO, "BUDGET": caps}
    beat(seconds=5)
    ada = person("ada", "view")
    for _video in range(20):
        video(ada)
    VideoJob.objects.update(completed_at=timezone.now())
    video(ada).delete()
    video(ada, Status.FAILED)
    hidden = wanted(ada, prompt="nobody else's business")
    change(hidden, status=Status.UNCONFIRMED, overdue_at=timezone.now())
    flagged = ended(ada, Status.COMPLETED)
    long_ago = timezone.now() - timedelta(days=1)
    JobEvent.objects.filter(job=flagged).update(created_at=long_ago, announce_after=long_ago)
    change(flagged, last_webhook_at=timezone.now())
    mine = video(grace)

    settings.ROOT_URLCONF = __name__
    page = overview(browser)
    assert concerns(page) == []
    assert on_day(page, "outcomes") == ["1", "0", "0"]
    assert on_day(page, "spending") == ["0.2835 USD"]
    assert on_day(page, "finders") == ["1", "0"]
    assert "Those of the whole site, its budget among them, are left out." in page.text
    assert "Last webhook none in 30 days" in page.text
    for words in ("nobody else", "12.34", "56.78", "Time to completion", "1 min 30 s"):
        assert words not in page.text

    page = overview(Browser(ada))
    assert {*concerns(page)} == {"unconfirmed", "overdue", "flagged", "unannounced"}
    assert on_day(page, "outcomes") == ["20", "1", "0"]
    assert str(mine.pk) not in page.html
    assert "attention=" not in page.html


# Cheap


def everything(owner: User, rounds: int) -> None:
    """A site where every section of the page has something to show, so many times."""
    KreaAccount.objects.get_or_create(fingerprint="another")
    for _round in range(rounds):
        for status in ENDS:
            video(owner, status, has_webhook=True)
        ended(owner, Status.COMPLETED, ended_at=timezone.now())
        change(wanted(owner), status=Status.UNCONFIRMED, overdue_at=timezone.now())
        owed = JobEvent.objects.filter(job=wanted(owner))
        owed.update(created_at=timezone.now() - timedelta(days=1))
        Stranger.objects.create(krea_job_id=f"stranger-{Stranger.objects.count()}")


def queries_of(browser: Browser) -> list[str]:
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        assert len(concerns(overview(browser))) >= 5
    return [query["sql"] for query in queries]


@pytest.fixture
def root(settings: Settings) -> Browser:
    """Somebody who may see everything, on a site that has everything."""
    caps = {"day": "1000", "month": "1000", "user_day": "1000"}
    more = {"BUDGET": caps, "WEBHOOK_BASE_URL": SITE}
    settings.HAILUO = {**settings.HAILUO, **more}
    return Browser(person("root", is_superuser=True))


@pytest.mark.slow
def test_many_jobs_cost_as_many_queries_as_few(root: Browser, grace: User) -> None:
    everything(grace, rounds=1)
    assert len(queries_of(root)) == QUERIES
    everything(grace, rounds=7)
    assert len(queries_of(root)) == QUERIES


def old_rows(count: int) -> None:
    """A history that ended before the days that are shown."""
    long_ago = timezone.now() - timedelta(days=400)
    jobs = [VideoJob(prompt="x", created_at=long_ago) for _job in range(count)]
    VideoJob.objects.bulk_create(jobs)
    VideoJob.objects.filter(created_at=long_ago).update(
        status=Status.COMPLETED, completed_at=long_ago, submission_count=1
    )
    shared = {"body": {}, "price_usd": 1, "status": Status.COMPLETED}
    times = {"ended_at": long_ago, "last_webhook_at": long_ago, "sent_at": long_ago}
    rows = [Submission(job=job, number=1, has_webhook=True, **shared, **times) for job in jobs]
    Submission.objects.bulk_create(rows)
    said = {"source": "webhook", "action": "report", "created_at": long_ago}
    events = [JobEvent(job=job, announcement="job_completed", **said) for job in jobs]
    JobEvent.objects.bulk_create(events)
    strangers = [
        Stranger(krea_job_id=f"old-{n}", dismissed_at=long_ago + timedelta(seconds=n))
        for n in range(count)
    ]
    Stranger.objects.bulk_create(strangers)


def whole_tables_read(statements: list[str]) -> Iterator[str]:
    """Yield each of the statements that reads all rows of a large table."""
    large = [model._meta.db_table for model in (VideoJob, Submission, JobEvent, Stranger)]
    connection = connections[VideoJob.database()]
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    for statement in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"{explain} {statement}")
            plan = "\n".join(str(line) for line in cursor.fetchall())
        if any(f"{word} {name}" in plan for word in ("SCAN", "Seq Scan on") for name in large):
            yield f"{statement}\n{plan}"


@pytest.mark.slow
@pytest.mark.parametrize("narrowed", [False, True])
def test_no_figure_reads_a_whole_table(
    root: Browser, grace: User, settings: Settings, narrowed: bool
) -> None:
    user = User.objects.get(username="root")
    everything(user, rounds=1)
    old_rows(3000)
    settings.HAILUO = {**settings.HAILUO, "BUDGET": None}  # what it sums is its own matter
    if narrowed:
        settings.ROOT_URLCONF = __name__
        VideoJob.objects.exclude(owner=user).update(owner=grace)
    statements = queries_of(root)
    connection = connections[VideoJob.database()]
    if connection.vendor == "sqlite":
        statistics.forget()
        assert [*whole_tables_read(statements)] == []
    statistics.gather()
    assert [*whole_tables_read(statements)] == []
