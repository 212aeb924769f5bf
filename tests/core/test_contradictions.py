"""Krea, its webhooks and its answers contradict each other, and nothing is paid or lost by it."""

from __future__ import annotations

import pytest
from django.db.models import ProtectedError
from pytest_django import Settings

from hailuo_django import budget, ledger
from hailuo_django.exceptions import Conflict
from hailuo_django.models import JobEvent, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, FailureCode, Status
from hailuo_django.worker.send import SendLane
from hailuo_django.worker.sweep import sweep

from .hearsay import can_be_resubmitted, deliver, let_sending_go_on
from .rows import (
    ago,
    change,
    claimed,
    client,
    forgotten,
    fresh,
    look_again,
    lost,
    made_twice,
    named,
    notes,
    only,
    pass_time,
    sent,
    submitted,
    told,
)

pytestmark = pytest.mark.django_db

HOURS = 3600


def unknown_for_a_day(krea: Sandbox, job: VideoJob) -> None:
    """Krea does not know the job for so long that nobody goes on waiting."""
    forgotten(krea, job)
    change(job, not_found_since=ago(hours=25))
    look_again(job)


def test_a_video_told_of_after_krea_told_of_an_end_is_in_doubt_and_brought_home(
    krea: Sandbox, ended: VideoJob, settings: Settings
) -> None:
    settings.HAILUO |= {"BUDGET": {"day": "10"}}
    video = told(krea, krea.jobs[0].id)
    krea.misbehave("server_error", on="get", times=None)

    assert deliver(ended, video) == 202
    assert deliver(ended, video) == 202, "and again Krea is to say so"
    sweep()

    assert "A webhook says completed, against failed: Krea is asked." in notes(ended)
    assert budget.balances()[0].reserved_usd == only(ended).price_usd
    assert not can_be_resubmitted(ended)

    krea.behave()
    forgotten(krea, ended)
    assert fresh(ended).status == Status.COMPLETED
    assert fresh(ended).video_url == video.urls[0]


def test_where_krea_says_its_end_once_more_nothing_is_in_doubt(
    krea: Sandbox, ended: VideoJob
) -> None:
    video = told(krea, krea.jobs[0].id)
    krea.move(krea.jobs[0].id, "failed")
    deliver(ended, video)

    sweep()

    assert fresh(ended).status == Status.FAILED
    assert not Submission.objects.billable().exists()
    assert can_be_resubmitted(ended)


def test_a_look_that_lags_behind_does_not_wipe_out_a_webhooks_word(krea: Sandbox) -> None:
    job = lost(krea)
    video = told(krea, krea.jobs[0].id)
    krea.move(krea.jobs[0].id, "processing")
    deliver(job, video)

    sweep()
    assert fresh(job).status == Status.PROCESSING
    forgotten(krea, job)

    assert fresh(job).status == Status.COMPLETED
    assert fresh(job).video_url == video.urls[0]


def test_nor_does_a_later_name_push_out_one_that_a_video_was_told_of(krea: Sandbox) -> None:
    job = lost(krea)
    deliver(job, told(krea, krea.jobs[0].id))
    deliver(job, named("another"))

    sweep()

    assert fresh(job).status == Status.COMPLETED
    assert only(job).krea_job_id == krea.jobs[0].id


def test_with_confirm_no_word_about_a_job_on_record_is_kept(
    krea: Sandbox, settings: Settings
) -> None:
    settings.HAILUO |= {"WEBHOOK_CONFIRM": True}
    job = sent()
    deliver(job, told(krea, krea.jobs[0].id))
    assert not Stranger.objects.exists()

    unknown_for_a_day(krea, job)
    assert fresh(job).failure_code == FailureCode.NOT_FOUND


def test_the_answer_to_the_request_is_kept_where_another_job_is_on_record_by_then(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)
    other = made_twice(krea)
    ledger.make_due(job.pk, 1, named(other))
    change(job, lease_expires_at=ago(seconds=1))
    sweep()
    assert only(job).krea_job_id == other

    lane.record(item, answer)
    krea.move(other, "failed")
    look_again(job)

    detail = f"Krea's answer names Krea job {answer.krea_job_id} beside {other}"
    assert detail in notes(job)
    assert not can_be_resubmitted(job)
    krea.move(answer.krea_job_id, "completed")
    ledger.choose(only(job), answer.krea_job_id, by=operator)
    sweep()
    assert fresh(job).status == Status.COMPLETED


@pytest.fixture
def gave_way(krea: Sandbox, operator: ledger.By) -> tuple[VideoJob, str, str]:
    """Given up while Krea said that it runs, and another taken in its place, which failed."""
    job = sent()
    first, second = krea.jobs[0].id, made_twice(krea)
    krea.move(first, "processing")
    look_again(job)
    pass_time(krea, 5 * HOURS)
    sweep()
    ledger.give_up(only(job), by=operator)
    look_again(job)
    ledger.make_due(job.pk, 1, told(krea, second, "processing"))
    ledger.choose(only(job), second, by=operator)
    look_again(job)
    krea.move(second, "failed")
    look_again(job)
    return job, first, second


def test_what_gave_way_while_krea_said_that_it_runs_stays_in_question(
    krea: Sandbox, gave_way: tuple[VideoJob, str, str], operator: ledger.By
) -> None:
    job, first, _ = gave_way
    assert Stranger.objects.open().get().krea_job_id == first
    assert not can_be_resubmitted(job)

    krea.move(first, "completed")
    ledger.choose(only(job), first, by=operator)
    sweep()
    assert fresh(job).status == Status.COMPLETED


