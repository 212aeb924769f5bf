"""What a person decides about a lost answer, and what it cost or saved."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from pytest_django import Settings

from hailuo_django import budget, ledger
from hailuo_django.exceptions import SUBMISSION_ALIVE, BudgetExceeded, Conflict
from hailuo_django.krea.errors import Ambiguous
from hailuo_django.krea.wire import generate_body
from hailuo_django.models import JobEvent, KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, FailureCode, Status
from hailuo_django.worker.look import LookLane
from hailuo_django.worker.sweep import sweep

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

pytestmark = pytest.mark.django_db(transaction=True)

PRICE = Decimal("0.2835")


def lost(krea: Sandbox, *, arrived: bool = True) -> VideoJob:
    krea.misbehave("lost_answer" if arrived else "lost_request", on="generate")
    return sent()


def forgotten(krea: Sandbox) -> str:
    """An upstream job that nobody here has on record."""
    body = generate_body(prompt="a lighthouse at dusk", resolution="768p", duration=6)
    return client(krea).generate(body).krea_job_id


def last_event(job: VideoJob) -> JobEvent:
    event = job.events.last()
    assert event is not None
    return event


def test_the_job_that_an_operator_names_is_confirmed_by_krea_and_adopted(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    [made] = krea.jobs
    ledger.choose(only(job), made.id, by=operator)

    chosen = last_event(job)
    assert (chosen.action, chosen.detail, chosen.actor) == ("choose", made.id, operator.actor)
    assert fresh(job).status == Status.UNCONFIRMED, "Krea is asked first"
    krea.move(made.id, "completed")
    sweep()
    assert (fresh(job).status, only(job).krea_job_id) == (Status.COMPLETED, made.id)


def test_a_job_that_tells_no_time_may_be_that_of_any_request_under_way(
    krea: Sandbox, operator: ledger.By
) -> None:
    lost_one = lost(krea)
    ledger.choose(only(lost_one), krea.jobs[0].id, by=operator)
    lane = LookLane(client(krea))
    taken = lane.take(60)
    assert taken is not None
    KreaAccount.objects.update(doubts=0)
    submitted()
    claimed(krea)

    lane.record(taken, replace(lane.call(taken), created_at=None))

    assert only(lost_one).note.startswith("A request under way may have made the job")
    assert only(lost_one).krea_job_id is None


@pytest.mark.parametrize("answered", [True, False])
def test_a_job_that_a_request_under_way_may_have_made_waits_for_its_answer(
    krea: Sandbox, operator: ledger.By, answered: bool
) -> None:
    lost_one = lost(krea, arrived=False)
    KreaAccount.objects.update(doubts=0)
    other = submitted()
    lane, sending = claimed(krea)
    answer = lane.call(sending)
    ledger.choose(only(lost_one), answer.krea_job_id, by=operator)
    look_again(lost_one)
    assert only(lost_one).krea_job_id is None
    assert only(lost_one).note.startswith("A request under way may have made the job")
    assert Submission.objects.filter(pk=only(lost_one).pk, due_at__gt=ago()).exists()

    lane.record(sending, answer if answered else Ambiguous("connection reset"))
    look_again(lost_one)

    if answered:
        assert only(other).krea_job_id == answer.krea_job_id
        assert only(lost_one).candidate_id == ""
        assert "It belongs to another submission." in last_event(lost_one).detail
    else:
        assert only(lost_one).krea_job_id == answer.krea_job_id, "what the operator said"


def test_a_job_that_is_older_than_every_request_under_way_waits_for_none(
    krea: Sandbox, operator: ledger.By
) -> None:
    lost_one = lost(krea)
    KreaAccount.objects.update(doubts=0)
    [made] = krea.jobs
    made.created_at = ago(minutes=30)
    change(lost_one, sent_at=ago(minutes=30))
    submitted()
    claimed(krea)

    ledger.choose(only(lost_one), made.id, by=operator)
    look_again(lost_one)

    assert only(lost_one).krea_job_id == made.id


def test_an_operator_cannot_name_the_job_of_another_submission(
    krea: Sandbox, operator: ledger.By
) -> None:
    job, other = lost(krea), sent()
    named = only(other).krea_job_id
    assert named is not None
    with pytest.raises(Conflict) as refused:
        ledger.choose(only(job), named, by=operator)
    said = f"This Krea job belongs to submission 1 of job {other.pk}."
    assert (refused.value.code, refused.value.message) == ("known_job", said)
    assert only(job).candidate_id == ""
    assert last_event(job).action == "lose"


@pytest.mark.parametrize("krea_job_id", ["", ".", "x" * 101, "line\nbreak"])
def test_an_operator_cannot_name_what_is_no_id(
    krea: Sandbox, operator: ledger.By, krea_job_id: str
) -> None:
    job = lost(krea)
    with pytest.raises(Conflict, match="cannot be the id") as refused:
        ledger.choose(only(job), krea_job_id, by=operator)
    assert refused.value.code == "invalid_id"


def test_there_is_nothing_to_decide_about_what_krea_answered(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = sent()
    for verdict in (ledger.give_up, ledger.send_again):
        with pytest.raises(Conflict):
            verdict(only(job), by=operator)
    with pytest.raises(Conflict) as refused:
        ledger.choose(only(job), "an-id", by=operator)
    assert refused.value.message == (
        "Nothing is to be decided about this submission: its answer was not lost, Krea's job "
        "is on record, or a job was named that Krea is being asked about."
    )
    assert [action for action, _, _ in history(job)] == ["submit", "claim", "adopt"]


def test_giving_up_fails_the_job_and_its_late_video_is_kept_all_the_same(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.give_up(only(job), by=operator)
    assert (fresh(job).status, fresh(job).failure_code) == (Status.FAILED, FailureCode.GIVEN_UP)
    assert last_event(job).actor == operator.actor

    [made] = krea.jobs
    ledger.choose(only(job), made.id, by=operator)
    krea.move(made.id, "completed")
    sweep()
    assert fresh(job).status == Status.COMPLETED
    assert last_event(job).detail == f"Completed after all: it cost {PRICE} USD."


def test_sending_again_makes_a_new_submission_once(krea: Sandbox, operator: ledger.By) -> None:
    job = lost(krea, arrived=False)
    first = only(job)
    second = ledger.send_again(first, by=operator)
    with pytest.raises(Conflict):
        ledger.send_again(first, by=operator)

    assert (second.number, fresh(job).status) == (2, Status.UNSENT)
    first.refresh_from_db()
    assert (first.status, first.failure_code) == (Status.FAILED, FailureCode.GIVEN_UP)
    announced = job.events.exclude(announcement="").values_list("announcement", flat=True)
    assert [*announced] == ["job_submitted", "job_submitted"], "the job never failed"
    assert first.note == "", "what was to be decided is decided"
    sweep()
    assert len(krea.jobs) == 1


def test_sending_again_is_refused_when_a_newer_submission_exists(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    job.resubmit(force=True)
    first = Submission.objects.get(job=job, number=1)
    with pytest.raises(Conflict):
        ledger.send_again(first, by=operator)
    assert Submission.objects.filter(job=job).count() == 2


def test_what_is_absent_is_sent_again_only_while_it_is_wanted_and_the_newest(
    krea: Sandbox,
) -> None:
    unwanted, replaced = lost(krea, arrived=False), lost(krea, arrived=False)
    first = only(replaced)
    unwanted.cancel()
    replaced.resubmit(force=True)
    for submission in (only(unwanted), first):
        with pytest.raises(Conflict):
            ledger.resend_absent(submission, proof="It is not in the list.")
    assert [fresh(unwanted).submission_count, fresh(replaced).submission_count] == [1, 2]

    assert not ledger.cancel_absent(first, proof="It is not in the list."), "nobody wished it"
    assert ledger.cancel_absent(only(unwanted), proof="It is not in the list.")
    assert fresh(unwanted).status == Status.CANCELLED


def test_a_job_is_named_once(krea: Sandbox, operator: ledger.By) -> None:
    job = lost(krea)
    ledger.choose(only(job), krea.jobs[0].id, by=operator)
    with pytest.raises(Conflict):
        ledger.choose(only(job), krea.jobs[0].id, by=operator)
    assert [action for action, _, _ in history(job)].count("choose") == 1


def test_what_is_adopted_without_an_address_says_so(krea: Sandbox, operator: ledger.By) -> None:
    krea.misbehave("result_empty", on="generate")
    job = lost(krea)
    [made] = krea.jobs
    krea.move(made.id, "completed")
    ledger.choose(only(job), made.id, by=operator)
    sweep()
    assert last_event(job).detail == "Completed without a result address."
    assert only(job).error_code == ""


def test_nothing_else_is_decided_while_krea_is_asked_about_a_job_that_was_named(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.choose(only(job), krea.jobs[0].id, by=operator)
    for verdict in (ledger.give_up, ledger.send_again):
        with pytest.raises(Conflict):
            verdict(only(job), by=operator)
    assert (fresh(job).status, fresh(job).submission_count) == (Status.UNCONFIRMED, 1)
    assert only(job).candidate_id == krea.jobs[0].id


def test_sending_again_needs_room_in_the_budget_less_what_it_gives_back(
    krea: Sandbox, operator: ledger.By, settings: Settings
) -> None:
    job = lost(krea)
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "0.2"}}
    with pytest.raises(BudgetExceeded):
        ledger.send_again(only(job), by=operator)
    assert only(job).status == Status.UNCONFIRMED

    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": PRICE}}
    assert ledger.send_again(only(job), by=operator).number == 2


def test_a_given_up_one_that_runs_after_all_is_cancelled_when_the_other_is_completed(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    first = only(job)
    second = ledger.send_again(first, by=operator)
    sweep()
    second.refresh_from_db()
    old = next(made for made in krea.jobs if made.id != second.krea_job_id)
    ledger.choose(first, old.id, by=operator)
    sweep()
    assert fresh(job).status == Status.BACKLOGGED

    krea.move(str(second.krea_job_id), "completed")
    look_again(job)
    sweep()
    assert old.status == "cancelled"
    assert len(krea.paid) == 1


def test_a_twin_cancelled_in_time_says_what_was_saved(krea: Sandbox) -> None:
    job = sent()
    job.resubmit(force=True)
    forced = last_event(job)
    assert forced.detail == f"{PRICE} USD Forced. Submission 1 may be alive: {PRICE} USD twice."
    sweep()
    first, second = krea.jobs
    krea.move(first.id, "completed")
    for _pass in range(2):
        look_again(job)
    assert second.status == "cancelled"
    saved = f"Cancelled in time, the job has its video: {PRICE} USD saved."
    assert last_event(job).detail == saved


def with_two_videos(krea: Sandbox) -> VideoJob:
    job = sent()
    job.resubmit(force=True)
    sweep()
    for made in krea.jobs:
        krea.move(made.id, "completed")
    return look_again(job)


def test_a_second_video_says_what_it_cost(krea: Sandbox) -> None:
    job = with_two_videos(krea)
    ends = job.events.filter(to_status="completed")
    assert [event.detail for event in ends] == [
        "",
        f"A second video of this job: it cost {PRICE} USD more.",
    ]
    assert [event.announcement for event in ends] == ["job_completed", ""], "completed once"
    assert {event.submission and event.submission.number for event in ends} == {1, 2}
    assert job.spent_usd == 2 * PRICE


def test_what_a_second_video_lacks_stands_beside_what_it_cost(krea: Sandbox) -> None:
    krea.misbehave("result_empty", on="generate", times=2)
    job = with_two_videos(krea)
    assert last_event(job).detail == (
        f"A second video of this job: it cost {PRICE} USD more. Completed without a result address."
    )


def test_a_job_that_is_cancelled_without_a_video_has_saved_nothing_to_speak_of(
    krea: Sandbox,
) -> None:
    job = sent()
    job.cancel()
    sweep()
    look_again(job)
    assert (last_event(job).to_status, last_event(job).detail) == ("cancelled", "")


def test_each_move_tells_when_it_was_and_from_where(krea: Sandbox) -> None:
    job = sent()
    for status in ("queued", "processing", "completed"):
        before = fresh(job)
        krea.move(krea.jobs[0].id, status)
        after = look_again(job)
        assert (after.previous_status, after.status) == (before.status, status)
        assert after.updated_at > before.updated_at


def test_a_candidate_waits_for_the_answer_to_the_request_that_is_under_way(krea: Sandbox) -> None:
    wrong = sent()
    submitted_job = submitted()
    lane, item = claimed(krea)
    stranger = krea.jobs[0]
    change(wrong, krea_job_id=None, status=Status.FAILED, failure_code="given_up", due_at=None)
    ledger.make_due(submitted_job.pk, 1, named(stranger.id))

    assert LookLane(client(krea)).take(60) is None
    lane.record(item, lane.call(item))
    assert only(submitted_job).krea_job_id == krea.jobs[1].id


def test_a_candidate_that_cannot_be_asked_for_stands_in_the_way_of_no_verdict(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    change(job, account="another")
    ledger.choose(only(job), "mistyped", by=operator)
    with pytest.raises(Conflict):
        ledger.give_up(only(job), by=operator)

    look_again(job)
    change(job, not_found_since=ago(minutes=16))
    ledger.give_up(only(job), by=operator)
    assert only(job).failure_code == FailureCode.GIVEN_UP


def test_what_never_ends_can_be_written_off_and_is_still_asked_for(
    krea: Sandbox, operator: ledger.By, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "9"}}
    job = sent()
    with pytest.raises(Conflict):
        ledger.give_up(only(job), by=operator)

    change(job, sent_at=ago(hours=5))
    sweep()
    ledger.give_up(only(job), by=operator)

    assert (fresh(job).status, only(job).failure_code) == (Status.FAILED, FailureCode.GIVEN_UP)
    look_again(job)
    [balance] = budget.balances()
    assert balance.reserved_usd == 0, "a verdict holds although Krea goes on"
    with pytest.raises(Conflict) as refused:
        fresh(job).resubmit()
    assert refused.value.code == SUBMISSION_ALIVE, "Krea says that it runs"

    assert fresh(job).resubmit(force=True).number == 2
    assert "Submission 1 may be alive: 0.2835 USD twice" in job.events.latest("pk").detail
    krea.move(krea.jobs[0].id, "completed")
    change(job, due_at=ago(seconds=1))
    sweep()
    assert fresh(job).status == Status.COMPLETED


def test_the_clocks_of_our_hosts_lose_no_job_that_somebody_named(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    change(job, sent_at=ago(minutes=-30), lost_at=ago(minutes=-30))
    ledger.choose(only(job), krea.jobs[0].id, by=operator)
    look_again(job)
    assert only(job).krea_job_id == krea.jobs[0].id


def test_a_candidate_is_not_given_up_because_the_token_changed(krea: Sandbox) -> None:
    job = lost(krea)
    change(job, account="another", candidate_id="unknown", not_found_since=ago(hours=1))
    look_again(job)
    assert only(job).candidate_id == "unknown"
    assert "another API token" in only(job).note


def test_a_twin_that_becomes_known_late_is_cancelled_where_the_video_is_there(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.send_again(only(job), by=operator)
    sweep()
    old, new = krea.jobs
    krea.move(new.id, "completed")
    assert look_again(job).status == Status.COMPLETED

    ledger.choose(job.submissions.get(number=1), old.id, by=operator)
    for _look in range(2):
        look_again(job)

    assert krea.jobs[0].status == "cancelled"
    assert len(krea.paid) == 1


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_what_is_cancelled_while_krea_is_asked_about_a_job_that_was_named_is_not_forgotten(
    krea: Sandbox, operator: ledger.By, end: str
) -> None:
    """As after a restore: this database has forgotten that it was sent."""
    made = forgotten(krea)
    job = submitted()
    ledger.choose(only(job), made, by=operator)
    krea.misbehave("server_error", on="get", times=None)
    sweep()
    job.cancel()
    assert (fresh(job).status, only(job).may_be_billed) == (Status.CANCELLED, True)
    krea.behave()
    krea.move(made, "completed" if end == "completed" else "processing")
    look_again(job)
    assert look_again(job).status == end
    [upstream] = krea.jobs
    assert upstream.status == end, "what runs on although nobody wants it is cancelled"
    assert only(job).krea_job_id == made


def test_a_job_that_was_only_named_is_never_cancelled_upstream(
    krea: Sandbox, operator: ledger.By
) -> None:
    """A mistyped id may be that of somebody else's video."""
    made = forgotten(krea)
    job = submitted()
    ledger.choose(only(job), made, by=operator)
    job.cancel()
    sweep()
    assert "DELETE" not in [method for method, _path, _ in krea.requests]


