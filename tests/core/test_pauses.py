"""One outage does not make a whole queue doubtful: pauses after lost answers, and their end."""

from __future__ import annotations

import pytest
from django.utils import timezone

from hailuo_django import pacing
from hailuo_django.krea.errors import AccountProblem, Ambiguous, NotSent
from hailuo_django.models import KreaAccount, Submission
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.reconcile import ListLane
from hailuo_django.worker.send import SendLane
from hailuo_django.worker.sweep import sweep

from .rows import ago, claimed, client, fresh, look_again, sent, submitted

pytestmark = pytest.mark.django_db(transaction=True)


def counted(status: Status) -> int:
    return Submission.objects.filter(status=status).count()


def queue(length: int) -> None:
    for number in range(length):
        submitted(prompt=f"lighthouse {number}")


def the_wait_is_over() -> None:
    KreaAccount.objects.update(send_after=None)


def a_get_is_answered(krea: Sandbox) -> None:
    assert pacing.is_paused()
    lane = ListLane(client(krea))
    search = lane.take(60)
    assert search is not None
    lane.record(search, lane.call(search))
    assert not pacing.is_paused()


def outage(krea: Sandbox, *, answers: bool) -> None:
    krea.misbehave("lost_request", times=None, on="generate")
    if not answers:
        krea.misbehave("server_error", times=None, on="list")


def test_an_outage_makes_few_of_a_long_queue_doubtful(krea: Sandbox) -> None:
    queue(20)
    outage(krea, answers=False)
    for _pass in range(5):
        sweep()

    assert counted(Status.UNCONFIRMED) == len(krea.posts) <= pacing.DOUBTS_BEFORE_A_PAUSE + 3
    account = KreaAccount.objects.get()
    assert account.paused_at is not None
    assert account.reason.startswith("Answers were lost: ")


def test_a_pause_ends_when_krea_answers_a_get_and_one_trial_goes_ahead(krea: Sandbox) -> None:
    queue(10)
    outage(krea, answers=False)
    for _pass in range(2):
        sweep()
    doubtful = counted(Status.UNCONFIRMED)

    krea.behave()
    outage(krea, answers=True)
    sweep()  # a GET is answered, and with it the pause is over
    sweep()  # one goes ahead, and is lost as well
    assert counted(Status.UNCONFIRMED) == doubtful + 1
    assert pacing.is_paused()

    krea.behave()
    sweep()  # a GET is answered; the next trial waits, and everybody with it
    sweep()
    assert not pacing.is_paused()
    assert counted(Status.UNCONFIRMED) == doubtful + 1

    the_wait_is_over()
    sweep()
    assert counted(Status.UNSENT) == 0
    account = KreaAccount.objects.get()
    assert (account.doubts, account.setbacks, account.reason) == (0, 0, "")


def pause() -> None:
    for _doubt in range(pacing.DOUBTS_BEFORE_A_PAUSE):
        pacing.doubt("connection reset")
    assert pacing.is_paused()


@pytest.mark.parametrize("status", [403, 404])
def test_a_token_that_may_see_no_list_is_answered_all_the_same(krea: Sandbox, status: int) -> None:
    krea.misbehave("other_refusal", on="list", status=float(status))
    pause()
    sweep()
    assert not pacing.is_paused()


def test_an_answer_about_a_job_ends_a_pause_where_no_list_can_be_had(krea: Sandbox) -> None:
    job = sent()
    krea.misbehave("server_error", times=None, on="list")
    pause()
    sweep()
    assert pacing.is_paused()
    look_again(job)
    assert not pacing.is_paused()