def test_and_the_job_is_free_again_once_a_person_says_that_it_is_none_of_ours(
    gave_way: tuple[VideoJob, str, str], operator: ledger.By
) -> None:
    job = gave_way[0]
    ledger.dismiss(Stranger.objects.open().get(), by=operator)
    assert can_be_resubmitted(job)


def test_that_krea_does_not_know_it_for_a_moment_frees_nothing(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = sent()
    krea.move(krea.jobs[0].id, "processing")
    pass_time(krea, 5 * HOURS)
    krea.misbehave("missing", on="get", times=1)
    sweep()

    ledger.give_up(only(job), by=operator)

    assert not can_be_resubmitted(job)


def test_what_a_sender_has_read_before_a_name_was_rejected_is_not_sent(
    krea: Sandbox, held_up: VideoJob
) -> None:
    forgotten(krea, held_up)
    let_sending_go_on()
    lane = SendLane(client(krea))
    lane.batch.append(only(held_up))

    assert lane.take(60) is None
    assert only(held_up).attempts == 1


def test_what_waits_for_a_job_that_krea_will_not_speak_of_is_a_persons_to_decide(
    krea: Sandbox, held_up: VideoJob, operator: ledger.By
) -> None:
    krea.misbehave("forbidden", on="get", times=None)
    let_sending_go_on()
    pass_time(krea, 5 * HOURS)
    sweep()
    assert only(held_up).candidate_id

    ledger.dismiss(Stranger.objects.open().get(), by=operator)

    assert only(held_up).candidate_id == ""
    last = held_up.events.latest("pk")
    assert (last.action, last.actor) == (Action.NOTE, operator.actor)
    krea.behave()
    let_sending_go_on()
    sweep()
    assert fresh(held_up).status == Status.BACKLOGGED


def test_looking_again_asks_for_what_was_named_although_it_was_not_sent(
    krea: Sandbox, held_up: VideoJob
) -> None:
    look_again(held_up)
    change(held_up, due_at=ago(hours=-1))
    polls = only(held_up).poll_count

    held_up.sync()
    sweep()

    assert only(held_up).poll_count == polls + 1


@pytest.fixture
def resubmitted(krea: Sandbox) -> VideoJob:
    """A job that Krea did not know for a day; its second submission waits for the account."""
    job = sent()
    unknown_for_a_day(krea, job)
    krea.behave()
    krea.misbehave("payment_required", on="generate")
    fresh(job).resubmit()
    sweep()
    krea.behave()
    return job


def test_what_waits_is_not_sent_once_krea_says_that_the_one_before_runs(
    krea: Sandbox, resubmitted: VideoJob
) -> None:
    first = krea.jobs[0].id
    deliver(resubmitted, told(krea, first, "processing"))
    let_sending_go_on()
    pass_time(krea, 60)
    sweep()
    assert len(krea.jobs) == 1

    krea.move(first, "failed")
    deliver(resubmitted, told(krea, first, "failed"))
    sweep()
    assert len(krea.jobs) == 2, "and goes out when that has failed"


def test_unless_somebody_has_forced_it(krea: Sandbox, resubmitted: VideoJob) -> None:
    deliver(resubmitted, told(krea, krea.jobs[0].id, "processing"))
    fresh(resubmitted).resubmit(force=True)
    let_sending_go_on()
    pass_time(krea, 60)
    sweep()
    assert len(krea.jobs) == 2


def test_nor_where_a_person_has_sent_it_again(krea: Sandbox) -> None:
    job = lost(krea)
    ledger.send_again(only(job), by=ledger.By(JobEvent.Source.OPERATOR))
    ledger.make_due(job.pk, 1, told(krea, krea.jobs[0].id, "processing"))
    sweep()
    assert len(krea.jobs) == 2


def test_what_a_webhook_has_named_for_a_job_keeps_it_from_being_deleted(
    krea: Sandbox, ended: VideoJob, operator: ledger.By
) -> None:
    ledger.make_due(ended.pk, 1, named(made_twice(krea)))
    sweep()

    for delete in (
        fresh(ended).delete,
        only(ended).delete,
        VideoJob.objects.filter(pk=ended.pk).delete,
        Submission.objects.filter(job=ended).delete,
    ):
        with pytest.raises(ProtectedError):
            delete()

    ledger.dismiss(Stranger.objects.open().get(), by=operator)
    fresh(ended).delete()
    assert not VideoJob.objects.exists()


def test_why_it_failed_is_krea_to_say_also_after_it_was_given_up(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.give_up(only(job), by=operator)
    deliver(job, told(krea, krea.jobs[0].id, "failed"))

    sweep()

    assert only(job).failure_code == FailureCode.UPSTREAM_ERROR
    assert only(job).error_message
    assert only(job).due_at is None


def test_a_verdict_about_what_krea_is_asked_about_waits_until_it_is_overdue(
    held_up: VideoJob, operator: ledger.By
) -> None:
    with pytest.raises(Conflict):
        ledger.dismiss(Stranger.objects.get(), by=operator)


def test_what_is_named_for_a_twin_of_a_video_is_wished_cancelled(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.give_up(only(job), by=operator)
    fresh(job).resubmit()
    sweep()
    krea.move(krea.jobs[1].id, "completed")
    look_again(job)
    assert fresh(job).status == Status.COMPLETED
    first = Submission.objects.get(job=job, number=1)

    ledger.choose(first, krea.jobs[0].id, by=operator)
    first.refresh_from_db()
    assert first.cancel_requested_at

    sweep()
    sweep()
    assert krea.jobs[0].status == "cancelled"
    assert not Submission.objects.billable().exists()
