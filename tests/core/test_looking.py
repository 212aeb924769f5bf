"""Looking finds out what no webhook told, and trouble with asking changes no state."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import budget, ledger
from hailuo_django.conf import conf
from hailuo_django.exceptions import Conflict
from hailuo_django.krea.errors import NotFound
from hailuo_django.krea.wire import JobReport, read_job
from hailuo_django.models import Heartbeat, KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import RUNNING, FailureCode, Status
from hailuo_django.worker.look import LookLane
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
    named,
    only,
    sent,
    submitted,
)

pytestmark = pytest.mark.django_db


def upstream(job: VideoJob) -> str:
    return str(only(job).krea_job_id)


def due(job: VideoJob) -> datetime:
    """When Krea is asked next."""
    due_at = only(job).due_at
    assert due_at is not None
    return due_at


def look(krea: Sandbox) -> None:
    """Let one worker look once."""
    lane = LookLane(client(krea))
    item = lane.take(60)
    assert item is not None
    lane.record(item, lane.call(item))


@pytest.mark.proves("R3")
def test_a_finished_video_is_found_without_any_webhook(krea: Sandbox) -> None:
    job = sent()
    krea.move(upstream(job), "completed")

    job = look_again(job)

    assert job.status == Status.COMPLETED
    assert job.video_url == f"{krea.url}/videos/{upstream(job)}.mp4"
    assert job.spent_usd == Decimal("0.2835")
    assert job.completed_at is not None
    assert job.events.latest("pk").source == "poll"
    assert only(job).due_at is None


def test_every_running_state_is_shown_and_looked_at_again(krea: Sandbox) -> None:
    job = sent()
    for status in sorted(RUNNING):
        krea.move(upstream(job), status)
        assert look_again(job).status == status
        due_at = only(job).due_at
        assert due_at is not None
        assert due_at > timezone.now()


@pytest.mark.proves("B2")
def test_an_unknown_state_counts_as_running_and_is_kept_verbatim(krea: Sandbox) -> None:
    job = sent()
    krea.jobs[0].status = "daydreaming"

    assert look_again(job).status == Status.BACKLOGGED
    assert only(job).krea_status == "daydreaming"

    krea.move(upstream(job), "completed")
    assert look_again(job).status == Status.COMPLETED


@pytest.mark.parametrize(
    ("fault", "failure_code"),
    [
        ("moderation", "moderation"),
        ("fails", "upstream_error"),
        ("error_in_result", "upstream_error"),
    ],
)
def test_a_failure_says_why(krea: Sandbox, fault: str, failure_code: str) -> None:
    job = sent(prompt=f"[{fault}]")
    krea.move(upstream(job), "failed")

    job = look_again(job)

    assert (job.status, job.failure_code) == (Status.FAILED, failure_code)
    assert job.spent_usd == 0
    assert only(job).error_message


@pytest.mark.parametrize("shape", ["urls_as_objects", "urls_as_map"])
def test_the_address_is_read_in_every_shape(krea: Sandbox, shape: str) -> None:
    job = sent(prompt=f"[{shape}]")
    krea.move(upstream(job), "completed")
    assert look_again(job).video_url.endswith(".mp4")


@pytest.mark.proves("W9")
def test_a_result_elsewhere_is_kept_and_flagged_but_not_linked(krea: Sandbox) -> None:
    job = sent(prompt="[foreign_result_host]")
    krea.move(upstream(job), "completed")

    job = look_again(job)

    assert job.status == Status.COMPLETED
    assert job.result_url
    assert job.video_url == ""
    assert job.is_flagged
    assert VideoJob.objects.flagged().get() == job
    assert "RESULT_HOSTS" in job.events.latest("pk").detail


def test_a_result_elsewhere_gives_way_to_one_that_may_be_linked(krea: Sandbox) -> None:
    job = sent(prompt="[foreign_result_host]")
    krea.move(upstream(job), "completed")
    job = look_again(job)
    krea.jobs[0].result = {"urls": [f"{krea.url}/videos/1.mp4"]}

    job.sync()
    sweep()

    assert fresh(job).video_url == only(job).result_url == f"{krea.url}/videos/1.mp4"


def test_a_look_that_finds_no_news_takes_the_note_of_older_trouble_away(krea: Sandbox) -> None:
    job = sent()
    change(job, note="HTTP 502")
    look_again(job)
    assert (only(job).status, only(job).note, only(job).poll_count) == (Status.BACKLOGGED, "", 1)


def test_a_video_without_an_address_is_asked_for_again(krea: Sandbox) -> None:
    job, other = (sent(prompt="[result_empty]") for _ in range(2))
    for made in krea.jobs:
        krea.move(made.id, "completed")
    look_again(other)
    job = look_again(job)
    assert (job.status, job.is_flagged) == (Status.COMPLETED, True)

    job = look_again(job)
    assert only(job).due_at is not None
    krea.jobs[0].result = {"urls": [f"{krea.url}/videos/{upstream(job)}.mp4"]}
    before, job = job, look_again(job)

    assert job.video_url.endswith(".mp4")
    assert job.updated_at > before.updated_at
    assert only(job).due_at is None
    assert only(other).result_url == "", "that one still has none"
    assert "became known" in job.events.latest("pk").detail


def test_what_still_runs_has_no_video_whatever_address_krea_names(krea: Sandbox) -> None:
    job = sent()
    change(job, due_at=ago(seconds=1))
    lane = LookLane(client(krea))
    item = lane.take(60)
    assert item is not None
    lane.record(item, replace(lane.call(item), urls=(f"{krea.url}/videos/early.mp4",)))
    assert (fresh(job).status, fresh(job).result_url) == (Status.BACKLOGGED, "")
    assert only(job).result_url == ""


def test_a_video_that_never_gets_an_address_is_not_asked_for_for_ever(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    krea.move(upstream(job), "completed")
    look_again(job)
    change(job, ended_at=ago(hours=2))
    look_again(job)
    assert only(job).due_at is None


@pytest.mark.parametrize(
    "fault", ["server_error", "bad_gateway_html", "garbage", "lost_answer", "unauthorized"]
)
def test_trouble_with_asking_changes_no_state(krea: Sandbox, fault: str) -> None:
    job = sent()
    krea.misbehave(fault, on="get")

    assert look_again(job).status == Status.BACKLOGGED
    assert only(job).note
    krea.move(upstream(job), "completed")
    assert look_again(job).status == Status.COMPLETED
    assert only(job).note == ""


@pytest.mark.proves("P1")
def test_a_rate_limit_stops_every_look_and_every_send(krea: Sandbox) -> None:
    job, other = sent(), sent()
    krea.misbehave("rate_limited", on="get", retry_after=60)
    look_again(job)
    before = len(krea.requests)

    look_again(other)
    waiting = submitted()
    sweep()

    assert len(krea.requests) == before
    assert fresh(waiting).status == Status.UNSENT
    account = KreaAccount.objects.get()
    assert account.look_after == account.send_after


def test_a_job_that_krea_forgot_is_given_some_time(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("missing", times=None, on="get")

    assert look_again(job).status == Status.BACKLOGGED
    assert only(job).not_found_since is not None
    change(job, not_found_since=ago(minutes=20))

    job = look_again(job)
    assert (job.status, job.failure_code) == (Status.FAILED, "not_found")


@pytest.mark.parametrize("confirms", [False, True])
def test_the_video_that_only_a_webhook_told_of_is_kept_where_krea_has_forgotten_it(
    krea: Sandbox, settings: Settings, confirms: bool
) -> None:
    """Its address may not be linked, so Krea is asked; unless its word alone is to count."""
    settings.HAILUO = {**settings.HAILUO, "WEBHOOK_CONFIRM": confirms}
    job = sent()
    said: dict[str, Any] = {"job_id": upstream(job), "status": "completed"}
    said |= {"result": {"urls": ["https://elsewhere.example/a.mp4"]}}
    ledger.make_due(job.pk, 1, read_job(json.dumps(said)))
    krea.misbehave("missing", times=None, on="get")
    assert look_again(job).status == Status.BACKLOGGED
    change(job, not_found_since=ago(minutes=20))

    job = look_again(job)

    if confirms:
        assert (job.status, job.failure_code) == (Status.FAILED, "not_found")
    else:
        assert (job.status, job.is_flagged) == (Status.COMPLETED, True)
        assert job.result_url == "https://elsewhere.example/a.mp4"


def test_a_job_of_another_token_is_never_given_up(krea: Sandbox) -> None:
    job = sent()
    change(job, account="another", not_found_since=ago(days=1))
    krea.misbehave("missing", times=None, on="get")

    assert look_again(job).status == Status.BACKLOGGED
    assert only(job).note == "Not found, but it was sent with another API token."
    assert ago() < due(job) < ago(minutes=-10), "as often as any that runs"


def asked(krea: Sandbox, job: VideoJob) -> list[str]:
    """What Krea was asked about the job, in this order."""
    return [method for method, path, _ in krea.requests if path.endswith(upstream(job))]


def test_krea_is_asked_before_anything_is_cancelled_and_once_more_after_it(krea: Sandbox) -> None:
    job = sent()
    job.cancel()
    assert look_again(job).status == Status.CANCELLED
    assert asked(krea, job) == ["GET", "DELETE", "GET"]


def test_a_finished_video_is_never_deleted(krea: Sandbox) -> None:
    job = sent()
    job.cancel()
    krea.move(upstream(job), "completed")
    assert look_again(job).status == Status.COMPLETED
    assert asked(krea, job) == ["GET"]


def test_what_krea_does_not_cancel_at_once_is_asked_for_in_its_time(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("server_error", on="cancel", times=None)
    job.cancel()
    assert look_again(job).status == Status.BACKLOGGED
    assert asked(krea, job) == ["GET", "DELETE", "GET", "DELETE"]
    due_at = only(job).due_at
    assert due_at is not None
    assert due_at > timezone.now()


def test_a_job_that_is_gone_after_our_cancellation_is_cancelled(krea: Sandbox) -> None:
    job = sent()
    job.cancel()
    look(krea)
    krea.misbehave("missing", times=None, on="get")

    assert look_again(job).status == Status.CANCELLED
    assert only(job).may_be_billed, "Krea never said that it has ended"
    change(job, not_found_since=ago(minutes=16))
    look_again(job)
    assert not only(job).may_be_billed
    assert only(job).due_at is None


def test_a_job_too_young_to_be_found_is_not_taken_for_cancelled(krea: Sandbox) -> None:
    job = sent()
    job.cancel()
    krea.misbehave("missing", times=None)
    for _look in range(2):
        assert look_again(job).status == Status.BACKLOGGED, "Krea may still make and bill it"
    assert only(job).cancel_sent_at is None, "nothing was sent"

    krea.behave()
    assert look_again(job).status == Status.CANCELLED


def test_a_job_that_krea_did_not_find_for_a_while_is_not_lost_when_it_was_wrong(
    krea: Sandbox, settings: Settings
) -> None:
    job = sent()
    krea.misbehave("missing", times=2, on="get")
    look_again(job)
    change(job, not_found_since=ago(minutes=16))
    job = look_again(job)
    assert (job.status, job.failure_code) == (Status.FAILED, FailureCode.NOT_FOUND)
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "9"}}
    [balance] = budget.balances()
    assert balance.reserved_usd == job.price_usd, "Krea may still bill it"
    with pytest.raises(Conflict):
        job.resubmit()
    with pytest.raises(ProtectedError):
        job.delete()

    krea.move(upstream(job), "completed")
    assert look_again(job).status == Status.COMPLETED


def test_a_job_that_krea_does_not_find_for_a_day_is_gone(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("missing", times=None, on="get")
    change(job, not_found_since=ago(minutes=16), note="HTTP 502")
    look_again(job)
    assert only(job).due_at is not None
    assert only(job).note == ""

    change(job, not_found_since=ago(hours=23))
    look_again(job)
    assert ago(minutes=-50) < due(job) < ago(minutes=-80), "rarely by then"

    change(job, not_found_since=ago(hours=25))
    look_again(job)

    assert only(job).due_at is None
    fresh(job).resubmit()


def test_an_outage_says_nothing_about_whether_krea_knows_a_job(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("missing", on="get")
    look_again(job)
    krea.misbehave("server_error", on="get")
    look_again(job)
    assert only(job).not_found_since is None


def test_a_job_given_up_whose_answer_came_late_is_not_lost_by_one_404(krea: Sandbox) -> None:
    job = submitted()
    lane, sending = claimed(krea)
    change(job, lease_expires_at=ago(seconds=1))
    ledger.lose_abandoned()
    ledger.give_up(only(job), by=ledger.By("operator"))
    lane.record(sending, lane.call(sending))
    krea.misbehave("missing", on="get")
    sweep()
    assert only(job).may_be_billed

    krea.move(upstream(job), "completed")
    assert look_again(job).status == Status.COMPLETED


def test_a_video_that_was_ready_before_the_cancellation_is_kept(krea: Sandbox) -> None:
    job = sent()
    krea.move(upstream(job), "completed")
    job.cancel()

    assert look_again(job).status == Status.COMPLETED


def test_the_video_of_a_failed_submission_is_kept_when_krea_finished_it_after_all(
    krea: Sandbox,
) -> None:
    job = sent()
    change(job, status="failed", failure_code="given_up")
    VideoJob.objects.filter(pk=job.pk).update(status="failed", failure_code="given_up")
    job = fresh(job)

    job.sync()
    sweep()
    assert fresh(job).status == Status.FAILED, "only a finished video undoes a verdict"
    assert only(job).due_at is not None, "but while it runs upstream, it is looked at"

    krea.move(upstream(job), "completed")
    job = look_again(job)
    assert (job.status, job.failure_code) == (Status.COMPLETED, "")


def test_an_older_submission_that_completes_completes_the_job_and_cancels_its_twin(
    krea: Sandbox,
) -> None:
    job = sent()
    job.resubmit(force=True)
    sweep()
    older, newer = krea.jobs
    krea.move(older.id, "completed")

    look_again(job)
    sweep()

    assert fresh(job).status == Status.COMPLETED
    assert list(job.submissions.values_list("status", flat=True)) == ["completed", "cancelled"]
    assert newer.status == "cancelled"
    wished = job.events.get(action="request_cancel")
    assert wished.detail == "The job has its video."
    assert fresh(job).spent_usd == Decimal("0.2835")


def test_a_twin_that_completes_all_the_same_is_kept_and_counted(krea: Sandbox) -> None:
    job = sent()
    job.resubmit(force=True)
    sweep()
    for one in krea.jobs:
        krea.move(one.id, "completed")

    job = look_again(job)

    assert job.spent_usd == 2 * Decimal("0.2835")
    assert job.result_url in job.submissions.values_list("result_url", flat=True)


def test_a_job_whose_first_video_has_no_address_shows_that_of_its_twin(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    job.resubmit(force=True)
    sweep()
    for each in krea.jobs:
        krea.move(each.id, "completed")
    krea.jobs[1].result = {"urls": [f"{krea.url}/videos/twin.mp4"]}
    job.submissions.filter(number=1).update(due_at=ago(seconds=1))
    sweep()
    sweep()

    assert fresh(job).video_url.endswith("/twin.mp4")
    assert not VideoJob.objects.flagged().exists()


@pytest.mark.proves("P2")
def test_looking_twice_at_once_is_one_look(krea: Sandbox) -> None:
    job = sent()
    change(job, due_at=ago(seconds=1))
    submission = only(job)

    assert ledger.take_look(submission, lease_seconds=40) is not None
    assert ledger.take_look(submission, lease_seconds=40) is None


def test_a_wish_during_a_look_is_not_lost(krea: Sandbox) -> None:
    job = sent()
    change(job, due_at=ago(seconds=1))
    taken = ledger.take_look(only(job), lease_seconds=40)
    assert taken is not None
    job.sync()

    ledger.finish_look(taken, due_at=timezone.now() + timedelta(hours=1))

    due_at = only(job).due_at
    assert due_at is not None
    assert due_at <= timezone.now()


def candidate(job: VideoJob, krea_job_id: str, **fields: Any) -> VideoJob:
    """Sent, the answer lost, and then a webhook named ``krea_job_id``."""
    change(job, status=Status.UNCONFIRMED, krea_job_id=None, sent_at=timezone.now(), **fields)
    VideoJob.objects.filter(pk=job.pk).update(status=Status.UNCONFIRMED)
    ledger.make_due(job.pk, 1, named(krea_job_id))
    sweep()
    return fresh(job)


def test_a_webhook_resolves_a_lost_answer_once_krea_confirms_it(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    job = sent()
    assert job.status == Status.UNCONFIRMED

    job = candidate(job, krea.jobs[0].id)

    assert (job.status, only(job).krea_job_id) == (Status.BACKLOGGED, krea.jobs[0].id)
    assert history(job)[-1] == ("adopt", "unconfirmed", "backlogged")


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("unknown to Krea", "Krea does not know it."),
        ("of another submission", "It belongs to another submission."),
        ("older than the submission", "It is older than the submission."),
    ],
)
def test_a_candidate_that_does_not_fit_is_not_adopted(
    krea: Sandbox, case: str, reason: str
) -> None:
    other, job = sent(), sent()
    named = {"unknown to Krea": "nothing"}.get(case, upstream(other))
    if case == "older than the submission":
        change(other, krea_job_id=None)
        krea.jobs[0].created_at = ago(days=1)

    job = candidate(job, named)
    if case == "unknown to Krea":
        assert only(job).candidate_id == named, "just after its POST Krea may not know it yet"
        change(job, not_found_since=ago(minutes=20))
        job = look_again(job)

    assert (job.status, only(job).krea_job_id) == (Status.UNCONFIRMED, None)
    assert only(job).candidate_id == ""
    assert job.events.latest("pk").detail == f"{named} was named and not adopted: {reason}"


def test_a_candidate_that_completed_without_an_address_is_asked_for_again(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    job = sent(prompt="[result_empty]")
    krea.move(krea.jobs[0].id, "completed")

    job = candidate(job, krea.jobs[0].id)

    assert (job.status, job.video_url) == (Status.COMPLETED, "")
    assert only(job).due_at is not None


def test_a_candidate_that_completed_cancels_its_twin(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    job = sent()
    job.resubmit(force=True)
    sweep()
    first, twin = krea.jobs
    krea.move(first.id, "completed")

    ledger.make_due(job.pk, 1, named(first.id))
    sweep()
    sweep()

    assert list(job.submissions.values_list("status", flat=True)) == ["completed", "cancelled"]
    assert twin.status == "cancelled"


def test_a_candidate_without_a_readable_time_is_adopted(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    job = sent()
    [made] = krea.jobs
    made.extra = {"created_at": "yesterday"}

    job = candidate(job, made.id)

    assert (job.status, only(job).krea_job_id) == (Status.BACKLOGGED, made.id)


def test_a_candidate_is_dropped_where_the_answer_came_after_all(krea: Sandbox) -> None:
    job, other = sent(), sent()
    before = upstream(job)
    change(job, krea_job_id=None, candidate_id=upstream(other), due_at=ago(seconds=1))
    lane = LookLane(client(krea), only=job.pk)
    item = lane.take(60)
    assert item is not None
    news = lane.call(item)
    change(job, krea_job_id=before)

    lane.record(item, replace(news, krea_job_id="a third"))
    lane.record(item, replace(news, krea_job_id="a third"))

    assert upstream(job) == before


def test_an_address_is_written_once(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    krea.move(upstream(job), "completed")
    look_again(job)
    news = JobReport(krea_job_id=upstream(job), status="completed", urls=(f"{krea.url}/1.mp4",))

    seen_without = only(job)
    ledger.fill_result(seen_without, news)
    second = replace(news, urls=(f"{krea.url}/2.mp4",))
    ledger.fill_result(only(job), second)
    ledger.fill_result(seen_without, second)

    assert fresh(job).video_url == f"{krea.url}/1.mp4"
    assert only(job).result_url == f"{krea.url}/1.mp4"


def test_a_candidate_is_rejected_once(krea: Sandbox) -> None:
    job = submitted()
    change(job, candidate_id="nothing")
    before = only(job)

    ledger.reject_candidate(before, "It is older than the submission.")
    ledger.reject_candidate(before, "It is older than the submission.")

    assert [action for action, *_ in history(job)].count("note") == 1


def test_what_ended_and_is_gone_upstream_is_left_alone(krea: Sandbox) -> None:
    job = sent()
    krea.move(upstream(job), "failed")
    job = look_again(job)
    krea.misbehave("missing", on="get")

    job.sync()
    sweep()

    assert (fresh(job).status, only(job).due_at) == (Status.FAILED, None)


def test_a_candidate_waits_while_krea_cannot_be_asked(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    job = sent()
    krea.misbehave("server_error", on="get")

    job = candidate(job, krea.jobs[0].id)

    assert job.status == Status.UNCONFIRMED
    assert look_again(job).status == Status.BACKLOGGED


@pytest.mark.parametrize("sender", ["died", "lost the answer"])
def test_a_webhook_that_came_before_the_answer_was_lost_is_not_forgotten(
    krea: Sandbox, sender: str
) -> None:
    krea.misbehave("lost_answer", on="generate")
    job = sent()
    expires = ago(seconds=1) if sender == "died" else timezone.now() + timedelta(seconds=40)
    change(job, status=Status.SUBMITTING, lease_expires_at=expires)
    VideoJob.objects.filter(pk=job.pk).update(status=Status.SUBMITTING)
    krea.move(krea.jobs[0].id, "completed", deliver=False)
    ledger.make_due(job.pk, 1, named(krea.jobs[0].id))

    if sender == "lost the answer":
        ledger.lose(only(job), reason="cut")
    sweep()

    assert history(job)[-2:] == [
        ("lose", "submitting", "unconfirmed"),
        ("adopt", "unconfirmed", "completed"),
    ]
    assert fresh(job).video_url
    assert len(krea.posts) == 1


def test_a_candidate_for_what_was_never_sent_is_settled_before_it_is_sent(krea: Sandbox) -> None:
    job = submitted()
    change(job, candidate_id="nothing", not_found_since=ago(minutes=20))

    sweep()
    assert (fresh(job).status, krea.posts) == (Status.UNSENT, [])
    sweep()
    assert fresh(job).status == Status.BACKLOGGED


@pytest.mark.logs_errors
@pytest.mark.proves("P4")
def test_one_bad_row_never_stops_the_rest(
    krea: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned, healthy = sent(), sent()
    for job in (poisoned, healthy):
        krea.move(upstream(job), "completed")
        change(job, due_at=ago(seconds=1))
    real = ledger.report

    def report(job_id: Any, *args: Any, **kwargs: Any) -> bool:
        if job_id == poisoned.pk:
            raise RuntimeError("poison")
        return real(job_id, *args, **kwargs)

    monkeypatch.setattr(ledger, "report", report)
    sweep()

    assert fresh(healthy).status == Status.COMPLETED
    assert fresh(poisoned).status == Status.BACKLOGGED
    assert "Could not record" in caplog.text


@pytest.mark.proves("P5")
def test_what_runs_for_very_long_is_overdue_and_goes_on_being_asked_for(krea: Sandbox) -> None:
    job = sent()
    assert not only(job).is_overdue
    change(job, sent_at=ago(hours=5))
    for _pass in range(2):
        sweep()
    assert only(job).is_overdue
    assert [action for action, *_ in history(job)].count("overdue") == 1

    krea.move(upstream(job), "completed")
    assert look_again(job).status == Status.COMPLETED
    assert not only(job).is_overdue


def test_what_runs_for_long_is_asked_for_ever_more_rarely(krea: Sandbox) -> None:
    job = sent()
    now, submission = timezone.now(), only(job)
    shortest, longest = conf.POLL_INTERVAL_SECONDS, conf.POLL_MAX_INTERVAL_SECONDS
    for age, seconds in ((0, shortest), (600, (shortest + longest) / 2), (1200, longest)):
        submission.sent_at = now - timedelta(seconds=age)
        wait = (ledger.next_look(submission) - now).total_seconds()
        assert seconds <= wait <= seconds * 1.2 + 1


def test_what_ended_here_is_asked_for_after_a_quarter_of_the_time_since(krea: Sandbox) -> None:
    now = timezone.now()
    wait = (ledger.rare_look(now - timedelta(seconds=2400)) - now).total_seconds()
    assert 600 <= wait <= 600 * 1.2 + 1


def test_a_row_is_given_back_alone(krea: Sandbox) -> None:
    jobs = [sent(), sent()]
    due_at = ago(seconds=1)
    Submission.objects.update(due_at=due_at)

    ledger.finish_look(only(jobs[0]), due_at=None)

    assert [only(job).due_at for job in jobs] == [None, due_at]


@pytest.mark.proves("P1")
def test_ten_minutes_without_a_webhook_cost_few_requests(krea: Sandbox) -> None:
    job = sent()
    submission, looks = only(job), 0
    start = submission.sent_at
    assert start is not None
    now = start
    while now - start < timedelta(minutes=10):
        submission.sent_at = timezone.now() - (now - start)
        now += ledger.next_look(submission) - timezone.now()
        looks += 1
    assert 5 <= looks <= 10


def test_a_webhook_gets_its_chance_before_the_first_poll(krea: Sandbox, settings: Settings) -> None:
    polled = sent()
    configure(settings, krea, WEBHOOK_BASE_URL="http://127.0.0.1:9")
    called = sent()

    waits = [(only(job).due_at or ago()) - timezone.now() for job in (polled, called)]

    assert timedelta(seconds=55) < waits[0] < timedelta(seconds=75)
    assert timedelta(seconds=175) < waits[1] < timedelta(seconds=220)
    assert [only(job).has_webhook for job in (polled, called)] == [False, True]


@pytest.mark.proves("R4")
def test_a_webhook_that_overtook_the_answer_is_not_forgotten(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, krea, WEBHOOK_BASE_URL="http://127.0.0.1:9")
    job = submitted()
    lane, item = claimed(krea)
    answer = lane.call(item)
    ledger.make_due(job.pk, 1, named(answer.krea_job_id))
    krea.move(answer.krea_job_id, "completed", deliver=False)

    lane.record(item, answer)
    assert fresh(job).status == Status.BACKLOGGED
    sweep()

    assert fresh(job).status == Status.COMPLETED, "at once, and not after the webhook's grace"


def test_the_heartbeat_says_when_the_last_sweep_ended(krea: Sandbox) -> None:
    before = timezone.now()
    sweep()
    sweep(only=submitted().pk)
    assert Heartbeat.objects.get().beat_at >= before


def test_a_beat_is_written_without_a_read_before_it(krea: Sandbox) -> None:
    sweep()

    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        sweep()

    beats = [query["sql"] for query in queries if Heartbeat._meta.db_table in query["sql"]]
    assert [sql.split()[0] for sql in beats] == ["UPDATE"]


def test_a_nudge_does_only_its_own_job(krea: Sandbox) -> None:
    mine, other = submitted(), submitted()
    sweep(only=mine.pk)
    assert (fresh(mine).status, fresh(other).status) == (Status.BACKLOGGED, Status.UNSENT)
    assert Submission.objects.get(job=other).attempts == 0


def test_a_looker_that_was_held_up_takes_no_young_job_for_gone(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("missing", times=2, on="get")
    job = look_again(job)
    change(job, due_at=ago(seconds=1))
    lane = LookLane(client(krea))
    item = lane.take(60)
    assert item is not None
    with pytest.raises(NotFound) as unknown:
        lane.call(item)
    change(job, not_found_since=ago(minutes=16), last_polled_at=ago(minutes=16))

    lane.record(only(job), unknown.value)

    assert fresh(job).status == Status.BACKLOGGED