def test_where_krea_loses_every_order_and_answers_every_get_trials_grow_rare(krea: Sandbox) -> None:
    queue(20)
    outage(krea, answers=True)
    for _lost in range(pacing.DOUBTS_BEFORE_A_PAUSE):
        pacing.doubt("connection reset")
    a_get_is_answered(krea)
    waits = []
    for _trial in range(9):
        lane, trial = claimed(krea)
        lane.record(trial, Ambiguous("connection reset"))
        a_get_is_answered(krea)
        account = KreaAccount.objects.get()
        assert account.send_after is not None
        waits.append(round((account.send_after - timezone.now()).total_seconds(), -1))
        assert account.reason.startswith("Answers were lost: "), "staff see why it waits"
        the_wait_is_over()

    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_lost_answer_of_before_leaves_the_trial_alone(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    queue(3)
    early, before = claimed(krea)
    pacing.doubt("connection reset")
    lane, trial = claimed(krea)

    early.record(before, Ambiguous("connection reset"))

    assert SendLane(client(krea)).take(60) is None, "the trial is under way"
    lane.record(trial, NotSent("connection refused"))
    the_wait_is_over()
    assert SendLane(client(krea)).take(60) is not None


def test_a_trial_that_finds_nothing_to_claim_leaves_its_turn_to_the_next(
    krea: Sandbox,
) -> None:
    queue(1)
    pacing.doubt("connection reset")
    late = SendLane(client(krea))
    row = Submission.objects.get()
    claimed(krea)
    KreaAccount.objects.update(trial_until=None)

    late.batch.append(row)

    assert late.take(60) is None, "another one claimed it"
    assert KreaAccount.objects.get().trial_until is None


def test_a_delay_of_nothing_is_no_leave_to_ask_again_and_again(krea: Sandbox) -> None:
    krea.misbehave("rate_limited", times=None, retry_after=0, on="generate")
    queue(6)
    sweep()
    first = len(krea.posts)
    sweep()
    assert len(krea.posts) == first <= SendLane.width
    [account] = KreaAccount.objects.all()
    assert account.send_after is not None
    assert account.send_after > timezone.now()


def test_what_krea_says_of_one_request_alone_does_not_hold_up_the_others(krea: Sandbox) -> None:
    job, other = submitted(), submitted()
    for _trial in range(3):
        lane, trial = claimed(krea)
        assert trial.submission.job_id == job.pk, "it keeps its place at first"
        lane.record(trial, AccountProblem("top up", status=402))
        the_wait_is_over()
    lane = SendLane(client(krea))
    item = lane.take(60)
    assert item is not None
    assert item.submission.job_id == other.pk, "the first has had its trials"
    assert fresh(job).status == Status.UNSENT


def test_one_lost_answer_lets_the_next_go_alone_and_then_the_rest(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    sent()
    queue(3)
    lane, trial = claimed(krea)
    assert lane.take(60) is None
    assert SendLane(client(krea)).take(60) is None, "not by another worker either"
    lane.record(trial, lane.call(trial))
    assert lane.take(60) is not None


def test_what_krea_refuses_is_no_outage(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    sent()
    krea.misbehave("invalid_request")
    assert sent().status == Status.FAILED
    assert KreaAccount.objects.get().doubts == 0


def test_senders_that_die_one_after_the_other_pause_sending_as_well(krea: Sandbox) -> None:
    for _sender in range(pacing.DOUBTS_BEFORE_A_PAUSE):
        submitted()
        claimed(krea)
        KreaAccount.objects.update(trial_until=None)
    Submission.objects.update(lease_expires_at=ago(seconds=1), due_at=ago(seconds=1))
    krea.misbehave("server_error", times=None, on="list")
    job = submitted()
    sweep()
    assert fresh(job).status == Status.UNSENT
    assert pacing.is_paused()
    reason = "Answers were lost: a sender stopped before it knew the outcome"
    assert KreaAccount.objects.get().reason == reason


def test_a_person_can_end_a_pause(krea: Sandbox) -> None:
    krea.misbehave("payment_required")
    sent()
    [fingerprint] = KreaAccount.objects.values_list("pk", flat=True)
    assert pacing.resume(fingerprint)
    assert not pacing.resume(fingerprint), "nothing holds it any more"
    sweep()
    assert counted(Status.UNSENT) == 0


def test_while_somebody_holds_it_nothing_is_sent_and_looks_go_on(krea: Sandbox) -> None:
    running = sent()
    assert pacing.hold(pacing.account(), by="ada")
    assert not pacing.hold(pacing.account(), by="eve"), "it is held already"
    queue(2)
    krea.move(krea.jobs[0].id, "completed")
    assert look_again(running).status == Status.COMPLETED
    sweep()
    assert (len(krea.posts), counted(Status.UNSENT)) == (1, 2)
    account = KreaAccount.objects.get()
    assert account.held_by == "ada"

    assert pacing.resume(account.pk)
    sweep()
    assert counted(Status.UNSENT) == 0
    account.refresh_from_db()
    assert (account.held_at, account.held_by) == (None, "")


def test_no_answer_of_kreas_ends_what_a_person_holds(krea: Sandbox) -> None:
    for _lost in range(pacing.DOUBTS_BEFORE_A_PAUSE):
        pacing.doubt("connection reset")
    pacing.hold(pacing.account())
    queue(1)
    a_get_is_answered(krea)
    sweep()
    assert krea.posts == []
    assert pacing.take_turn() is None


def test_what_was_under_way_when_it_was_held_goes_out_and_is_recorded(krea: Sandbox) -> None:
    queue(2)
    lane, item = claimed(krea)
    pacing.hold(pacing.account())
    lane.record(item, lane.call(item))
    assert lane.take(60) is None
    assert counted(Status.BACKLOGGED) == 1
    assert KreaAccount.objects.get().held_at is not None


def test_a_name_of_any_length_may_hold_it(db: None) -> None:
    assert pacing.hold(pacing.account(), by="a" * 1000)
    assert KreaAccount.objects.get().held_by == "a" * pacing.MAX_NAME_LENGTH


def test_a_pause_is_not_ended_by_a_list_asked_for_before_it_began(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    sent()
    Submission.objects.update(due_at=ago(seconds=1))
    lane = ListLane(client(krea))
    search = lane.take(60)
    assert search is not None
    answer = lane.call(search)
    for _lost in range(pacing.DOUBTS_BEFORE_A_PAUSE):
        pacing.doubt("connection reset")

    lane.record(search, answer)

    assert pacing.is_paused()
