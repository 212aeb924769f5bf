"""A job that somebody named is asked for, and gives way where it is none of ours."""

from __future__ import annotations

import pytest

from hailuo_django import ledger
from hailuo_django.exceptions import Conflict
from hailuo_django.krea.wire import generate_body
from hailuo_django.models import Stranger, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, FailureCode, Status
from hailuo_django.worker.look import LookLane
from hailuo_django.worker.sweep import sweep

from .rows import ago, change, claimed, client, look_again, named, only, refused, sent, submitted

pytestmark = pytest.mark.django_db


def lost(krea: Sandbox) -> VideoJob:
    krea.misbehave("lost_answer", on="generate")
    return sent()


def made_twice(krea: Sandbox) -> str:
    """The id of a second job that a gateway made of one request."""
    body = generate_body(prompt="a lighthouse at dusk", resolution="768p", duration=6)
    return client(krea).generate(body).krea_job_id


def notes(job: VideoJob) -> str:
    return " ".join(job.events.filter(action=Action.NOTE).values_list("detail", flat=True))


def test_of_two_jobs_that_one_request_made_the_first_that_was_named_is_not_forgotten(
    krea: Sandbox,
) -> None:
    job = lost(krea)
    first, second = krea.jobs[0].id, made_twice(krea)
    for krea_job_id in (first, second, first, second):
        ledger.make_due(job.pk, 1, named(krea_job_id))

    look_again(job)

    assert only(job).krea_job_id == second
    assert f"Krea job {first} was named for it before {second}" in notes(job)
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
    assert not Stranger.objects.exists()


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
