"""A job that somebody named is asked for, and gives way where it is none of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import budget, ledger
from hailuo_django.clock import site_time
from hailuo_django.exceptions import SUBMISSION_ALIVE, Conflict
from hailuo_django.krea.wire import read_job
from hailuo_django.ledger.told import MAX_NAMED
from hailuo_django.models import KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.sandbox.jobs import SandboxJob
from hailuo_django.states import Action, FailureCode, Status
from hailuo_django.worker.look import LookLane
from hailuo_django.worker.sweep import sweep

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
    refused,
    sent,
    submitted,
    told,
)

pytestmark = pytest.mark.django_db


def test_of_two_jobs_that_one_request_made_the_first_that_was_named_is_not_forgotten(
    krea: Sandbox,
) -> None:
    job = lost(krea)
    first, second = krea.jobs[0].id, made_twice(krea)
    for krea_job_id in (first, second, first, second):
        ledger.make_due(job.pk, 1, named(krea_job_id))

    look_again(job)

    assert only(job).krea_job_id == second
    assert f"names Krea job {second} beside {first}: both may be billed" in notes(job)
    kept = Stranger.objects.open().get()
    assert (kept.krea_job_id, kept.account) == (first, only(job).account)


def test_nor_where_the_answer_to_the_request_names_another(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)
    other = made_twice(krea)
    ledger.make_due(job.pk, 1, named(other))

    lane.record(item, answer)

    assert only(job).krea_job_id == answer.krea_job_id
    assert Stranger.objects.open().get().krea_job_id == other
    assert other in notes(job)


def test_what_another_name_has_replaced_while_krea_was_asked_is_not_adopted(
    krea: Sandbox,
) -> None:
    job = lost(krea)
    first, second = krea.jobs[0].id, made_twice(krea)
    ledger.make_due(job.pk, 1, named(first))
    lane = LookLane(client(krea))
    item = lane.take(60)
    assert item is not None
    answer = lane.call(item)
    ledger.make_due(job.pk, 1, named(second))

    lane.record(item, answer)

    assert (only(job).krea_job_id, only(job).candidate_id) == (None, second)
    look_again(job)
    assert only(job).krea_job_id == second


def test_what_a_person_named_and_a_webhook_knew_better_is_no_unknown_job(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.choose(only(job), "mistyped", by=operator)
    ledger.make_due(job.pk, 1, named(krea.jobs[0].id))
    look_again(job)
    assert only(job).krea_job_id == krea.jobs[0].id
    assert not Stranger.objects.open().exists()


@pytest.mark.parametrize("status", [400, 410, 422])
def test_what_krea_takes_for_no_id_at_all_gives_way_as_well(
    krea: Sandbox, operator: ledger.By, status: int
) -> None:
    job = lost(krea)
    ledger.choose(only(job), "mistyped", by=operator)
    krea.misbehave("other_refusal", on="get", times=None, status=float(status))
    look_again(job)
    with pytest.raises(Conflict):
        ledger.give_up(only(job), by=operator)

    change(job, not_found_since=ago(minutes=16))
    look_again(job)

    assert (only(job).candidate_id, only(job).not_found_since) == ("", None)
    ledger.give_up(only(job), by=operator)
    assert only(job).failure_code == FailureCode.GIVEN_UP


def test_an_account_without_the_right_says_nothing_about_a_job_that_was_named(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.choose(only(job), krea.jobs[0].id, by=operator)
    krea.misbehave("forbidden", on="get")
    change(job, not_found_since=ago(minutes=16))
    look_again(job)
    assert only(job).not_found_since is None
    look_again(job)
    assert only(job).krea_job_id == krea.jobs[0].id


@pytest.mark.logs_errors
def test_an_answer_that_a_receiver_of_the_site_refuses_is_written_down_all_the_same(
    krea: Sandbox,
) -> None:
    job = submitted()

    with refused(Action.ADOPT, job):
        sweep()
    assert only(job).candidate_id == krea.jobs[0].id, "it was paid for"

    change(job, lease_expires_at=ago(seconds=1))
    for _pass in range(2):
        sweep()
    assert (only(job).krea_job_id, only(job).status) == (krea.jobs[0].id, Status.BACKLOGGED)


# What a webhook has said of a job that Krea does not confirm.


def test_a_video_that_only_the_webhook_of_a_lost_answer_told_of_is_brought_home(
    krea: Sandbox,
) -> None:
    job = lost(krea)
    news = told(krea, krea.jobs[0].id)
    ledger.make_due(job.pk, 1, news)

    forgotten(krea, job)

    assert (fresh(job).status, fresh(job).result_url) == (Status.COMPLETED, news.urls[0])
    assert only(job).krea_job_id == news.krea_job_id
    assert job.events.latest("pk").source == "webhook"


def test_nor_is_it_paid_for_again_where_it_waits_to_be_sent(krea: Sandbox) -> None:
    krea.misbehave("payment_required", on="generate")
    job = sent()
    ledger.make_due(job.pk, 1, told(krea, made_twice(krea)))
    forgotten(krea, job)
    assert fresh(job).status == Status.COMPLETED


def test_with_confirm_a_webhooks_word_alone_is_kept_for_a_person(
    krea: Sandbox, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "WEBHOOK_CONFIRM": True}
    job = lost(krea)
    news = told(krea, krea.jobs[0].id)
    ledger.make_due(job.pk, 1, news)

    forgotten(krea, job)

    assert fresh(job).status == Status.UNCONFIRMED
    kept = Stranger.objects.open().get()
    assert (kept.krea_status, kept.named_for) == ("completed", only(job))
    assert news.urls[0] in kept.raw


@pytest.mark.parametrize("cancelled", [False, True])
def test_what_a_webhook_has_named_is_not_sent_again_because_krea_lists_no_such_job(
    krea: Sandbox, settings: Settings, operator: ledger.By, cancelled: bool
) -> None:
    settings.HAILUO = {**settings.HAILUO, "ADOPT_STRANGERS": True, "RESEND_WHEN_ABSENT": True}
    krea.misbehave("lost_request", on="generate")
    job = sent()
    ledger.make_due(job.pk, 1, named("forgotten"))
    forgotten(krea, job)
    pass_time(krea, 16 * 60)
    control = sent()
    if cancelled:
        job.cancel()

    look_again(job)

    assert only(job).evidence["absent"], f"but for its webhook, by {only(control).krea_job_id}"
    assert fresh(job).status == Status.UNCONFIRMED
    ledger.dismiss(Stranger.objects.open().get(), by=operator)
    sweep()
    assert fresh(job).status == (Status.CANCELLED if cancelled else Status.UNSENT)


def test_what_waits_to_be_sent_and_was_named_is_sent_once_a_person_says_that_it_was_not(
    krea: Sandbox, operator: ledger.By
) -> None:
    krea.misbehave("payment_required", on="generate")
    job = sent()
    KreaAccount.objects.update(send_after=None)
    ledger.make_due(job.pk, 1, named("forgotten"))
    forgotten(krea, job)
    sweep()
    assert (fresh(job).status, len(krea.jobs)) == (Status.UNSENT, 0)

    ledger.dismiss(Stranger.objects.open().get(), by=operator)
    sweep()

    assert fresh(job).status == Status.BACKLOGGED


def test_what_is_older_than_its_order_holds_nothing_up(krea: Sandbox) -> None:
    older = made_twice(krea)
    pass_time(krea, 2 * 3600)
    krea.misbehave("payment_required", on="generate")
    job = sent()
    KreaAccount.objects.update(send_after=None)
    ledger.make_due(job.pk, 1, named(older))
    for _pass in range(2):
        sweep()
    assert fresh(job).status == Status.BACKLOGGED
    assert Stranger.objects.open().get().named_for is None


def test_a_second_job_whose_webhook_comes_after_the_first_has_failed_is_kept_and_can_be_taken(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    second, first = krea.jobs[0].id, made_twice(krea)
    ledger.make_due(job.pk, 1, told(krea, first, "failed"))
    sweep()
    assert (fresh(job).status, only(job).krea_job_id) == (Status.FAILED, first)

    ledger.make_due(job.pk, 1, told(krea, second))
    sweep()

    assert Stranger.objects.open().get().named_for == only(job)
    with pytest.raises(Conflict) as refusal:
        fresh(job).resubmit()
    assert refusal.value.code == SUBMISSION_ALIVE
    ledger.choose(only(job), second, by=operator)
    sweep()
    assert (fresh(job).status, only(job).krea_job_id) == (Status.COMPLETED, second)
    assert f"Krea job {first} gives way: failed" in notes(job)
    assert not Stranger.objects.open().exists()


def failed_and_named_another(krea: Sandbox) -> tuple[VideoJob, str, str]:
    """A job whose request was passed on twice: the first has failed, the second runs."""
    job = lost(krea)
    second, first = krea.jobs[0].id, made_twice(krea)
    ledger.make_due(job.pk, 1, told(krea, first, "failed"))
    sweep()
    ledger.make_due(job.pk, 1, named(second))
    return job, first, second


def test_what_was_dismissed_too_early_comes_back_when_its_webhook_tells_of_a_video(
    krea: Sandbox, operator: ledger.By
) -> None:
    job, _first, second = failed_and_named_another(krea)
    ledger.dismiss(Stranger.objects.open().get(), by=operator)
    assert f"Not ours: Krea job {second}" in notes(job)

    ledger.make_due(job.pk, 1, told(krea, second))

    with pytest.raises(Conflict):
        fresh(job).resubmit()
    ledger.choose(only(job), second, by=operator)
    sweep()
    assert fresh(job).status == Status.COMPLETED


def test_the_second_can_be_taken_also_where_krea_does_not_know_the_first_any_more(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = sent()
    second = made_twice(krea)
    krea.misbehave("missing", on="get", times=None)
    change(job, not_found_since=ago(minutes=16))
    assert look_again(job).failure_code == FailureCode.NOT_FOUND
    krea.behave()
    ledger.make_due(job.pk, 1, told(krea, second))
    change(job, due_at=None)

    ledger.choose(only(job), second, by=operator)
    sweep()

    assert (fresh(job).status, only(job).krea_job_id) == (Status.COMPLETED, second)


def test_the_first_does_not_come_back_when_its_webhook_is_repeated(
    krea: Sandbox, operator: ledger.By
) -> None:
    job, first, second = failed_and_named_another(krea)
    ledger.choose(only(job), second, by=operator)
    ledger.make_due(job.pk, 1, client(krea).get(first))
    sweep()
    assert only(job).krea_job_id == second


def test_a_wish_to_cancel_the_first_is_none_about_the_second(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = sent()
    second = made_twice(krea)
    job.cancel()
    for _pass in range(2):
        look_again(job)
    assert only(job).krea_status == "cancelled"
    ledger.make_due(job.pk, 1, told(krea, second, "processing"))
    ledger.choose(only(job), second, by=operator)
    sweep()
    assert krea.jobs[1].status == "processing"


def test_what_is_given_up_while_krea_is_asked_is_resubmitted_by_force_only_then_and_later(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.make_due(job.pk, 1, named(krea.jobs[0].id))
    krea.misbehave("missing", on="get", times=None)
    look_again(job)
    change(job, not_found_since=ago(minutes=16))
    ledger.give_up(only(job), by=operator)
    for _pass in range(2):
        with pytest.raises(Conflict):
            fresh(job).resubmit()
        sweep()
    assert fresh(job).resubmit(force=True).number == 2


def test_whoever_sends_again_what_a_webhook_has_named_is_told_in_the_history(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.make_due(job.pk, 1, named("forgotten"))
    forgotten(krea, job)
    ledger.send_again(only(job), by=operator)
    assert "Krea job forgotten, named for a submission, may be billed." in (
        job.events.filter(action=Action.RESUBMIT).get().detail
    )


def test_a_long_word_is_kept_by_its_gist(krea: Sandbox) -> None:
    job = lost(krea)
    krea.move(krea.jobs[0].id, "completed")
    long = {"job_id": krea.jobs[0].id, "status": "completed", "padding": "x" * 20_000}
    news = read_job(json.dumps(long | {"result": {"urls": [f"{krea.url}/videos/a.mp4"]}}))
    ledger.make_due(job.pk, 1, news)
    forgotten(krea, job)
    assert (fresh(job).status, fresh(job).result_url) == (Status.COMPLETED, news.urls[0])


def test_what_was_named_and_given_up_under_a_former_token_is_open_again(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.make_due(job.pk, 1, named("of-the-former-token"))
    forgotten(krea, job, account="former")
    assert only(job).candidate_id
    ledger.give_up(only(job), by=operator)
    look_again(job)
    assert (only(job).candidate_id, only(job).due_at) == ("", None)
    assert only(job).note.endswith("not adopted: Nobody waits for an answer about it.")
    assert Stranger.objects.open().get().named_for == only(job)


def test_whoever_forces_another_is_told_of_it(krea: Sandbox) -> None:
    job = lost(krea)
    second, first = krea.jobs[0].id, made_twice(krea)
    ledger.make_due(job.pk, 1, told(krea, first, "failed"))
    sweep()
    ledger.make_due(job.pk, 1, named(second))
    fresh(job).resubmit(force=True)
    assert f"Krea job {second}, named for a submission, may be billed" in (
        job.events.latest("pk").detail
    )


def test_what_runs_does_not_give_way(krea: Sandbox, operator: ledger.By) -> None:
    job = sent()
    other = made_twice(krea)
    ledger.make_due(job.pk, 1, named(other))
    with pytest.raises(Conflict):
        ledger.choose(only(job), other, by=operator)
    assert only(job).krea_job_id == krea.jobs[0].id


def test_what_the_webhook_of_one_has_named_is_not_adopted_for_another(
    krea: Sandbox, settings: Settings, operator: ledger.By
) -> None:
    settings.HAILUO = {**settings.HAILUO, "ADOPT_STRANGERS": True}
    job = sent()
    doubled = made_twice(krea)
    ledger.make_due(job.pk, 1, named(doubled))
    krea.misbehave("lost_request", on="generate")
    another = sent()
    pass_time(krea, 20 * 60)

    look_again(another)

    assert fresh(another).status == Status.UNCONFIRMED
    with pytest.raises(Conflict) as refusal:
        ledger.choose(only(another), doubled, by=operator)
    assert str(job.pk) in refusal.value.message


def test_nor_may_a_person_take_what_krea_is_being_asked_about_for_another(
    krea: Sandbox, operator: ledger.By
) -> None:
    first, second = lost(krea), lost(krea)
    ledger.make_due(first.pk, 1, named(krea.jobs[0].id))
    with pytest.raises(Conflict) as refusal:
        ledger.choose(only(second), krea.jobs[0].id, by=operator)
    assert refusal.value.code == "known_job"


def test_a_token_fills_no_table(krea: Sandbox) -> None:
    job = lost(krea)
    for number in range(30):
        ledger.make_due(job.pk, 1, named(f"lie-{number}"))
    assert Stranger.objects.count() == MAX_NAMED
    assert job.events.count() < 20


def test_a_late_word_does_not_replace_an_end_that_was_told(krea: Sandbox) -> None:
    job = lost(krea)
    news = told(krea, krea.jobs[0].id)
    for word in (news, named(news.krea_job_id)):
        ledger.make_due(job.pk, 1, word)
    ledger.remember_strangers(only(job).account, [named(news.krea_job_id)])
    assert Stranger.objects.get().raw == news.raw


class InAnyCase(dict[str, SandboxJob]):
    """The jobs of a Krea that does not mind in which case their ids are written."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)


