"""Each submission is POSTed at most once with an unknown outcome, whatever Krea answers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import ledger
from hailuo_django.deadlines import call_seconds, lease_seconds
from hailuo_django.krea.errors import AccountProblem, Ambiguous, KreaError, NotSent, Refused
from hailuo_django.models import KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, Status
from hailuo_django.tokens import Addressee, make_webhook_url
from hailuo_django.worker import send
from hailuo_django.worker.send import SendLane
from hailuo_django.worker.sweep import sweep
from tests.site import configure

from .rows import (
    ago,
    change,
    claimed,
    client,
    fresh,
    history,
    look_again,
    only,
    refused,
    sent,
    submitted,
)

pytestmark = pytest.mark.django_db


def test_a_submission_is_sent_once_and_its_krea_id_recorded(krea: Sandbox) -> None:
    job = sent()
    sweep()

    submission = only(job)
    assert [post.body for post in krea.posts] == [submission.body]
    assert submission.krea_job_id == krea.jobs[0].id
    assert job.status == Status.BACKLOGGED
    assert history(job) == [
        ("submit", "draft", "unsent"),
        ("claim", "unsent", "submitting"),
        ("adopt", "submitting", "backlogged"),
    ]


def test_without_a_token_nothing_is_sent(krea: Sandbox, settings: Settings) -> None:
    configure(settings, krea, KREA_API_TOKEN="")
    assert sent().status == Status.UNSENT
    assert krea.requests == []


@pytest.mark.proves("M3")
@pytest.mark.parametrize(
    "fault",
    [
        "lost_request",
        "lost_answer",
        "cut_answer",
        "garbage",
        "server_error",
        "server_error_accepted",
        "bad_gateway_html",
        "redirect",
        "drip",
        "late_answer",
    ],
)
def test_an_answer_that_says_nothing_leaves_it_unconfirmed_and_is_never_repeated(
    krea: Sandbox, settings: Settings, fault: str
) -> None:
    configure(settings, krea, KREA_TIMEOUT_SECONDS=1)
    krea.misbehave(fault, on="generate")

    job = sent()
    look_again(job)

    assert job.status == Status.UNCONFIRMED
    assert history(job)[-1] == ("lose", "submitting", "unconfirmed")
    assert only(job).note == job.events.latest("pk").detail != ""
    assert fresh(job).status == Status.UNCONFIRMED
    assert len(krea.posts) == 1


@pytest.mark.parametrize(
    ("fault", "failure_code", "error_code"),
    [
        ("invalid_request", "invalid_request", ""),
        ("validation", "invalid_request", ""),
        ("model_unavailable", "model_unavailable", "model_unavailable"),
        ("moderated_request", "moderation", "moderation"),
    ],
)
def test_a_refusal_is_final_and_keeps_kreas_words(
    krea: Sandbox, fault: str, failure_code: str, error_code: str
) -> None:
    krea.misbehave(fault)

    job = sent()
    look_again(job)

    assert (job.status, job.failure_code) == (Status.FAILED, failure_code)
    assert (only(job).error_code, only(job).note) == (error_code, "")
    assert only(job).error_message
    assert only(job).raw
    assert job.events.get(action="refuse").detail.startswith("HTTP 4")
    assert len(krea.posts) == 1
    assert krea.jobs == []


def test_a_refusal_about_our_account_is_for_staff_only(krea: Sandbox) -> None:
    krea.misbehave("forbidden")

    job = sent()

    assert job.status == Status.FAILED
    assert only(job).note
    assert (only(job).error_code, only(job).error_message) == ("", "")


def test_not_even_its_code_is_for_others(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)

    lane.record(item, Refused("Suspended.", status=403, code="account_suspended"))

    assert only(job).note == "Suspended."
    assert (only(job).error_code, only(job).error_message) == ("", "")


@pytest.mark.parametrize("fault", ["unauthorized", "payment_required"])
def test_trouble_with_the_account_holds_everything_back_and_is_tried_again_later(
    krea: Sandbox, fault: str
) -> None:
    krea.misbehave(fault)

    first, second = sent(), submitted()
    sweep()

    assert (first.status, fresh(second).status) == (Status.UNSENT, Status.UNSENT)
    assert only(first).note.startswith("HTTP 40")
    assert len(krea.posts) == 1, "while the account is held back, nothing is sent"
    pause = KreaAccount.objects.get()
    assert pause.reason.startswith("HTTP 40")

    KreaAccount.objects.update(send_after=ago(seconds=1))
    sweep()
    assert (fresh(first).status, fresh(second).status) == (Status.BACKLOGGED, Status.BACKLOGGED)
    assert KreaAccount.objects.get().setbacks == 0


def test_what_was_under_way_when_a_pause_began_leaves_its_reason_to_be_seen(krea: Sandbox) -> None:
    for _job in range(2):
        submitted()
    lane = SendLane(client(krea))
    refused, taken = lane.take(60), lane.take(60)
    assert refused is not None
    assert taken is not None

    lane.record(refused, AccountProblem("No balance.", status=402))
    lane.record(taken, lane.call(taken))

    assert KreaAccount.objects.get().reason == "HTTP 402: No balance."
    assert lane.take(60) is None


@pytest.mark.proves("M3")
def test_a_rate_limit_slows_every_sender_for_as_long_as_krea_says(krea: Sandbox) -> None:
    krea.misbehave("rate_limited", retry_after=120)

    job = sent()
    sweep()

    wait = KreaAccount.objects.get().send_after
    assert wait is not None
    assert timedelta(seconds=115) < wait - timezone.now() <= timedelta(seconds=120)
    assert (job.status, len(krea.posts)) == (Status.UNSENT, 1)


@pytest.mark.proves("M3")
def test_rate_limits_without_a_delay_back_off_further_each_time(krea: Sandbox) -> None:
    submitted()
    waits = []
    for _attempt in range(3):
        krea.misbehave("rate_limited")
        KreaAccount.objects.update(send_after=ago(seconds=1))
        sweep()
        until = KreaAccount.objects.get().send_after
        assert until is not None
        waits.append((until - timezone.now()).total_seconds())
    assert waits[0] < waits[1] < waits[2]


@pytest.mark.proves("M3")
def test_what_never_reached_krea_is_sent_later(settings: Settings, krea: Sandbox) -> None:
    configure(settings, krea, KREA_BASE_URL="http://127.0.0.1:9")
    job = sent()
    assert (job.status, only(job).sent_at) == (Status.UNSENT, None)
    assert only(job).note.startswith("Not sent")
    assert only(job).note == job.events.latest("pk").detail
    assert history(job)[-1] == ("hold", "submitting", "unsent")

    configure(settings, krea)
    KreaAccount.objects.update(send_after=ago(seconds=1))
    sweep()
    assert fresh(job).status == Status.BACKLOGGED
    assert len(krea.posts) == 1


def test_what_was_asked_for_first_is_sent_first_also_after_a_setback(krea: Sandbox) -> None:
    jobs = [submitted(prompt=f"lighthouse {n}") for n in range(3)]
    lane, item = claimed(krea)
    lane.record(item, NotSent("connection refused"))
    KreaAccount.objects.update(send_after=ago(seconds=1))
    lane = SendLane(client(krea))
    trial = lane.take(60)
    assert trial is not None
    assert lane.take(60) is None, "after a setback one goes ahead alone"
    lane.record(trial, lane.call(trial))
    taken = [trial, *(lane.take(60) for _ in range(3))]
    assert [item and item.submission.job_id for item in taken] == [*(job.pk for job in jobs), None]


def claim(job: VideoJob) -> Submission | None:
    return ledger.claim(only(job), account="a", lease_seconds=40, with_webhook=False)


@pytest.mark.proves("M1")
def test_one_submission_has_one_sender(krea: Sandbox) -> None:
    job = submitted()
    assert claim(job) is not None
    assert claim(job) is None


def test_what_was_cancelled_replaced_or_completed_meanwhile_is_not_claimed(krea: Sandbox) -> None:
    cancelled, replaced, completed = submitted(), submitted(), submitted()
    before = [only(job) for job in (cancelled, replaced, completed)]
    cancelled.cancel()
    replaced.resubmit(force=True)
    assert replaced.events.get(action="withdraw").detail == "Replaced by submission 2."
    VideoJob.objects.filter(pk=completed.pk).update(status=Status.COMPLETED)

    for submission in before:
        claimed = ledger.claim(submission, account="a", lease_seconds=40, with_webhook=False)
        assert claimed is None


@pytest.mark.proves("M2")
def test_a_sender_that_died_leaves_it_unconfirmed_after_its_lease(krea: Sandbox) -> None:
    job = submitted()
    claim(job)
    sweep()
    assert fresh(job).status == Status.SUBMITTING

    change(job, lease_expires_at=ago(seconds=1))
    sweep()

    assert fresh(job).status == Status.UNCONFIRMED
    assert only(job).note == "The sender stopped before it knew the outcome."
    assert krea.posts == []


def test_a_sender_that_was_held_up_beyond_its_lease_writes_nothing(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    object.__setattr__(item, "expires", item.expires - lease_seconds())

    with pytest.raises(NotSent) as caught:
        lane.call(item)
    change(job, lease_expires_at=ago(seconds=1))
    sweep()
    lane.record(item, caught.value)

    assert krea.posts == []
    assert fresh(job).status == Status.UNCONFIRMED, "it is for Krea or a person to say, not for us"
    assert history(job)[-1][0] == "note"


def test_a_delay_of_our_own_holds_nobody_else_up(krea: Sandbox) -> None:
    first, second = submitted(), submitted()
    lane, item = claimed(krea)
    object.__setattr__(item, "expires", item.expires - lease_seconds())

    with pytest.raises(NotSent) as caught:
        lane.call(item)
    lane.record(item, caught.value)

    assert only(first).note == "The lease ran out before the request was written."
    sweep()
    assert [fresh(job).status for job in (first, second)] == [Status.BACKLOGGED] * 2
    assert len(krea.posts) == 2


def test_nothing_is_claimed_that_would_outlast_the_pass(krea: Sandbox) -> None:
    job = submitted()
    assert SendLane(client(krea)).take(call_seconds() - 1) is None
    assert fresh(job).status == Status.UNSENT


def test_what_krea_answered_and_nobody_understood_is_kept(krea: Sandbox) -> None:
    krea.misbehave("garbage", on="generate")
    assert "Bad gateway" in only(sent()).raw


def test_an_answer_after_the_lease_still_brings_the_video_home(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)
    change(job, lease_expires_at=ago(seconds=1))
    sweep()
    assert fresh(job).status == Status.UNCONFIRMED

    lane.record(item, answer)

    assert fresh(job).status == Status.BACKLOGGED
    assert only(job).krea_job_id == krea.jobs[0].id


@pytest.mark.parametrize("verdict", ["failed", "cancelled"])
def test_an_answer_after_a_verdict_keeps_the_id_and_the_video(krea: Sandbox, verdict: str) -> None:
    job = submitted()
    lane, item = claimed(krea)
    change(job, status=verdict)
    VideoJob.objects.filter(pk=job.pk).update(status=verdict)

    lane.record(item, lane.call(item))
    assert (fresh(job).status, only(job).krea_job_id) == (verdict, krea.jobs[0].id)
    note = job.events.latest("pk")
    assert note.detail == f"Krea's job id became known late: {krea.jobs[0].id}"
    assert note.submission == only(job)

    krea.move(krea.jobs[0].id, "completed")
    sweep()
    assert fresh(job).status == Status.COMPLETED


def test_a_job_cancelled_while_it_was_being_sent_is_cancelled_upstream(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    job.cancel()
    assert fresh(job).status == Status.SUBMITTING

    lane.record(item, lane.call(item))
    sweep()

    assert fresh(job).status == Status.CANCELLED
    assert krea.jobs[0].status == "cancelled"


def test_a_job_cancelled_while_it_was_certainly_not_sent_is_not_sent_later(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    job.cancel()

    lane.record(item, NotSent("connection refused"))

    assert fresh(job).status == Status.CANCELLED
    withdrawn = job.events.get(action="withdraw")
    assert "connection refused" in withdrawn.detail, "which is why nothing is billed"
    assert krea.posts == []


def test_what_is_replaced_while_it_was_certainly_not_sent_is_not_held(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    job.resubmit(force=True)

    lane.record(item, NotSent("connection refused"))

    first, second = Submission.objects.filter(job=job).order_by("number")
    assert (first.status, second.status) == (Status.CANCELLED, Status.UNSENT)


def test_what_is_held_has_no_lease_and_no_note_once_it_is_sent(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    lane.record(item, NotSent("connection refused"))
    held = only(job)
    assert (held.lease_expires_at, held.sent_at) == (None, None)
    assert "connection refused" in held.note

    KreaAccount.objects.update(send_after=ago(seconds=1))
    claimed(krea)
    assert only(job).note == ""


def test_what_is_held_stays_wanted_when_its_outcome_is_written_twice(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)

    for _a_lost_acknowledgement in range(2):
        lane.record(item, NotSent("connection refused"))

    assert fresh(job).status == Status.UNSENT


def test_what_is_held_is_expected_at_no_time(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    change(job, expected_at=timezone.now() + timedelta(minutes=4))

    lane.record(item, NotSent("connection refused"))

    assert only(job).expected_at is None


@pytest.mark.parametrize(
    "outcome",
    [
        Refused("Bad prompt.", status=400),
        NotSent("connection refused"),
        Ambiguous("connection reset"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_a_sender_that_was_held_has_no_say_about_its_successor(
    krea: Sandbox, outcome: KreaError
) -> None:
    job = submitted()
    lane, item = claimed(krea)
    lane.record(item, NotSent("connection refused"))
    KreaAccount.objects.update(send_after=ago(seconds=1))
    _lane, successor = claimed(krea)

    lane.record(item, outcome)

    assert fresh(job).status == Status.SUBMITTING
    lane.record(successor, lane.call(successor))
    assert fresh(job).status == Status.BACKLOGGED


def test_what_cannot_be_claimed_is_passed_over_once(krea: Sandbox) -> None:
    stuck, job = submitted(), submitted()
    change(stuck, candidate_id="named-by-a-webhook")

    lane = SendLane(client(krea))
    taken = [lane.take(60) for _ in range(2)]

    assert [item and item.submission.job_id for item in taken] == [job.pk, None]


def test_an_id_that_belongs_to_another_submission_is_not_believed(krea: Sandbox) -> None:
    first, second = sent(), submitted()
    lane, item = claimed(krea)
    answer = client(krea).get(str(only(first).krea_job_id))

    lane.record(item, answer)

    assert fresh(second).status == Status.UNCONFIRMED
    assert "another submission" in only(second).note
    assert only(second).raw == answer.raw
    assert fresh(first).status == Status.BACKLOGGED


@pytest.mark.parametrize("status", [Status.PROCESSING, Status.FAILED])
def test_a_second_id_for_one_submission_is_written_down(krea: Sandbox, status: Status) -> None:
    job = submitted()
    lane, item = claimed(krea)
    change(job, krea_job_id="adopted-before", status=status)

    lane.record(item, lane.call(item))

    assert only(job).krea_job_id == "adopted-before"
    assert krea.jobs[0].id in job.events.latest("pk").detail


def test_an_answer_that_a_webhook_was_faster_than_is_still_news(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)
    change(job, krea_job_id=answer.krea_job_id, status=Status.QUEUED)

    lane.record(item, replace(answer, status="processing"))

    assert only(job).status == Status.PROCESSING


def test_an_unexpected_error_while_sending_counts_as_unknown(krea: Sandbox) -> None:
    job = submitted()
    lane, item = claimed(krea)

    lane.record(item, RuntimeError("a bug of ours"))

    assert (fresh(job).status, only(job).note) == (Status.UNCONFIRMED, "RuntimeError")


def test_the_id_is_in_the_log_before_it_is_in_the_database(
    krea: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "hailuo_django"):
        job = sent()
    assert f"Submission 1 of job {job.pk} is Krea job {krea.jobs[0].id}." in caplog.messages


def test_krea_saying_that_the_model_will_go_is_a_warning_in_the_log(
    krea: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    submitted()
    lane, item = claimed(krea)

    lane.record(item, replace(lane.call(item), deprecation="Sunset: Thu, 31 Dec 2026 00:00:00 GMT"))

    assert "Krea says of this endpoint: Sunset" in caplog.text


class Outage:
    """The database is away for so many statements."""

    def __init__(self, statements: int) -> None:
        self.left = statements

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        if self.left:
            self.left -= 1
            raise OperationalError("the database is away")
        return execute(*arguments)


@pytest.mark.django_db(transaction=True)
def test_a_short_outage_of_the_database_does_not_cost_the_id_of_a_paid_job(
    krea: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "SECONDS_BETWEEN_TRIES", 0)
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)

    with connections[VideoJob.database()].execute_wrapper(Outage(send.RECORD_TRIES - 1)):
        lane.record(item, answer)

    assert only(job).krea_job_id == krea.jobs[0].id


@pytest.mark.django_db(transaction=True)
def test_a_long_outage_leaves_it_unconfirmed_and_its_id_in_the_log(
    krea: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(send, "SECONDS_BETWEEN_TRIES", 0)
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)

    with (
        caplog.at_level(logging.INFO, "hailuo_django"),
        connections[VideoJob.database()].execute_wrapper(Outage(10_000)),
        pytest.raises(OperationalError),
    ):
        lane.record(item, answer)

    assert krea.jobs[0].id in caplog.text
    change(job, lease_expires_at=ago(seconds=1))
    sweep()
    assert fresh(job).status == Status.UNCONFIRMED


def test_the_webhook_address_is_not_spelled_out_where_variables_are_shown(
    settings: Settings,
) -> None:
    settings.HAILUO = {"WEBHOOK_BASE_URL": "https://site.example"}
    address = make_webhook_url(Addressee(uuid.uuid4(), 1))
    assert address is not None
    assert address.startswith("https://site.example/hailuo/webhook/")
    assert repr(address) == "[secret]"


@pytest.mark.logs_errors
def test_one_that_cannot_be_claimed_holds_up_nobody_else(krea: Sandbox) -> None:
    stuck = submitted(prompt="stuck")
    others = [submitted(prompt="another") for _n in range(3)]

    with refused(Action.CLAIM, stuck):
        sweep()
    assert fresh(stuck).status == Status.UNSENT
    assert {fresh(job).status for job in others} == {Status.BACKLOGGED}


@pytest.mark.logs_errors
def test_one_whose_loss_cannot_be_written_holds_up_nobody_else(krea: Sandbox) -> None:
    stuck = submitted(prompt="stuck")
    claimed(krea)
    other = submitted(prompt="another")
    change(stuck, lease_expires_at=ago(seconds=1))

    with refused(Action.LOSE, stuck):
        sweep()
    assert (only(stuck).status, fresh(other).status) == (Status.SUBMITTING, Status.BACKLOGGED)


@pytest.mark.parametrize("words", [True, False])
def test_a_gateways_answer_is_told_by_its_status_where_it_has_no_words(
    krea: Sandbox, words: bool
) -> None:
    krea.misbehave("server_error" if words else "bad_gateway_html", on="generate")
    told = "Internal Server Error" if words else "HTTP 502 without a word"
    assert only(sent()).note == told


@pytest.mark.parametrize(
    ("fault", "status", "failure_code"),
    [("completed_at_once", "completed", ""), ("failed_at_once", "failed", "upstream_error")],
)
def test_an_answer_that_tells_the_end_at_once_is_asked_about_no_more(
    krea: Sandbox, fault: str, status: str, failure_code: str
) -> None:
    job = sent(prompt=f"[{fault}]")
    assert (job.status, job.failure_code) == (status, failure_code)
    assert only(job).due_at is None
