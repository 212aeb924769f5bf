"""Clocks: of sites that keep times without a time zone, and of hosts that are wrong."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import budget, pacing
from hailuo_django.clock import aware
from hailuo_django.doctor.site import examine_clock
from hailuo_django.models import JobEvent, KreaAccount, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.signals import job_submitted
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep

from .rows import ago, change, claimed, fresh, look_again, only, pass_time, sent, submitted

ONCE = datetime(2026, 10, 25, 1, 30)  # noqa: DTZ001 - as such a site keeps it
TWICE = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "latest", "hour"),
    [(ONCE, False, 23), (ONCE, True, 23), (TWICE, False, 0), (TWICE, True, 1)],
)
def test_an_hour_that_comes_twice_is_the_first_or_the_latest(
    settings: Settings, moment: datetime, latest: bool, hour: int
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    told = aware(moment, latest=latest).astimezone(UTC)
    assert (told.hour, told.minute) == (hour, 30)


@pytest.mark.django_db(transaction=True)
def test_what_a_host_put_off_whose_clock_was_a_year_ahead_is_done_now(
    krea: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    in_a_year = ago(days=-365)
    running, unsent = sent(), submitted()
    krea.move(krea.jobs[0].id, "completed")
    change(running, due_at=in_a_year)
    change(unsent, due_at=in_a_year)
    sweep()

    assert fresh(running).status == Status.COMPLETED
    assert fresh(unsent).status == Status.BACKLOGGED
    assert "2 submissions were due too late: a clock was far ahead." in caplog.messages


@pytest.mark.django_db(transaction=True)
def test_what_such_a_host_left_untold_is_told_now(krea: Sandbox) -> None:
    job = submitted()
    JobEvent.objects.filter(announcement="job_submitted").update(announce_after=ago(days=-365))
    heard: list[VideoJob] = []

    def hear(job: VideoJob, **kwargs: object) -> None:
        heard.append(job)

    job_submitted.connect(hear)
    try:
        sweep()
    finally:
        job_submitted.disconnect(hear)
    assert heard == [job]


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_died_on_such_a_host_leaves_it_unconfirmed(krea: Sandbox) -> None:
    job = submitted()
    claimed(krea)
    change(job, due_at=ago(days=-365), lease_expires_at=ago(days=-365))
    sweep()

    assert (fresh(job).status, len(krea.posts)) == (Status.UNCONFIRMED, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("held", ["send_after", "look_after", "trial_until"])
def test_what_such_a_host_held_back_goes_on(krea: Sandbox, held: str) -> None:
    running, unsent = sent(), submitted()
    krea.move(krea.jobs[0].id, "completed")
    change(running, due_at=ago(seconds=1))
    row = KreaAccount(fingerprint=pacing.account(), setbacks=1)
    setattr(row, held, ago(days=-365))
    row.save()
    sweep()

    assert fresh(running).status == Status.COMPLETED
    assert fresh(unsent).status == Status.BACKLOGGED


@pytest.mark.django_db(transaction=True)
def test_a_pause_that_such_a_host_began_ends_when_krea_answers(krea: Sandbox) -> None:
    running, unsent = sent(), submitted()
    change(running, due_at=ago(seconds=1))
    KreaAccount.objects.create(
        fingerprint=pacing.account(), paused_at=ago(days=-365), doubts=pacing.DOUBTS_BEFORE_A_PAUSE
    )
    sweep()
    sweep()
    assert fresh(unsent).status == Status.BACKLOGGED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deleted", [False, True])
def test_what_ended_on_such_a_host_counts_in_the_budget_of_one_day(
    krea: Sandbox, settings: Settings, *, deleted: bool
) -> None:
    settings.HAILUO |= {"BUDGET": {"day": "0.5"}}
    job = sent()
    krea.move(krea.jobs[0].id, "completed")
    price = look_again(job).price_usd
    change(job, ended_at=ago(days=-365))
    if deleted:
        job.delete()
    sweep()
    assert budget.balances()[0].spent_usd == price

    tomorrow = timezone.now() + timedelta(days=1)
    with patch("django.utils.timezone.now", return_value=tomorrow):
        assert budget.balances()[0].spent_usd == 0


@pytest.mark.django_db(transaction=True)
def test_a_host_whose_clock_is_behind_changes_no_time_of_what_was_made_since(
    krea: Sandbox, settings: Settings
) -> None:
    settings.HAILUO |= {"BUDGET": {"day": "5"}}
    done, gone, running = sent(), sent(), sent()
    for job in krea.jobs[:2]:
        krea.move(job.id, "completed")
    for row in (done, gone):
        look_again(row)
    gone.delete()
    spent = budget.balances()[0].spent_usd
    assert spent > 0

    long_ago = timezone.now() - timedelta(days=200)
    with patch("django.utils.timezone.now", return_value=long_ago):
        sweep()

    assert budget.balances()[0].spent_usd == spent
    assert only(running).overdue_at is None


@pytest.mark.django_db(transaction=True)
def test_what_krea_did_not_find_for_such_a_host_is_gone_after_a_while(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("missing", on="get", times=None)
    change(job, not_found_since=ago(days=-365))
    look_again(job)
    pass_time(krea, 16 * 60)
    assert look_again(job).status == Status.FAILED


@pytest.mark.django_db(transaction=True)
def test_what_such_a_host_has_sent_is_overdue_at_once(krea: Sandbox) -> None:
    job = sent()
    change(job, sent_at=ago(days=-365))
    sweep()
    assert only(job).overdue_at is not None


@pytest.mark.django_db(transaction=True)
def test_what_settings_put_off_for_long_waits_for_its_time(
    krea: Sandbox, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "UNCONFIRMED_GRACE_SECONDS": 30 * 86400}
    krea.misbehave("lost_answer", on="generate")
    job = sent()
    due_at = only(job).due_at
    sweep()

    assert due_at is not None
    assert due_at - ago() > timedelta(days=29)
    assert only(job).due_at == due_at


@pytest.mark.logs_errors
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ahead", [150, -150])
def test_a_worker_whose_clock_is_not_the_databases_does_nothing(
    krea: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    ahead: float,
) -> None:
    """Every host reads what the others wrote by theirs; on SQLite there is only one."""
    submitted()
    at = time.time() + ahead
    monkeypatch.setattr("hailuo_django.clock._host_time", lambda: at)
    sweep()
    is_alone = connections[VideoJob.database()].vendor == "sqlite"
    assert len(krea.posts) == is_alone
    said = any("this host's clock is" in message for message in caplog.messages)
    assert said is not is_alone
    assert [found.code for found in examine_clock()] == ([] if is_alone else ["clock.database"])