def test_one_job_in_two_spellings_is_not_two(krea: Sandbox, operator: ledger.By) -> None:
    first, second = lost(krea), lost(krea)
    krea._upstream.jobs = InAnyCase(krea._upstream.jobs)
    found = krea.jobs[0].id
    ledger.choose(only(first), found.upper(), by=operator)
    look_again(first)

    assert only(first).krea_job_id == found, "as Krea spells it"
    with pytest.raises(Conflict):
        ledger.choose(only(second), found, by=operator)


# What Krea gives no answer about.


@pytest.mark.parametrize("trouble", ["server_error", "forbidden"])
def test_a_job_that_was_named_blocks_no_verdict_for_ever(
    krea: Sandbox, operator: ledger.By, settings: Settings, trouble: str
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "9"}}
    job = lost(krea)
    ledger.make_due(job.pk, 1, named(krea.jobs[0].id))
    krea.misbehave(trouble, on="get", times=None)
    look_again(job)
    with pytest.raises(Conflict):
        ledger.give_up(only(job), by=operator)

    pass_time(krea, 5 * 3600)
    look_again(job)
    assert job.pk in Submission.objects.undecided(timezone.now()).values_list("job", flat=True)
    ledger.give_up(only(job), by=operator)

    look_again(job)
    [balance] = budget.balances()
    assert balance.reserved_usd == 0
    krea.behave()
    krea.move(krea.jobs[0].id, "completed")
    look_again(job)
    assert fresh(job).status == Status.COMPLETED, "it is asked for all the same"


