"""When to ask again, and when a video may be expected: from the site's own history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import ledger, pacing
from hailuo_django.expectations import SAMPLES_NEEDED
from hailuo_django.krea.errors import AccountProblem
from hailuo_django.models import Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep
from tests.site import configure

from .people import Visitor, address, draft, ended, under_way, wanted

pytestmark = pytest.mark.django_db


def history(seconds: float, count: int = SAMPLES_NEEDED, **request: Any) -> None:
    """So many videos of one kind that took so long."""
    now = timezone.now()
    for _video in range(count):
        job = ended(None, Status.COMPLETED)
        VideoJob.objects.filter(pk=job.pk).update(completed_at=now, **request)
        sent = now - timedelta(seconds=seconds)
        Submission.objects.filter(job=job).update(sent_at=sent, ended_at=now)


def claimed(job: VideoJob, usual_seconds: float | None) -> VideoJob:
    ledger.claim(
        job.submissions.get(),
        account="a",
        lease_seconds=40,
        with_webhook=False,
        usual_seconds=usual_seconds,
    )
    return job


def expected_at(answer: Any) -> datetime:
    return datetime.fromisoformat(answer.json()["expected_at"])


def test_with_a_history_the_first_answer_says_when_to_look(client: Visitor) -> None:
    history(100)
    accepted = client.create(prompt="x")
    assert accepted["Retry-After"] == "25"
    assert accepted.json()["expected_at"] is None, "it was not sent yet"


@pytest.mark.parametrize(
    ("usual", "said"), [(4, "3"), (10, "3"), (21, "6"), (200, "50"), (3600, "60")]
)
def test_a_quarter_of_what_is_left_within_bounds(client: Visitor, usual: float, said: str) -> None:
    history(usual)
    assert client.create(prompt="x")["Retry-After"] == said


def test_below_twenty_samples_nothing_is_expected(client: Visitor) -> None:
    history(100, count=SAMPLES_NEEDED - 1)
    assert client.create(prompt="x")["Retry-After"] == "10"


def test_only_videos_of_the_same_kind_count(client: Visitor) -> None:
    history(100, resolution="1080p")
    assert client.create(prompt="x")["Retry-After"] == "10"
    assert client.create(prompt="x", resolution="1080p")["Retry-After"] == "25"


def test_what_is_sent_has_the_time_it_is_expected_at(
    client: Visitor, ada: User, settings: Settings
) -> None:
    history(100)
    with Sandbox(manual=True) as krea:
        configure(settings, krea)
        job = wanted(ada)
        sweep()
    sent_at = Submission.objects.get(job=job).sent_at
    assert sent_at is not None

    answer = client.get(address(job))

    assert expected_at(answer) == sent_at + timedelta(seconds=100)
    assert 20 <= int(answer["Retry-After"]) <= 25


def test_what_could_not_be_sent_is_expected_no_more(client: Visitor, ada: User) -> None:
    job = claimed(wanted(ada), 100)
    assert client.get(address(job)).json()["expected_at"] is not None
    ledger.hold(job.submissions.get(), reason="refused connection")
    assert client.get(address(job)).json()["expected_at"] is None


def test_what_is_late_keeps_its_time_and_is_asked_for_as_without_one(
    client: Visitor, ada: User
) -> None:
    past = timezone.now() - timedelta(seconds=30)
    job = under_way(ada, Status.PROCESSING, expected_at=past)
    answer = client.get(address(job))
    assert expected_at(answer) == past
    assert answer["Retry-After"] == "10"


def test_a_second_try_is_expected_by_its_own_time(client: Visitor, ada: User) -> None:
    job = ended(ada, Status.FAILED, expected_at=timezone.now())
    job.resubmit()
    assert client.get(address(job)).json()["expected_at"] is None
    late = timezone.now() + timedelta(hours=1)
    Submission.objects.filter(number=2).update(status=Status.PROCESSING, expected_at=late)
    VideoJob.objects.update(status=Status.PROCESSING)
    assert expected_at(client.get(address(job))) == late


@pytest.mark.parametrize(
    "status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.DRAFT]
)
def test_where_nothing_more_will_happen_there_is_nothing_to_wait_for(
    client: Visitor, ada: User, status: Status
) -> None:
    job = draft(ada)
    if status != Status.DRAFT:
        job = ended(ada, status, expected_at=timezone.now())
    answer = client.get(address(job))
    assert "Retry-After" not in answer
    assert answer.json()["expected_at"] is None


def test_a_cancellation_that_took_effect_at_once_leaves_nothing_to_wait_for(
    client: Visitor, ada: User
) -> None:
    answer = client.post(address(wanted(ada), "cancel"))
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert "Retry-After" not in answer


def test_while_sending_is_paused_once_a_minute_is_enough(client: Visitor, ada: User) -> None:
    history(100)
    pacing.slow_sending(AccountProblem("Top up", status=402))
    accepted = client.create(prompt="x")
    assert accepted["Retry-After"] == "60"
    assert client.get(accepted["Location"])["Retry-After"] == "60"


def test_a_lost_answer_is_not_expected_at_any_time(client: Visitor, ada: User) -> None:
    job = under_way(ada, Status.UNCONFIRMED, expected_at=timezone.now())
    answer = client.get(address(job))
    assert (answer.json()["expected_at"], answer["Retry-After"]) == (None, "60")
