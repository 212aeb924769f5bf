"""What becomes of a submission whose answer was lost: Krea's list, and what it proves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import ledger, pacing
from hailuo_django.deadlines import call_seconds
from hailuo_django.exceptions import Conflict
from hailuo_django.krea.listing import list_since
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, FailureCode, Status
from hailuo_django.worker.evidence import SKEW, Window, rivals
from hailuo_django.worker.reconcile import ListLane, Search
from hailuo_django.worker.sweep import sweep
from tests.trouble import failing_at

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
    pass_time,
    refused,
    sent,
    submitted,
)

pytestmark = pytest.mark.django_db(transaction=True)

TRUSTING = {"ADOPT_STRANGERS": True}
RESENDING = {"ADOPT_STRANGERS": True, "RESEND_WHEN_ABSENT": True}


def configure(settings: Settings, **hailuo: Any) -> None:
    settings.HAILUO = {**settings.HAILUO, **hailuo}


def lost(krea: Sandbox, *, arrived: bool = True, **fields: Any) -> VideoJob:
    """A job whose POST was never answered, ten minutes ago; Krea made it now, or never."""
    krea.misbehave("lost_answer" if arrived else "lost_request", on="generate")
    job = sent(**fields)
    assert job.status == Status.UNCONFIRMED
    let_time_pass(job)
    return job


def let_time_pass(job: VideoJob) -> None:
    """Let the attempt be ten minutes ago."""
    earlier = timedelta(minutes=10)
    moved = {"sent_at": F("sent_at") - earlier, "lost_at": F("lost_at") - earlier}
    change(job, **moved, due_at=ago(hours=-1))
    KreaAccount.objects.update(doubts=0, trial_until=None)


def list_now() -> None:
    """Let the time of the next listing come, and a worker with it."""
    Submission.objects.filter(status=Status.UNCONFIRMED).update(due_at=ago(seconds=1))
    sweep()


def listings(krea: Sandbox) -> int:
    return krea.requests.count(("GET", "/jobs", 200))


def actions(job: VideoJob) -> list[str]:
    return [action for action, _, _ in history(job)]


def proof(krea: Sandbox) -> str:
    """What is said of a request that never arrived; the newest job shows that no list lags."""
    return (
        "Krea's list shows no unknown job since it was claimed, and does show job"
        f" {krea.jobs[-1].id}, made after it."
    )


def searching(krea: Sandbox, seconds_left: float = 60) -> tuple[ListLane, Search]:
    """A worker who has just taken what is to be looked for."""
    lane = ListLane(client(krea))
    search = lane.take(seconds_left)
    assert search is not None
    return lane, search


def test_the_list_is_asked_for_after_the_grace_and_not_before(krea: Sandbox) -> None:
    krea.misbehave("lost_answer")
    job = sent()
    sweep()
    assert listings(krea) == 0

    change(job, due_at=ago(seconds=1))
    sweep()
    assert listings(krea) == 1
    assert len(krea.posts) == 1


def test_what_the_list_shows_is_kept_for_a_person_to_decide(krea: Sandbox) -> None:
    job = lost(krea)
    known = sent()
    list_now()

    [stranger, control] = krea.jobs
    evidence = only(job).evidence
    assert evidence["strangers"] == [stranger.id]
    assert evidence["control"] == control.id == only(known).krea_job_id
    assert not evidence["absent"]
    assert evidence["jobs"] == 2
    assert evidence["since"] < evidence["until"] < evidence["listed_at"]
    shown = Stranger.objects.open().get()
    assert (shown.krea_job_id, shown.krea_created_at) == (stranger.id, stranger.created_at)
    assert fresh(job).status == Status.UNCONFIRMED
    assert only(job).due_at is not None, "and it is looked for again"


def test_a_stranger_is_shown_as_it_was_seen_last(krea: Sandbox) -> None:
    lost(krea)
    list_now()
    [stranger] = krea.jobs
    krea.move(stranger.id, "completed")
    list_now()
    assert Stranger.objects.get().krea_status == "completed"


def test_a_stranger_need_not_tell_when_it_was_made(krea: Sandbox) -> None:
    ledger.remember_strangers("account", [named("undated")])
    assert Stranger.objects.get().krea_created_at is None


def test_of_a_long_list_every_known_job_is_recognized(
    krea: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hailuo_django.worker.known.IDS_A_QUERY", 1)
    job = lost(krea)
    for _known in range(3):
        sent()
    list_now()
    assert only(job).evidence["strangers"] == [krea.jobs[0].id]


def test_a_lone_stranger_is_adopted_where_no_other_program_uses_the_token(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **TRUSTING)
    job = lost(krea)
    list_now()

    [made] = krea.jobs
    assert (only(job).krea_job_id, fresh(job).status) == (made.id, Status.BACKLOGGED)
    krea.move(made.id, "completed")
    change(job, due_at=ago(seconds=1))
    sweep()
    assert fresh(job).status == Status.COMPLETED
    assert (len(krea.posts), len(krea.paid)) == (1, 1)
    assert not Stranger.objects.open().exists()


def test_two_lost_answers_and_their_jobs_are_never_guessed_apart(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **RESENDING)
    jobs = [lost(krea), lost(krea)]
    list_now()
    assert [fresh(job).status for job in jobs] == [Status.UNCONFIRMED] * 2
    assert {len(only(job).evidence["strangers"]) for job in jobs} == {2}


def test_one_stranger_is_nobodys_while_two_may_have_made_it(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **TRUSTING)
    arrived, absent = lost(krea), lost(krea, arrived=False)
    list_now()
    assert {fresh(arrived).status, fresh(absent).status} == {Status.UNCONFIRMED}


def test_one_stranger_is_nobodys_while_a_request_is_under_way(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **TRUSTING)
    job = lost(krea)
    submitted()
    claimed(krea)
    list_now()
    assert fresh(job).status == Status.UNCONFIRMED


def test_one_stranger_is_nobodys_while_what_another_token_sent_may_have_made_it(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **TRUSTING)
    before, after = lost(krea), lost(krea, arrived=False)
    change(before, account="the token of yesterday")
    list_now()
    assert {fresh(before).status, fresh(after).status} == {Status.UNCONFIRMED}


@pytest.mark.parametrize("delete", [VideoJob.delete, lambda job: VideoJob.objects.all().delete()])
def test_the_video_of_a_deleted_job_is_nobody_elses(
    krea: Sandbox, settings: Settings, delete: Callable[[VideoJob], object]
) -> None:
    configure(settings, **TRUSTING)
    deleted = sent()
    krea.move(only(deleted).krea_job_id or "", "completed")
    delete(look_again(deleted))

    job = lost(krea, arrived=False)
    list_now()
    assert only(job).krea_job_id is None
    assert only(job).evidence["strangers"] == []
    assert not Stranger.objects.open().exists()


def test_what_was_adopted_and_then_deleted_is_no_open_question(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **TRUSTING)
    adopted = lost(krea)
    list_now()
    krea.move(only(adopted).krea_job_id or "", "failed")
    look_again(adopted).delete()
    assert Stranger.objects.exists()
    assert not Stranger.objects.open().exists()


def test_absence_is_proved_by_a_known_job_made_after_the_window(krea: Sandbox) -> None:
    job = lost(krea, arrived=False)
    list_now()
    assert only(job).evidence["absent"] is False, "the list might lag behind"

    sent()
    for _pass in range(2):
        list_now()
        assert only(job).evidence["absent"] is True
        assert fresh(job).status == Status.UNCONFIRMED, "a person decides"
        assert [event.detail for event in job.events.filter(action="note")] == [proof(krea)]


@pytest.mark.parametrize("ahead", [0, 240])
def test_absence_allows_for_the_clocks_of_krea_and_of_the_host_that_lost_the_answer(
    krea: Sandbox, ahead: float
) -> None:
    krea.advance(ahead)
    krea.misbehave("lost_request", on="generate")
    job = sent()
    behind = timedelta(seconds=110)
    change(job, sent_at=F("sent_at") - behind, lost_at=F("lost_at") - behind)
    KreaAccount.objects.update(doubts=0, trial_until=None)
    sent()
    list_now()
    assert only(job).evidence["control"] == ""
    assert only(job).evidence["absent"] is False, "it may still be on its way"


@pytest.mark.parametrize("host_ahead", [360, -360])
def test_nothing_is_decided_where_kreas_clock_and_ours_differ(
    krea: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch, host_ahead: float
) -> None:
    """What was made would seem to lie before its order, or after the proof that it was not."""
    configure(settings, **RESENDING)
    job = lost(krea)
    sent()
    change(job, due_at=ago(days=1))
    at = timezone.now() + timedelta(seconds=host_ahead)
    monkeypatch.setattr(timezone, "now", lambda: at)
    sweep()
    assert (fresh(job).status, fresh(job).submission_count) == (Status.UNCONFIRMED, 1)
    assert "it proves nothing" in only(job).note


@pytest.mark.parametrize("arrived", [True, False])
def test_nothing_is_decided_while_a_person_holds_sending(
    krea: Sandbox, settings: Settings, arrived: bool
) -> None:
    """As after a restore: whoever sent this stranger may have forgotten it."""
    configure(settings, **RESENDING)
    job = lost(krea, arrived=arrived)
    sent()
    pacing.hold(pacing.account())
    list_now()
    assert (fresh(job).status, fresh(job).submission_count) == (Status.UNCONFIRMED, 1)
    pacing.resume(pacing.account())
    list_now()
    assert fresh(job).status != Status.UNCONFIRMED


def test_a_list_that_lacks_a_job_of_ours_proves_nothing(krea: Sandbox, settings: Settings) -> None:
    """It ended early, and said that it was whole."""
    configure(settings, **RESENDING)
    job = lost(krea, arrived=False)
    unlisted, _control = sent(), sent()
    change(unlisted, sent_at=only(job).sent_at)
    krea.jobs[0].created_at -= timedelta(days=1)
    list_now()
    assert (fresh(job).status, only(job).evidence["whole"]) == (Status.UNCONFIRMED, False)


def test_a_list_that_ends_before_an_old_one_decides_about_the_younger(
    krea: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_page = partial(list_since, max_pages=1, limit=2)
    monkeypatch.setattr("hailuo_django.worker.reconcile.list_since", first_page)
    old, young = lost(krea, arrived=False), lost(krea, arrived=False)
    sent()
    sent()
    krea.jobs[0].created_at -= timedelta(hours=1)
    change(old, sent_at=ago(hours=2))
    list_now()

    assert (only(young).evidence["absent"], only(young).evidence["whole"]) == (True, True)
    assert (only(old).evidence["absent"], only(old).evidence["whole"]) == (False, False)


def test_a_list_that_lags_proves_nothing(krea: Sandbox, settings: Settings) -> None:
    configure(settings, **RESENDING)
    krea.misbehave("lagging_list", times=None, seconds=3600)
    job = lost(krea)
    sent()
    list_now()
    assert only(job).evidence["absent"] is False
    assert len(krea.posts) == 2


def test_what_krea_provably_never_saw_is_sent_again_where_the_site_says_so(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **RESENDING)
    job = lost(krea, arrived=False)
    sent()
    list_now()

    first, second = Submission.objects.filter(job=job)
    assert (first.status, first.failure_code) == (Status.FAILED, FailureCode.NOT_FOUND)
    assert second.status in (Status.UNSENT, Status.BACKLOGGED)
    assert "no unknown job since it was claimed" in job.events.get(action="absent").detail
    sweep()
    assert fresh(job).status == Status.BACKLOGGED
    assert [one.body["prompt"] for one in krea.posts].count(job.prompt) == 3
    assert len(krea.jobs) == 2, "one for each of the two jobs"


def test_what_a_webhook_names_while_absence_is_proved_is_not_sent_again(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **RESENDING)
    job = lost(krea, arrived=False)
    sent()
    change(job, due_at=ago(seconds=1))
    lane, search = searching(krea)
    answer = lane.call(search)
    ledger.make_due(job.pk, 1, named("it-arrived-late"))

    lane.record(search, answer)

    assert (only(job).status, only(job).candidate_id) == (Status.UNCONFIRMED, "it-arrived-late")
    assert (fresh(job).status, fresh(job).submission_count) == (Status.UNCONFIRMED, 1)


def test_what_a_newer_one_replaced_ends_and_is_not_sent_again(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **RESENDING)
    job = lost(krea, arrived=False)
    job.resubmit(force=True)
    sweep()
    newest = Submission.objects.get(job=job, number=2)
    krea.move(newest.krea_job_id or "", "failed")
    Submission.objects.filter(pk=newest.pk).update(due_at=ago(seconds=1))
    list_now()

    older = Submission.objects.get(job=job, number=1)
    assert (older.status, older.failure_code) == (Status.FAILED, FailureCode.NOT_FOUND)
    assert job.events.get(action=Action.ABSENT).detail == proof(krea)
    assert fresh(job).submission_count == 2
    fresh(job).resubmit()  # nothing of it may still become a video


def test_it_is_not_sent_again_while_anything_may_be_it(krea: Sandbox, settings: Settings) -> None:
    configure(settings, **RESENDING, WEBHOOK_GRACE_SECONDS=1)
    job = lost(krea, arrived=False)
    other = lost(krea)
    sent()
    list_now()
    assert Submission.objects.filter(job__in=[job, other]).count() == 2


def test_it_is_not_sent_again_without_room_in_the_budget(krea: Sandbox, settings: Settings) -> None:
    configure(settings, **RESENDING)
    job = lost(krea, arrived=False)
    sent()
    configure(settings, BUDGET={"day": "0.3"})
    list_now()
    assert fresh(job).status == Status.UNCONFIRMED
    assert only(job).note.startswith("Not sent again: The site's budget of a day")


def test_a_cancelled_one_that_never_arrived_ends_cancelled(krea: Sandbox) -> None:
    job = lost(krea, arrived=False)
    sent()
    job.cancel()
    list_now()
    assert (fresh(job).status, only(job).status) == (Status.CANCELLED, Status.CANCELLED)
    ended = job.events.last()
    assert ended and (ended.action, ended.detail) == (Action.ABSENT, proof(krea))
    assert only(job).note == ""


def test_a_list_without_kreas_time_proves_nothing(krea: Sandbox) -> None:
    job = lost(krea, arrived=False)
    sent()
    change(job, due_at=ago(seconds=1))
    lane, search = searching(krea)

    lane.record(search, replace(lane.call(search), server_time=None))

    assert only(job).note == "Krea's list could not be had: it came without Krea's time."
    assert only(job).evidence == {}
    due_at = only(job).due_at
    assert due_at and due_at > timezone.now()


def test_no_more_pages_are_read_than_there_is_time_for(krea: Sandbox) -> None:
    change(lost(krea), due_at=ago(seconds=1))
    assert searching(krea, call_seconds() * 1.5)[1].seconds == call_seconds()
    change(lost(krea), due_at=ago(seconds=1))
    assert searching(krea, call_seconds() * 2)[1].seconds == 2 * call_seconds()


def test_what_is_settled_is_no_rival_any_more(krea: Sandbox, settings: Settings) -> None:
    configure(settings, **TRUSTING)
    settled = lost(krea)
    ledger.choose(only(settled), krea.jobs[0].id, by=ledger.By("operator"))
    sweep()
    krea.move(krea.jobs[0].id, "failed")
    look_again(settled)
    assert fresh(settled).status == Status.FAILED

    job = lost(krea)
    list_now()

    assert only(job).krea_job_id == krea.jobs[1].id


def test_what_never_arrived_is_no_rival_of_what_was_made_an_hour_later(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **TRUSTING)
    absent = lost(krea, arrived=False)
    sent()
    list_now()
    assert only(absent).evidence["absent"] is True
    pass_time(krea, 3600)

    job = lost(krea)
    change(absent, due_at=ago(hours=-1))
    change(job, due_at=ago(seconds=1))
    sweep()

    assert (fresh(absent).status, only(job).krea_job_id) == (Status.UNCONFIRMED, krea.jobs[-1].id)


@pytest.mark.logs_errors
def test_one_that_cannot_be_decided_about_holds_up_no_other(
    krea: Sandbox, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "ADOPT_STRANGERS": True, "RESEND_WHEN_ABSENT": True}
    stuck, other = lost(krea, arrived=False), lost(krea, arrived=False)
    sent()

    with refused(Action.ABSENT, stuck):
        list_now()
    assert fresh(stuck).status == Status.UNCONFIRMED
    assert "resubmit" in actions(other)


def test_trouble_with_the_list_changes_no_state(krea: Sandbox) -> None:
    job = lost(krea)
    krea.misbehave("server_error", on="list")
    list_now()
    assert fresh(job).status == Status.UNCONFIRMED
    assert only(job).note.startswith("Krea's list could not be had: Internal Server Error")

    krea.misbehave("rate_limited", on="list", retry_after=3000)
    list_now()
    assert only(job).note.startswith("Krea's list could not be had: You have reached")
    due_at = only(job).due_at
    assert due_at is not None
    assert due_at > ago(seconds=-2900)
    assert KreaAccount.objects.get().look_after is not None


def test_what_another_token_sent_is_not_looked_for_with_this_one(
    krea: Sandbox, settings: Settings
) -> None:
    job = lost(krea)
    change(job, account="another")
    list_now()
    assert listings(krea) == 0
    assert fresh(job).status == Status.UNCONFIRMED


def test_a_job_named_for_another_is_neither_adopted_nor_proof_of_absence(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **TRUSTING)
    job = lost(krea)
    named_for = submitted()
    named_for.cancel()
    change(named_for, candidate_id=krea.jobs[0].id, due_at=ago(hours=-1))
    sent()
    list_now()
    assert fresh(job).status == Status.UNCONFIRMED
    assert only(job).evidence["strangers"] == [krea.jobs[0].id]
    assert only(job).evidence["absent"] is False


def test_after_a_day_it_waits_for_a_person(krea: Sandbox) -> None:
    job = lost(krea)
    change(job, sent_at=ago(hours=25), lost_at=ago(hours=25))
    list_now()
    assert (fresh(job).status, only(job).due_at) == (Status.UNCONFIRMED, None)
    job.sync()
    sweep()
    assert listings(krea) == 2


def test_a_dismissed_stranger_is_no_longer_counted(krea: Sandbox, settings: Settings) -> None:
    configure(settings, **TRUSTING)
    jobs = [lost(krea), lost(krea, arrived=False)]
    sent()
    list_now()
    [stranger] = Stranger.objects.open()
    change(jobs[1], evidence={})  # its turn to be looked for has not come yet
    grace = get_user_model().objects.create_user("grace")
    ledger.dismiss(stranger, by=ledger.By("operator", grace))
    with pytest.raises(Conflict, match="^This upstream job was dismissed already") as refused:
        ledger.dismiss(stranger, by=ledger.By("operator", grace))
    assert refused.value.code == "not_open"
    assert Stranger.objects.get().dismissed_by == grace
    list_now()
    assert [only(job).evidence["strangers"] for job in jobs] == [[], []]
    assert {only(job).evidence["absent"] for job in jobs} == {True}
    assert all("note" in actions(job) for job in jobs)


def test_a_dismissal_is_written_down_whole_or_not_at_all(krea: Sandbox) -> None:
    job = lost(krea)
    list_now()
    [stranger] = Stranger.objects.open()
    failures = 0
    while Stranger.objects.open().exists():
        assert "note" not in actions(job)
        failures += 1
        with failing_at(failures), suppress(OperationalError):
            ledger.dismiss(stranger, by=ledger.By("operator"))

    assert failures > 5, "each statement has failed once"
    assert actions(job).count("note") == 1


def test_what_cannot_be_sent_again_shows_its_evidence(krea: Sandbox, settings: Settings) -> None:
    configure(settings, **RESENDING)
    job = lost(krea, arrived=False)
    sent()
    configure(settings, BUDGET={"day": "0.3"})
    list_now()
    assert (only(job).status, only(job).evidence["absent"]) == (Status.UNCONFIRMED, True)


def test_what_was_given_up_and_deleted_leaves_its_video_to_nobody(
    krea: Sandbox, settings: Settings
) -> None:
    configure(settings, **TRUSTING)
    arrived, absent = lost(krea), lost(krea, arrived=False)
    change(arrived, lost_at=ago(minutes=1))
    ledger.give_up(only(arrived), by=ledger.By("operator"))
    fresh(arrived).delete()
    list_now()
    assert fresh(absent).status == Status.UNCONFIRMED


@pytest.mark.parametrize("by_a_person", [True, False])
def test_what_was_decided_while_the_list_was_asked_for_stays_decided(
    krea: Sandbox, settings: Settings, operator: ledger.By, by_a_person: bool
) -> None:
    configure(settings, **TRUSTING)
    job = lost(krea)
    pass_time(krea, 600)
    change(job, due_at=ago(seconds=1))
    lane, search = searching(krea)
    answer = lane.call(search)
    if by_a_person:
        ledger.give_up(only(job), by=operator)
    else:
        ledger.make_due(job.pk, 1, named("told-by-its-webhook"))

    lane.record(search, answer)

    assert only(job).krea_job_id is None
    assert only(job).candidate_id == ("" if by_a_person else "told-by-its-webhook")


def test_the_job_of_a_late_request_is_not_taken_for_that_of_a_younger_one(
    krea: Sandbox, settings: Settings
) -> None:
    """An older answer is lost as well: until its absence is proved, it may have been made late."""
    configure(settings, **TRUSTING)
    older = lost(krea, arrived=False)
    pass_time(krea, 2 * 3600)
    younger = lost(krea)
    pass_time(krea, 600)
    list_now()
    assert [only(job).krea_job_id for job in (older, younger)] == [None, None]
    assert only(older).evidence["strangers"] == only(younger).evidence["strangers"] != []


def test_what_somebody_decided_about_is_a_rival_until_a_while_after_its_end() -> None:
    end = datetime(2026, 11, 1, 12, tzinfo=UTC)
    windows = {1: Window(end - timedelta(minutes=10), end)}
    for late, rival in ((-SKEW, {1}), (timedelta(0), {1}), (SKEW, {1}), (2 * SKEW, set())):
        job = JobReport("made-then", Status.QUEUED, created_at=end + late)
        assert rivals(job, windows, closed={1}) == rival
        assert rivals(job, windows, closed=()) == {1}


def test_a_window_holds_what_was_made_since_it_began_or_tells_no_time() -> None:
    claimed = datetime(2026, 11, 1, 12, tzinfo=UTC)
    window = Window(claimed, claimed + timedelta(minutes=10))
    made = {"before": claimed - 2 * SKEW, "within": claimed, "at some time": None}
    held = [
        name
        for name, created_at in made.items()
        if window.may_hold(JobReport(name, Status.QUEUED, created_at=created_at))
    ]
    assert held == ["within", "at some time"]
