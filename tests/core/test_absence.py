"""What Krea does not find is not gone at once, and what nobody ends is left to a person."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import ProtectedError
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import budget, ledger
from hailuo_django.exceptions import Conflict
from hailuo_django.krea.wire import JobReport, read_job
from hailuo_django.models import KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import FailureCode, Status
from hailuo_django.worker.sweep import sweep

from .rows import (
    ago,
    change,
    fresh,
    history,
    look_again,
    only,
    pass_time,
    sent,
    submitted,
)

pytestmark = pytest.mark.django_db


def told(job: VideoJob, address: str) -> JobReport:
    """What a webhook says of a job whose video lies there."""
    said: dict[str, Any] = {"job_id": only(job).krea_job_id, "status": "completed"}
    return read_job(json.dumps(said | {"result": {"urls": [address]}}))


@pytest.mark.parametrize("trouble", ["bad_gateway_html", "rate_limited"])
def test_a_cancellation_that_was_never_sent_makes_no_404_an_end(
    krea: Sandbox, trouble: str
) -> None:
    job = sent()
    job.cancel()
    krea.misbehave(trouble, on="get")
    look_again(job)
    assert "DELETE" not in [method for method, _path, _ in krea.requests]

    KreaAccount.objects.update(look_after=None, send_after=None)
    krea.misbehave("missing", on="get", times=None)
    assert look_again(job).status == Status.BACKLOGGED, "it may be late in Krea's own tables"

    krea.behave()
    assert look_again(job).status == Status.CANCELLED


def test_one_404_ends_no_search_for_the_address_of_a_video(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    krea.move(krea.jobs[0].id, "completed")
    assert look_again(job).status == Status.COMPLETED
    krea.misbehave("missing", on="get")
    look_again(job)
    assert only(job).due_at is not None

    change(job, ended_at=ago(minutes=61))
    krea.misbehave("missing", on="get")
    look_again(job)
    assert only(job).due_at is None


def test_an_address_elsewhere_is_better_than_none(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    krea.move(krea.jobs[0].id, "completed")
    look_again(job)
    for address in ("https://elsewhere.example/a.mp4", "https://elsewhere.example/b.mp4"):
        krea.jobs[0].faults = {}
        krea.jobs[0].result = {"urls": [address]}
        look_again(job)
        assert address in only(job).raw
    assert only(job).result_url == "https://elsewhere.example/a.mp4", "the second is no better"


def test_nor_is_it_looked_for_for_ever_with_a_token_that_does_not_know_it(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    krea.move(krea.jobs[0].id, "completed")
    look_again(job)
    krea.misbehave("missing", on="get", times=None)
    change(job, account="another")
    look_again(job)
    assert only(job).due_at is not None

    change(job, ended_at=ago(minutes=61))
    look_again(job)
    assert only(job).due_at is None


def test_what_this_site_has_forgotten_to_have_sent_is_asked_for_with_the_token_in_use(
    krea: Sandbox, operator: ledger.By
) -> None:
    """As after a restore: it was never claimed, and so it has no account."""
    job = submitted()
    ledger.choose(only(job), "forgotten-by-krea", by=operator)
    krea.misbehave("missing", on="get", times=None)
    sweep()
    assert only(job).note == "Krea does not know the job that was named: asked for 15 min."
    change(job, not_found_since=ago(minutes=16))
    look_again(job)
    assert only(job).candidate_id == ""
    assert "was named and not adopted: Krea does not know it." in only(job).note


def test_an_address_that_a_webhook_brings_late_is_asked_for(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    krea.move(krea.jobs[0].id, "completed")
    look_again(job)
    change(job, ended_at=ago(hours=2))
    look_again(job)
    assert only(job).due_at is None

    assert not ledger.count_webhook(job.pk, 1, told(job, f"{krea.url}/videos/late.mp4"))
    without_one = JobReport(str(only(job).krea_job_id), Status.COMPLETED)
    assert ledger.count_webhook(job.pk, 1, without_one), "which is nothing new"


def test_the_word_of_a_webhook_counts_also_after_krea_has_forgotten_the_job(
    krea: Sandbox,
) -> None:
    job = sent()
    krea.misbehave("missing", times=None, on="get")
    change(job, not_found_since=ago(minutes=16))
    assert look_again(job).failure_code == FailureCode.NOT_FOUND

    ledger.make_due(job.pk, 1, told(job, "https://elsewhere.example/a.mp4"))
    assert look_again(job).status == Status.FAILED, "Krea may yet tell where it is"
    change(job, not_found_since=ago(minutes=16))

    job = look_again(job)
    assert (job.status, job.result_url) == (Status.COMPLETED, "https://elsewhere.example/a.mp4")


def test_a_late_word_takes_nothing_from_what_was_told_of_a_video(krea: Sandbox) -> None:
    job = sent()
    ledger.make_due(job.pk, 1, told(job, "https://elsewhere.example/a.mp4"))
    late = JobReport(str(only(job).krea_job_id), Status.SAMPLING, raw="{}")
    assert ledger.report(job.pk, 1, late, by=ledger.WEBHOOK)
    krea.misbehave("missing", times=None, on="get")
    change(job, not_found_since=ago(minutes=16))
    assert look_again(job).result_url == "https://elsewhere.example/a.mp4"


@pytest.mark.parametrize("raw", ['{"job_id": "cut o', '{"job_id": "x", "status": "completed"}'])
def test_a_word_that_tells_of_no_video_keeps_no_job_alive(krea: Sandbox, raw: str) -> None:
    job = sent()
    change(job, raw=raw.replace('"x"', f'"{only(job).krea_job_id}"'), due_at=timezone.now())
    krea.misbehave("missing", times=None, on="get")
    change(job, not_found_since=ago(minutes=16))
    assert look_again(job).failure_code == FailureCode.NOT_FOUND


def test_what_another_token_cancelled_and_krea_never_ended_is_left_to_a_person(
    krea: Sandbox, settings: Settings, operator: ledger.By
) -> None:
    """A token that was renewed in between tells nothing about the jobs of the one before."""
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "9"}}
    job = sent()
    job.cancel()
    krea.misbehave("missing", times=None, on="get")
    change(job, cancel_sent_at=timezone.now() - timedelta(minutes=1))
    assert look_again(job).status == Status.CANCELLED
    change(job, account="another", not_found_since=ago(days=2))
    look_again(job)
    assert only(job).due_at is not None, "no 404 for another token is an answer"
    with pytest.raises(Conflict):
        ledger.give_up(only(job), by=operator)

    change(job, ended_at=ago(days=3))
    sweep()
    assert only(job).is_overdue
    assert VideoJob.objects.overdue().get() == job
    with pytest.raises(ProtectedError):
        job.delete()

    ledger.give_up(only(job), by=operator)

    assert history(job)[-1] == ("give_up", "cancelled", "cancelled")
    assert fresh(job).status == Status.CANCELLED, "as it was told"
    [balance] = budget.balances()
    assert balance.reserved_usd == 0
    assert not only(job).is_overdue
    look_again(job)
    assert only(job).due_at is None, "nobody could learn more"
    fresh(job).resubmit()


def test_what_ended_here_lately_is_not_overdue(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("missing", times=None, on="get")
    change(job, not_found_since=ago(minutes=16))
    look_again(job)
    change(job, ended_at=ago(hours=47))
    sweep()
    assert not only(job).is_overdue


def test_an_unreadable_webhook_about_what_was_refused_has_nothing_asked(krea: Sandbox) -> None:
    job = submitted()
    krea.misbehave("invalid_request", on="generate")
    sweep()
    assert fresh(job).status == Status.FAILED

    ledger.make_due(job.pk, 1)

    assert only(job).webhook_count == 1
    assert not fresh(job).is_asked_for, "there is no job of Krea's to ask for"


# What ended here alone and is settled.


def settled(krea: Sandbox) -> VideoJob:
    """A job that was cancelled three days ago, since when Krea does not know it."""
    job = sent()
    job.cancel()
    krea.misbehave("missing", on="get", times=None)
    change(job, cancel_sent_at=ago(minutes=1))
    look_again(job)
    pass_time(krea, 20 * 60)
    look_again(job)
    assert (fresh(job).status, only(job).due_at) == (Status.CANCELLED, None)
    pass_time(krea, 3 * 86400)
    return job


@pytest.mark.parametrize("trouble", ["missing", "server_error"])
@pytest.mark.parametrize("account", [None, "the former token"])
def test_whoever_has_a_settled_job_looked_at_again_reserves_and_blocks_nothing(
    krea: Sandbox, settings: Settings, trouble: str, account: str | None
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "9"}}
    job = settled(krea)
    if account:
        change(job, account=account)
    krea.behave()
    krea.misbehave(trouble, on="get", times=None)

    fresh(job).sync()
    sweep()

    [balance] = budget.balances()
    assert balance.reserved_usd == 0
    assert only(job).overdue_at is None
    assert fresh(job).resubmit().number == 2


def test_what_was_settled_and_turns_up_again_is_in_doubt_once_more(
    krea: Sandbox, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "9"}}
    job = settled(krea)
    krea.behave()
    krea.jobs[0].status = "processing"

    fresh(job).sync()
    sweep()

    [balance] = budget.balances()
    assert balance.reserved_usd == only(job).price_usd
    with pytest.raises(Conflict):
        fresh(job).resubmit()


@pytest.mark.parametrize("end", [Status.FAILED, Status.CANCELLED])
def test_krea_s_own_word_takes_the_place_of_the_same_end_that_was_assumed(
    krea: Sandbox, settings: Settings, end: Status
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "9"}}
    job = sent()
    krea.misbehave("missing", on="get", times=None)
    if end == Status.CANCELLED:
        job.cancel()
        change(job, cancel_sent_at=ago(minutes=1))
    change(job, not_found_since=ago(minutes=16))
    assert look_again(job).status == end
    krea.behave()
    krea.jobs[0].status = end
    if end == Status.FAILED:
        krea.jobs[0].error = {"code": "moderation", "message": "rejected"}

    look_again(job)

    row = only(job)
    assert (row.status, row.krea_status, row.due_at) == (end, end, None)
    code = FailureCode.MODERATION if end == Status.FAILED else ""
    assert (row.failure_code, fresh(job).failure_code) == (code, code)
    [balance] = budget.balances()
    assert balance.reserved_usd == 0
    assert fresh(job).resubmit().number == 2


def test_a_stumble_does_not_begin_the_day_anew_for_which_a_lost_job_is_asked_for(
    krea: Sandbox,
) -> None:
    job = sent()
    krea.misbehave("missing", on="get", times=None)
    change(job, not_found_since=ago(minutes=16))
    look_again(job)
    since = only(job).not_found_since
    krea.behave()
    krea.misbehave("server_error", on="get")
    look_again(job)
    assert only(job).not_found_since == since


def test_an_address_is_not_asked_for_for_ever_where_krea_refuses_to_tell(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    krea.move(krea.jobs[0].id, "completed")
    look_again(job)
    krea.misbehave("forbidden", on="get", times=None)
    look_again(job)
    assert only(job).due_at is not None

    change(job, ended_at=ago(minutes=61))
    look_again(job)
    assert only(job).due_at is None


def test_what_a_webhook_has_begun_anew_is_not_overdue_at_once(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("missing", on="get", times=None)
    change(job, not_found_since=ago(minutes=16))
    look_again(job)
    change(job, ended_at=ago(days=3))
    krea.behave()
    krea.misbehave("server_error", on="get", times=None)
    ledger.make_due(job.pk, 1, told(job, "https://elsewhere.example/a.mp4"))
    sweep()
    assert only(job).overdue_at is None
    change(job, last_webhook_at=ago(days=3))
    sweep()
    assert only(job).overdue_at is not None


@pytest.mark.parametrize("by_webhook", [True, False])
def test_what_may_run_beside_a_video_that_is_there_is_to_be_cancelled(
    krea: Sandbox, by_webhook: bool
) -> None:
    job = settled(krea)
    krea.behave()
    krea.jobs[0].status = "processing"
    fresh(job).resubmit()
    sweep()
    krea.move(krea.jobs[1].id, "completed")
    change(job, due_at=None)
    Submission.objects.filter(job=job, number=2).update(due_at=timezone.now())
    sweep()
    assert fresh(job).status == Status.COMPLETED

    if by_webhook:
        ledger.make_due(job.pk, 1, JobReport(krea.jobs[0].id, "dreaming"))
    else:
        fresh(job).sync()
    sweep()

    assert krea.jobs[0].status == "cancelled", "one video is enough"


def test_the_end_of_another_job_confirms_nothing(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("missing", on="get", times=None)
    change(job, not_found_since=ago(minutes=16))
    look_again(job)
    assert not ledger.confirm_end(job.pk, 1, JobReport("another", "failed"), by=ledger.WEBHOOK)
    assert only(job).krea_status == "backlogged"


def test_a_word_that_contradicts_a_verdict_is_no_repetition(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = sent()
    change(job, sent_at=ago(hours=5))
    sweep()
    ledger.give_up(only(job), by=operator)
    again = JobReport(krea.jobs[0].id, only(job).krea_status)
    assert not ledger.count_webhook(job.pk, 1, again), "Krea is asked"