def test_giving_up_what_ended_here_is_about_that_one_alone(
    krea: Sandbox, operator: ledger.By
) -> None:
    jobs = [sent(), sent()]
    krea.misbehave("server_error", on="get", times=None)
    for job in jobs:
        change(job, status=Status.FAILED, ended_at=ago(days=3), overdue_at=ago(hours=1))
    ledger.give_up(only(jobs[0]), by=operator)

    assert [only(job).written_off_at is None for job in jobs] == [False, True]
    decided = jobs[0].events.latest("pk")
    assert (decided.action, decided.detail) == (
        Action.GIVE_UP,
        "Nothing is reserved for it any more.",
    )


def test_what_was_given_up_gets_its_job_on_record_in_kreas_words(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.give_up(only(job), by=operator)
    ledger.choose(only(job), krea.jobs[0].id, by=operator)
    sweep()
    row = only(job)
    assert (row.krea_job_id, row.candidate_id) == (krea.jobs[0].id, "")
    assert (row.status, row.krea_status) == (Status.FAILED, "backlogged")


def test_nor_is_another_recorded_for_it_than_the_one_named_last(
    krea: Sandbox, operator: ledger.By
) -> None:
    job = lost(krea)
    ledger.give_up(only(job), by=operator)
    ledger.choose(only(job), krea.jobs[0].id, by=operator)
    lane = LookLane(client(krea))
    taken = lane.take(60)
    assert taken is not None
    answer = lane.call(taken)
    ledger.choose(only(job), "another", by=operator)
    lane.record(taken, answer)
    assert (only(job).krea_job_id, only(job).candidate_id) == (None, "another")


def test_only_the_newest_is_sent_again(krea: Sandbox, operator: ledger.By) -> None:
    job = lost(krea)
    krea.misbehave("lost_answer", on="generate")
    fresh(job).resubmit(force=True)
    KreaAccount.objects.update(doubts=0)
    sweep()
    older, newer = Submission.objects.filter(job=job).order_by("number")
    assert (older.status, newer.status) == (Status.UNCONFIRMED, Status.UNCONFIRMED)
    with pytest.raises(Conflict):
        ledger.send_again(older, by=operator)

    krea.move(krea.jobs[0].id, "completed")
    ledger.choose(older, krea.jobs[0].id, by=operator)
    sweep()
    assert fresh(job).status == Status.COMPLETED
    with pytest.raises(Conflict):
        ledger.send_again(newer, by=operator)
    assert fresh(job).submission_count == 2
