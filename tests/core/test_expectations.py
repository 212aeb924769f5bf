"""How long a video may take is told from this site's own history, or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hailuo_django.expectations import Expectation, Expectations
from hailuo_django.models import Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from tests import statistics

from .rows import ago, change, only, sent, submitted

pytestmark = pytest.mark.django_db(transaction=True)


def completed(seconds: float, *, hours_ago: float = 1, **fields: Any) -> VideoJob:
    """A job whose video took so long."""
    job = submitted(**fields)
    ended = ago(hours=hours_ago)
    change(
        job,
        status=Status.COMPLETED,
        sent_at=ended - timedelta(seconds=seconds),
        ended_at=ended,
    )
    VideoJob.objects.filter(pk=job.pk).update(status=Status.COMPLETED, completed_at=ended)
    return job


def test_nothing_is_expected_below_twenty_videos_of_the_same_kind() -> None:
    for _video in range(19):
        completed(100)
    completed(100, duration=10)
    completed(100, resolution="1080p")
    assert Expectations().of("768p", 6) is None

    completed(100)
    assert Expectations().of("768p", 6) == Expectation(20, usual_seconds=100, long_seconds=100)
    assert Expectations().of("768p", 10) is None, "another kind has its own history"


def test_half_took_no_longer_than_usual_and_nine_of_ten_no_longer_than_long() -> None:
    for seconds in range(0, 210, 10):
        completed(seconds)
    assert Expectations().of("768p", 6) == Expectation(21, usual_seconds=100, long_seconds=180)


@pytest.mark.slow
def test_the_newest_hundred_count() -> None:
    for _video in range(100):
        completed(60, hours_ago=1)
    for _video in range(5):
        completed(6000, hours_ago=48)
    assert Expectations().of("768p", 6) == Expectation(100, usual_seconds=60, long_seconds=60)


def test_what_failed_or_runs_says_nothing_about_how_long_a_video_takes() -> None:
    for _video in range(20):
        completed(60)
    change(submitted(), status=Status.PROCESSING, sent_at=ago(hours=9))
    failed = submitted()
    change(failed, status=Status.FAILED, sent_at=ago(hours=9), ended_at=timezone.now())
    VideoJob.objects.filter(pk=failed.pk).update(status=Status.FAILED)
    assert Expectations().of("768p", 6) == Expectation(20, usual_seconds=60, long_seconds=60)


def test_clocks_that_differ_make_no_video_faster_than_nothing() -> None:
    for _video in range(20):
        completed(-5)
    assert Expectations().of("768p", 6) == Expectation(20, usual_seconds=0, long_seconds=0)


def test_an_end_is_expected_of_what_was_sent() -> None:
    usual = Expectation(20, usual_seconds=60, long_seconds=90)
    submission = Submission(sent_at=None)
    assert usual.end_of(submission) is None, "it waits for nobody knows how long"
    assert not usual.is_exceeded(submission, timezone.now())

    submission.sent_at = ago(seconds=70)
    assert usual.end_of(submission) == submission.sent_at + timedelta(seconds=60)
    assert not usual.is_exceeded(submission, timezone.now())
    assert usual.is_exceeded(submission, timezone.now() + timedelta(seconds=30))


def test_each_kind_is_asked_about_once() -> None:
    job = completed(60)
    expectations = Expectations()
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        for _row in range(3):
            expectations.of(job.resolution, job.duration)
    assert len(queries) == 1
    assert only(job).ended_at is not None


@pytest.mark.slow
def test_the_newest_are_found_by_index_however_many_there_are() -> None:
    job = completed(60)
    jobs = [VideoJob(prompt="x") for _job in range(3000)]
    VideoJob.objects.bulk_create(jobs)
    VideoJob.objects.exclude(pk=job.pk).update(status=Status.COMPLETED, completed_at=ago(days=9))
    rows = [
        Submission(job=one, number=1, body={}, price_usd=1, status=Status.COMPLETED) for one in jobs
    ]
    Submission.objects.bulk_create(rows)
    connection = connections[VideoJob.database()]
    with CaptureQueriesContext(connection) as queries:
        Expectations().of(job.resolution, job.duration)
    on_sqlite = connection.vendor == "sqlite"
    explain = f"EXPLAIN {'QUERY PLAN' if on_sqlite else ''} {queries[0]['sql']}"
    for prepare in (statistics.forget, statistics.gather) if on_sqlite else (statistics.gather,):
        prepare()
        with connection.cursor() as cursor:
            cursor.execute(explain)
            plan = str(cursor.fetchall())
        assert "hailuo_job_kind" in plan, prepare
        assert "SCAN hailuo" not in plan and "Seq Scan" not in plan


def test_what_is_sent_is_expected_after_the_usual_time(krea: Sandbox) -> None:
    for _video in range(20):
        completed(100)
    submission = only(sent())
    assert submission.expected_at and submission.sent_at
    assert submission.expected_at - submission.sent_at == timedelta(seconds=100)
