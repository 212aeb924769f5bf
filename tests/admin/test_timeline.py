"""What happened to a job, in one line of time, and how long everything took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from hailuo_django.admin.timeline import MAX_SHOWN
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.testing import make_submitted_job, work
from tests.api.people import ended, wanted

from .pages import Browser, page_of, person

pytestmark = pytest.mark.django_db

BEGINNING = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_greenwich(settings: Settings) -> None:
    """The times below are those of the site."""
    settings.TIME_ZONE = "UTC"


def at(seconds: float) -> datetime:
    """So long after the beginning of the story."""
    return BEGINNING + timedelta(seconds=seconds)


def happened(job: VideoJob, seconds: float, **fields: Any) -> JobEvent:
    """One more event of the job, so long after the beginning."""
    known = {"source": "system", "action": "note", "created_at": at(seconds)}
    return JobEvent.objects.create(job=job, **{**known, **fields})


def told(browser: Browser, job: VideoJob) -> str:
    """The timeline of the page of the job."""
    return browser.open(page_of(job)).text.partition("What happened, the newest first")[2]


def test_a_video_tells_its_whole_life(krea: Sandbox, browser: Browser, grace: User) -> None:
    job = make_submitted_job(owner=grace)
    work()
    for status in ("processing", "completed"):
        krea.move(krea.jobs[0].id, status)
        work()

    text = told(browser, job)

    story = [
        "created",
        "submitted #1 draft → unsent 0.2835 USD reserved by the site's own code",
        "claimed for sending #1 unsent → submitting by a worker",
        "found upstream #1 submitting → backlogged by a worker",
        "reported by Krea #1 backlogged → processing by a look at Krea",
        "reported by Krea #1 processing → completed 0.2835 USD spent by a look at Krea",
    ]
    places = [text.index(words) for words in story]
    assert places == sorted(places, reverse=True), "the newest stands first"
    assert "last of 2 looks at Krea #1" in text


def test_the_time_between_two_entries_stands_on_the_later(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    VideoJob.objects.update(created_at=at(0))
    JobEvent.objects.update(created_at=at(12))
    happened(job, 12 + 135, detail="third")
    happened(job, 12 + 135 + 3 * 3600 + 20 * 60, detail="fourth")
    happened(job, 12 + 135 + 3 * 3600 + 20 * 60 + 2 * 86400, detail="fifth")

    text = told(browser, job)

    for words in (
        "12:00:12 12 s later submitted #1",
        "12:02:27 2 min 15 s later noted by a worker third",
        "15:22:27 3 h 20 min later noted by a worker fourth",
        "15:22:27 2 d later noted by a worker fifth",
    ):
        assert words in text
    assert "12:00:00 created" in text, "before the oldest there is nothing"


def test_looks_webhooks_and_cancellations_stand_where_they_happened(
    browser: Browser, grace: User
) -> None:
    job = ended(
        grace,
        Status.CANCELLED,
        poll_count=1,
        last_polled_at=at(30),
        webhook_count=2,
        last_webhook_at=at(10),
        cancel_sent_at=at(20),
    )
    VideoJob.objects.update(created_at=at(0))
    job.events.update(created_at=at(5))

    text = told(browser, job)

    assert "12:00:30 10 s later looked at Krea #1" in text
    assert "12:00:20 10 s later cancellation sent to Krea #1" in text
    assert "12:00:10 5 s later last of 2 webhooks came #1" in text


def test_one_webhook_and_many_looks_are_told_as_such(browser: Browser, grace: User) -> None:
    seen = {"last_polled_at": at(30), "last_webhook_at": at(10)}
    job = ended(grace, Status.COMPLETED, poll_count=7, webhook_count=1, **seen)

    text = told(browser, job)

    assert "last of 7 looks at Krea #1" in text
    assert "webhook came #1" in text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("operator", "by an operator (grace)"),
        ("api", "by the API (grace)"),
        ("code", "by the site's own code (grace)"),
        ("webhook", "by a webhook"),
        ("poll", "by a look at Krea"),
        ("system", "by a worker"),
    ],
)
def test_every_source_is_told_in_words_with_who_it_was(
    browser: Browser, grace: User, source: str, words: str
) -> None:
    job = wanted(grace)
    person = grace if source in ("operator", "api", "code") else None
    happened(job, 1, source=source, actor=person, detail="this one")

    assert f"noted {words} this one" in told(browser, job)


@pytest.mark.parametrize(
    ("action", "before", "after", "words"),
    [
        ("resubmit", "failed", "unsent", "0.2835 USD reserved"),
        ("report", "processing", "completed", "0.2835 USD spent"),
        ("adopt", "failed", "completed", "0.2835 USD spent"),
        ("refuse", "submitting", "failed", "0.2835 USD no longer reserved"),
        ("withdraw", "unsent", "cancelled", "0.2835 USD no longer reserved"),
        ("give_up", "unconfirmed", "failed", "0.2835 USD no longer reserved"),
        ("miss", "processing", "failed", "0.2835 USD still reserved"),
        ("cancel", "processing", "cancelled", "0.2835 USD still reserved"),
        ("report", "queued", "processing", ""),
        ("request_cancel", "queued", "queued", ""),
    ],
)
def test_money_is_told_where_it_moved(
    browser: Browser, grace: User, action: str, before: str, after: str, words: str
) -> None:
    job = wanted(grace)
    JobEvent.objects.all().delete()
    submission = job.submissions.get()
    moved = {"action": action, "from_status": before, "to_status": after}
    happened(job, 1, submission=submission, **moved)

    text = told(browser, job)

    assert ("USD" in text) == bool(words)
    assert words in text


def test_what_a_forced_resubmit_may_cost_is_told_once(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    Submission.objects.update(status=Status.PROCESSING)
    job.resubmit(force=True, actor=grace)

    text = told(browser, job)

    assert "resubmitted #2 0.2835 USD reserved by the site's own code (grace) Forced" in text
    assert text.count("Submission 1 may be alive: 0.2835 USD twice.") == 1


def test_an_event_without_a_submission_is_shown(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    happened(job, 1, detail="by itself")

    assert "noted by a worker by itself" in told(browser, job)


def test_an_event_of_a_later_version_is_shown_as_it_is(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    happened(job, 1, action="teleport", from_status="here", to_status="there")

    assert "teleport here → there" in told(browser, job)


def test_a_long_story_is_cut_at_its_old_end(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    Submission.objects.update(last_polled_at=at(-60), poll_count=1)
    notes = [
        JobEvent(job=job, source="system", action="note", detail=f"note {n}.", created_at=at(n))
        for n in range(MAX_SHOWN + 50)
    ]
    JobEvent.objects.bulk_create(notes)
    JobEvent.objects.filter(action="submit").update(created_at=at(-90))
    VideoJob.objects.update(created_at=at(-100))

    text = told(browser, job)

    assert text.count("noted by a worker") == MAX_SHOWN
    assert "note 149." in text
    assert "note 50." in text
    assert f"Only the newest {MAX_SHOWN} are shown; the export has them all." in text
    assert "looked at Krea" not in text, "it happened before the oldest entry shown"


def test_clocks_that_differ_put_no_entry_before_itself(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    VideoJob.objects.update(created_at=at(0))
    JobEvent.objects.update(created_at=at(5))
    happened(job, 9, detail="written first")
    happened(job, 7, detail="by a slower clock")

    text = told(browser, job)

    assert "12:00:09 2 s later noted by a worker written first" in text
    assert "12:00:07 2 s later noted by a worker by a slower clock" in text


@pytest.mark.parametrize("entries", [1, 30])
def test_a_story_costs_two_queries_however_long_it_is(
    browser: Browser, grace: User, entries: int
) -> None:
    job = ended(grace, Status.FAILED)
    for number in range(entries):
        happened(job, number, submission=job.submissions.get(), actor=person(f"p{number}"))

    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        told(browser, job)

    tables = [q["sql"].partition("FROM")[2].split()[0].strip('"') for q in queries]
    assert tables.count("hailuo_django_jobevent") == 1
    assert tables.count("hailuo_django_submission") == 2, "the job's money, and the cards"


@pytest.mark.parametrize("language", ["de", "ar"])
def test_times_follow_the_readers_language_and_zone(
    browser: Browser, grace: User, settings: Settings, language: str
) -> None:
    settings.LANGUAGE_CODE = language
    settings.TIME_ZONE = "Asia/Tokyo"
    job = ended(grace, Status.COMPLETED)
    job.events.update(created_at=datetime(2026, 11, 23, 15, 4, 59, tzinfo=UTC))

    assert "00:04:59" in told(browser, job)


def test_a_site_without_time_zones_shows_the_times_it_keeps(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.USE_TZ = False
    job = ended(grace, Status.COMPLETED, sent_at=datetime(2026, 11, 23, 15, 4, 0))
    job.events.update(created_at=datetime(2026, 11, 23, 15, 4, 59))

    assert "15:04:59" in told(browser, job)
