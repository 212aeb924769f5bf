"""What was told of a job is kept and heeded, whoever tells something else later."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from pytest_django import Settings

from hailuo_django import budget, ledger, pacing
from hailuo_django.krea import errors
from hailuo_django.ledger.told import MAX_NAMED
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, Status
from hailuo_django.worker.look import LookLane
from hailuo_django.worker.sweep import sweep

from .hearsay import can_be_resubmitted, deliver, let_sending_go_on, said
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
    notes,
    only,
    pass_time,
    refused,
    sent,
    submitted,
    told,
)

pytestmark = pytest.mark.django_db

ELSEWHERE = "https://elsewhere.example/a.mp4"
HOURS = 3600


def test_a_repeated_webhook_settles_no_doubt(krea: Sandbox, ended: VideoJob) -> None:
    failed = client(krea).get(krea.jobs[0].id)
    assert deliver(ended, told(krea, krea.jobs[0].id)) == 202
    assert deliver(ended, failed) == 202, "the first one, once more"

    assert not can_be_resubmitted(ended)
    sweep()
    assert fresh(ended).status == Status.COMPLETED


def test_nor_does_a_later_one_hide_a_video_that_was_told_of(krea: Sandbox) -> None:
    job = sent()
    krea.move(krea.jobs[0].id, "completed")
    assert deliver(job, said(krea.jobs[0].id, "completed", ELSEWHERE)) == 202
    assert deliver(job, said(krea.jobs[0].id, "failed")) == 202

    sweep()
    assert fresh(job).status == Status.COMPLETED


def test_a_video_told_of_without_its_address_waits_for_the_word_that_has_it(
    krea: Sandbox,
) -> None:
    job = lost(krea)
    video = told(krea, krea.jobs[0].id)
    for words in (said(video.krea_job_id, "completed"), video):
        deliver(job, words)
    assert "beside" not in notes(job)
    deliver(job, said(video.krea_job_id, "completed", ELSEWHERE))

    forgotten(krea, job)
    assert fresh(job).video_url == video.urls[0]


def test_also_where_krea_said_so_itself_and_forgot_it(krea: Sandbox) -> None:
    job = sent()
    video = told(krea, krea.jobs[0].id)
    ledger.report(job.pk, 1, said(video.krea_job_id, "completed"), by=ledger.POLL)
    assert deliver(job, video) == 202

    forgotten(krea, job)
    assert fresh(job).video_url == video.urls[0]


def test_and_where_nobody_was_waiting_for_its_address_any_more(krea: Sandbox) -> None:
    job = sent()
    video = told(krea, krea.jobs[0].id)
    ledger.report(job.pk, 1, said(video.krea_job_id, "completed"), by=ledger.POLL)
    change(job, ended_at=ago(hours=2), due_at=None)
    assert deliver(job, video) == 202

    krea.misbehave("missing", on="get", times=None)
    sweep()
    assert fresh(job).video_url == video.urls[0]


def test_the_word_about_a_job_on_record_counts_although_it_was_named_for_another(
    krea: Sandbox,
) -> None:
    other, job = lost(krea), submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)
    deliver(other, said(answer.krea_job_id, "processing"))
    lane.record(item, answer)
    deliver(job, said(answer.krea_job_id, "completed", ELSEWHERE))

    forgotten(krea, job)
    assert fresh(job).status == Status.COMPLETED


def test_many_lies_do_not_keep_a_video_out(krea: Sandbox) -> None:
    job = lost(krea)
    for number in range(MAX_NAMED):
        deliver(job, said(f"lie {number}", "processing"))
    deliver(job, told(krea, krea.jobs[0].id))

    forgotten(krea, job)
    assert fresh(job).status == Status.COMPLETED


def test_nor_are_ever_more_videos_kept_that_are_none(krea: Sandbox) -> None:
    job = lost(krea)
    for number in range(MAX_NAMED + 1):
        deliver(job, said(f"lie {number}", "completed", ELSEWHERE))
    assert Stranger.objects.count() == MAX_NAMED


@pytest.mark.parametrize("status", ["processing", "completed"])
def test_what_a_person_dismissed_is_in_question_again_once_it_is_named(
    krea: Sandbox, status: str
) -> None:
    job = lost(krea)
    for krea_job_id in (krea.jobs[0].id, "another-programs"):
        Stranger.objects.create(
            krea_job_id=krea_job_id, account=pacing.account(), dismissed_at=ago(hours=1)
        )
    deliver(job, said(krea.jobs[0].id, status))

    named = Stranger.objects.get(named_for__job=job)
    assert (named.dismissed_at, named.krea_status) == (None, status)
    assert only(job).candidate_id == krea.jobs[0].id


def test_that_the_one_named_first_has_a_video_after_all_is_noted_as_well(krea: Sandbox) -> None:
    job = lost(krea)
    for krea_job_id, status in (("a", "processing"), ("b", "processing"), ("a", "completed")):
        deliver(job, said(krea_job_id, status))

    assert "A webhook names Krea job b beside a: both may be billed." in notes(job)
    assert "A webhook names Krea job a beside b: both may be billed." in notes(job)
    assert Stranger.objects.get(krea_job_id="a").krea_status == Status.COMPLETED


def test_a_webhook_decides_about_a_job_that_another_named_before_the_answer_came(
    krea: Sandbox,
) -> None:
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)
    deliver(job, said(answer.krea_job_id, "processing"))
    lane.record(item, answer)

    assert deliver(job, said(answer.krea_job_id, "failed")) == 200
    assert fresh(job).status == Status.FAILED


def test_after_a_wrong_name_krea_is_not_asked_again_for_what_has_no_video(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    deliver(job, said("of a gateway", "processing"))
    ledger.choose(only(job), "mistyped", by=operator)
    forgotten(krea, job)
    assert only(job).candidate_id == ""


def test_krea_is_asked_again_for_what_was_told_of_once_a_wrong_name_is_rejected(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    deliver(job, told(krea, krea.jobs[0].id))
    ledger.choose(only(job), "mistyped", by=operator)

    look_again(job)
    change(job, not_found_since=ago(minutes=16))
    look_again(job)
    assert "mistyped was named and not adopted: Krea does not know it." in notes(job)
    look_again(job)
    assert fresh(job).status == Status.COMPLETED


def test_nor_does_what_is_another_ones_stay_in_its_way(krea: Sandbox) -> None:
    job = lost(krea)
    video = told(krea, krea.jobs[0].id)
    deliver(job, video)
    older = told(krea, made_twice(krea))
    deliver(job, older)
    krea.jobs[1].created_at = ago(days=2)

    sweep()
    assert only(job).candidate_id == video.krea_job_id
    sweep()
    assert fresh(job).video_url == video.urls[0]


def test_two_of_which_krea_knows_neither_are_not_asked_for_in_turn(krea: Sandbox) -> None:
    job = lost(krea)
    for krea_job_id in ("one", "another"):
        deliver(job, said(krea_job_id, "completed"))
    assert "A webhook names Krea job another beside one: both may be billed." in notes(job)

    forgotten(krea, job)
    assert only(job).candidate_id == ""
    assert only(job).status == Status.UNCONFIRMED


def test_what_waits_is_not_sent_once_a_job_is_named_for_the_one_before(
    krea: Sandbox, ended: VideoJob
) -> None:
    krea.misbehave("payment_required", on="generate")
    fresh(ended).resubmit()
    sweep()
    deliver(ended, told(krea, made_twice(krea)))
    krea.behave()
    let_sending_go_on()
    pass_time(krea, 60)

    sweep()
    assert len(krea.jobs) == 2
    ledger.dismiss(Stranger.objects.open().get(), by=ledger.WEBHOOK)
    sweep()
    assert len(krea.jobs) == 3


def test_nor_where_somebody_else_is_asked_about_what_was_named_for_it(
    krea: Sandbox, held_up: VideoJob
) -> None:
    forgotten(krea, held_up)
    krea.behave()
    krea.misbehave("lost_request", on="generate")
    let_sending_go_on()
    other = sent()
    krea.misbehave("missing", on="get", times=None)
    deliver(other, said(Stranger.objects.get().krea_job_id, "processing"))
    let_sending_go_on()
    posts = len(krea.posts)

    sweep()
    assert only(other).candidate_id != ""
    assert len(krea.posts) == posts
    assert only(held_up).status == Status.UNSENT


def test_what_never_reached_krea_is_not_sent_again_beside_a_named_job(
    krea: Sandbox, ended: VideoJob, settings: Settings
) -> None:
    settings.HAILUO |= {"ADOPT_STRANGERS": True, "RESEND_WHEN_ABSENT": True}
    second = made_twice(krea)
    pass_time(krea, HOURS)
    krea.misbehave("lost_request", on="generate")
    fresh(ended).resubmit()
    sweep()
    deliver(ended, told(krea, second, "processing"))
    pass_time(krea, 16 * 60)
    sent()

    Submission.objects.filter(job=ended, number=2).update(due_at=ago(seconds=1))
    sweep()
    newest = ended.submissions.get(number=2)
    assert newest.evidence["absent"]
    assert newest.status == Status.UNCONFIRMED
    assert newest.note.startswith("Not sent again: A job of Krea's was named for a submission")
    assert fresh(ended).submission_count == 2


@pytest.mark.logs_errors
def test_a_site_that_breaks_a_rule_of_its_own_tables_loses_no_answer(krea: Sandbox) -> None:
    job = submitted()
    with refused(Action.ADOPT, job, IntegrityError):
        sweep()
    change(job, lease_expires_at=ago(seconds=1))
    sweep()

    look_again(job)
    assert only(job).krea_job_id == krea.jobs[0].id


@pytest.mark.logs_errors
def test_nor_does_it_reject_what_was_named(krea: Sandbox) -> None:
    job = lost(krea)
    deliver(job, told(krea, krea.jobs[0].id, "processing"))
    with refused(Action.ADOPT, job, IntegrityError):
        sweep()

    look_again(job)
    assert only(job).krea_job_id == krea.jobs[0].id


def test_the_answer_to_what_was_deleted_meanwhile_is_an_unknown_job(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)
    change(job, lease_expires_at=ago(seconds=1))
    sweep()
    ledger.give_up(only(job), by=operator)
    fresh(job).delete()

    lane.record(item, answer)
    assert Stranger.objects.open().get().krea_job_id == answer.krea_job_id


def test_an_answer_that_krea_does_not_know_it_gives_way_to_a_webhook_since(
    krea: Sandbox,
) -> None:
    job = sent()
    krea.misbehave("missing", on="get", times=None)
    look_again(job)
    change(job, not_found_since=ago(minutes=16), due_at=ago(seconds=1))
    lane = LookLane(client(krea))
    item = lane.take(60)
    assert item
    with pytest.raises(errors.NotFound) as absent:
        lane.call(item)
    deliver(job, said(krea.jobs[0].id, "processing"))

    lane.record(item, absent.value)
    assert fresh(job).status == Status.PROCESSING


def test_what_was_given_up_is_reserved_again_once_krea_knows_it(
    krea: Sandbox, operator: ledger.By, settings: Settings
) -> None:
    settings.HAILUO |= {"BUDGET": {"day": "10"}}
    job = lost(krea)
    deliver(job, told(krea, krea.jobs[0].id, "processing"))
    krea.misbehave("server_error", on="get", times=None)
    pass_time(krea, 5 * HOURS)
    look_again(job)
    ledger.give_up(only(job), by=operator)
    assert budget.balances()[0].reserved_usd == 0

    krea.behave()
    look_again(job)
    assert budget.balances()[0].reserved_usd == only(job).price_usd


def test_that_it_failed_is_no_longer_said_of_what_krea_lists_as_completed(
    krea: Sandbox,
) -> None:
    job = sent()
    second = made_twice(krea)
    deliver(job, told(krea, second, "failed"))
    other = lost(krea)
    krea.move(second, "completed")

    look_again(other)
    assert Stranger.objects.get(krea_job_id=second).krea_status == Status.COMPLETED


@pytest.mark.parametrize("assumed", [True, False], ids=["not found before", "running"])
def test_what_krea_answered_before_a_webhook_does_not_settle_what_the_webhook_told(
    krea: Sandbox, *, assumed: bool
) -> None:
    job = sent()
    if assumed:
        forgotten(krea, job)
        krea.behave()
    krea.move(krea.jobs[0].id, "failed", deliver=False)
    change(job, due_at=ago(seconds=1))
    lane = LookLane(client(krea))
    under_way = lane.take(60)
    assert under_way is not None
    answer = lane.call(under_way)

    assert deliver(job, said(krea.jobs[0].id, "completed", ELSEWHERE)) == 202
    lane.record(under_way, answer)

    assert only(job).due_at is not None
    assert "A webhook says" not in notes(job), "Krea has said nothing against it"
    assert fresh(job).status != Status.FAILED or not can_be_resubmitted(job)


@pytest.mark.parametrize("knows", [True, False], ids=["Krea knows it", "Krea has forgotten it"])
def test_a_video_that_may_not_be_linked_is_asked_for_when_a_webhook_names_a_better_place(
    krea: Sandbox, *, knows: bool
) -> None:
    job = sent(prompt="[foreign_result_host]")
    video = krea.jobs[0]
    krea.move(video.id, "completed", deliver=False)
    at_first = look_again(job).result_url
    assert deliver(job, said(video.id, "completed", at_first)) == 200, "it is on record"

    linked = f"{krea.url}/videos/1.mp4"
    video.result = {"urls": [linked]}
    if not knows:
        krea.misbehave("missing", on="get", times=None)
    assert deliver(job, said(video.id, "completed", linked)) == 202
    sweep()
    assert fresh(job).video_url == linked
    assert deliver(job, said(video.id, "completed", ELSEWHERE)) == 200, "it has a better one"