def test_what_a_webhook_has_named_keeps_the_time_at_which_it_was_made(krea: Sandbox) -> None:
    job = lost(krea)
    news = client(krea).get(krea.jobs[0].id)
    ledger.make_due(job.pk, 1, news)
    kept = Stranger.objects.get()
    assert news.created_at
    assert kept.krea_created_at == site_time(news.created_at)
    assert kept.account == only(job).account


def test_what_krea_has_listed_before_is_named_as_well(krea: Sandbox) -> None:
    job, another = lost(krea), lost(krea)
    ids = [made.id for made in krea.jobs]
    for row in (job, another):
        look_again(row)
    assert Stranger.objects.filter(named_for=None).count() == 2

    for krea_job_id in ids:
        ledger.make_due(job.pk, 1, named(krea_job_id))

    assert set(Stranger.objects.values_list("named_for", flat=True)) == {only(job).pk}
    assert f"names Krea job {ids[1]} beside {ids[0]}: both may be billed" in notes(job)
    assert not notes(another)


def test_a_person_who_names_another_is_told_what_a_webhook_had_named(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.make_due(job.pk, 1, named("told-by-a-webhook"))
    ledger.choose(only(job), krea.jobs[0].id, by=operator)
    said = f"Krea job told-by-a-webhook was named for it before {krea.jobs[0].id}, and may be"
    [note] = job.events.filter(action=Action.NOTE, detail=f"{said} billed as well.")
    assert (note.source, note.actor) == (operator.source, operator.actor)


def test_what_cannot_be_an_id_is_said_to_be_none(krea: Sandbox, operator: ledger.By) -> None:
    job = lost(krea)
    with pytest.raises(Conflict, match=r"^This cannot be the id of a Krea job\.$") as refusal:
        ledger.choose(only(job), "..", by=operator)
    assert refusal.value.code == "invalid_id"


def test_what_gave_way_is_kept_with_all_that_was_known_of_it(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = sent()
    first, second = krea.jobs[0].id, made_twice(krea)
    krea.move(first, "failed")
    look_again(job)
    ledger.make_due(job.pk, 1, named(second))
    was = only(job)
    ledger.choose(only(job), second, by=operator)

    assert f"Krea job {first} gives way: failed upstream_error." in notes(job)
    kept = Stranger.objects.get(krea_job_id=first)
    assert (kept.account, kept.krea_status, kept.raw) == (was.account, "failed", was.raw)
    assert (kept.named_for, kept.dismissed_by) == (was, None)
    assert kept.dismissed_at
    assert only(job).krea_status == ""


def test_one_candidate_that_is_rejected_leaves_the_same_elsewhere(
    krea: Sandbox, operator: ledger.By
) -> None:
    job, another = lost(krea), lost(krea)
    for row in (job, another):
        change(row, candidate_id="the-same")
    ledger.reject_candidate(only(job), "Krea does not know it.")
    assert (only(job).candidate_id, only(another).candidate_id) == ("", "the-same")
