"""A job that is accepted and does not move says so, and nothing of the site's account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import ledger, pacing
from hailuo_django.krea.errors import AccountProblem, Ambiguous, Refused
from hailuo_django.krea.wire import read_job
from hailuo_django.models import Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep
from tests.site import configure

from .people import Visitor, address, ended, under_way, wanted

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = reverse("hailuo_django_api:job-list")
PAUSED = {
    "code": "sending_paused",
    "message": "Sending is paused. The job keeps its place and is sent by itself.",
}


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox)
        yield sandbox


def test_while_all_goes_its_way_nothing_is_said(client: Visitor) -> None:
    assert client.create(prompt="x").json()["waiting"] is None
    assert client.create(prompt="x", submit=False).json()["waiting"] is None


@pytest.mark.parametrize("trouble", ["unauthorized", "payment_required", "rate_limited"])
def test_what_holds_sending_back_is_told_as_a_pause_and_in_no_other_words(
    client: Visitor, ada: User, krea: Sandbox, trouble: str
) -> None:
    job = wanted(ada)
    krea.misbehave(trouble, times=None)
    sweep()
    said = Submission.objects.get().note
    assert said.startswith("HTTP 4")

    accepted = client.create(prompt="x")

    assert (accepted.status_code, accepted.json()["waiting"]) == (202, PAUSED)
    assert [one["waiting"] for one in client.get(JOBS).json()["results"]] == [PAUSED, PAUSED]
    for path in (JOBS, address(job), address(job, "events")):
        text = client.get(path).content.decode()
        assert not any(
            part in text for part in (said, "HTTP 4", "balance", "top up", "nauthorized")
        )

    pacing.resume(pacing.account())
    assert client.get(address(job)).json()["waiting"] is None


def test_a_refusal_that_is_about_the_account_keeps_its_words_from_the_owner(
    client: Visitor, ada: User, krea: Sandbox
) -> None:
    job = wanted(ada)
    krea.misbehave("forbidden")
    sweep()

    shown = client.get(address(job)).json()

    assert (shown["status"], shown["waiting"], shown["error"]) == ("failed", None, None)
    assert "Forbidden" in Submission.objects.get().note
    assert "Forbidden" not in str(shown)


def test_after_lost_answers_those_that_were_not_sent_wait(client: Visitor, ada: User) -> None:
    job = wanted(ada)
    for _answer in range(pacing.DOUBTS_BEFORE_A_PAUSE):
        pacing.doubt("cut")
    assert client.get(address(job)).json()["waiting"] == PAUSED


def test_while_a_person_holds_sending_it_waits(client: Visitor, ada: User) -> None:
    job = wanted(ada)
    pacing.hold(pacing.account(), by="grace")
    shown = client.get(address(job))
    assert shown.json()["waiting"] == PAUSED
    assert "grace" not in shown.content.decode()


def test_while_one_goes_ahead_alone_the_others_wait(client: Visitor, ada: User) -> None:
    job = wanted(ada)
    pacing.doubt("cut")
    turn = pacing.take_turn()
    assert turn is not None
    assert client.get(address(job)).json()["waiting"] == PAUSED
    pacing.end_turn(turn)
    assert client.get(address(job)).json()["waiting"] is None


def test_a_site_without_a_token_sends_nothing(
    client: Visitor, ada: User, settings: Settings
) -> None:
    settings.HAILUO = {"KREA_API_TOKEN": ""}
    assert client.create(prompt="x").json()["waiting"] == PAUSED


def test_what_is_under_way_or_done_does_not_wait(client: Visitor, ada: User) -> None:
    jobs = [ended(ada, Status.COMPLETED), under_way(ada, Status.PROCESSING)]
    pacing.slow_sending(AccountProblem("Top up", status=402))
    assert [client.get(address(job)).json()["waiting"] for job in jobs] == [None, None]


def test_a_lost_answer_is_told_without_alarm(client: Visitor, ada: User) -> None:
    job = under_way(ada, Status.UNCONFIRMED, note=str(Ambiguous("connection reset by 10.0.0.7")))
    shown = client.get(address(job)).json()
    assert shown["waiting"]["code"] == "answer_lost"
    assert "nothing is paid for twice" in shown["waiting"]["message"]
    assert "10.0.0.7" not in str(shown)


def test_a_page_of_waiting_jobs_takes_no_more_queries(ada: User, client: Visitor) -> None:
    pacing.slow_sending(AccountProblem("Top up", status=402))
    for _job in range(3):
        wanted(ada)
    assert VideoJob.objects.count() == 3
    assert [one["waiting"] for one in client.get(JOBS).json()["results"]] == [PAUSED] * 3


@pytest.mark.parametrize("fault", ["result_empty", "missing"])
def test_what_has_ended_and_is_still_asked_for_says_so(
    client: Visitor, ada: User, krea: Sandbox, fault: str
) -> None:
    """A page that stopped asking would never see its video."""
    job = wanted(ada)
    krea.misbehave("result_empty", on="generate")
    sweep()
    Submission.objects.update(not_found_since=timezone.now() - timedelta(hours=1))
    if fault == "missing":
        krea.misbehave("missing", on="get", times=None)
    krea.move(krea.jobs[0].id, "completed")
    Submission.objects.update(due_at=timezone.now())
    sweep()

    answer = client.get(address(job))

    assert answer.json()["status"] == ("failed" if fault == "missing" else "completed")
    assert (answer["Retry-After"], answer.json()["waiting"]["code"]) == ("60", "video_looked_for")

    Submission.objects.update(due_at=None)
    answer = client.get(address(job))
    assert ("Retry-After" in answer, answer.json()["waiting"]) == (False, None)


@pytest.mark.parametrize(
    "words",
    [
        "Workspace acme-prod: your balance of $3.12 is too low",
        "Your plan does not include this model",
        "Invalid API key kr_live_123",
        "Token tok_123 was revoked",
        "quota_exceeded",
    ],
)
def test_what_krea_says_of_the_account_is_for_staff(
    client: Visitor, ada: User, krea: Sandbox, words: str
) -> None:
    told = wanted(ada)
    sweep()
    news = {"job_id": krea.jobs[0].id, "status": "failed", "error": {"message": words}}
    ledger.report(told.pk, 1, read_job(json.dumps(news)), by=ledger.POLL)
    refused = wanted(ada)
    account = pacing.account()
    row = Submission.objects.get(job=refused)
    claimed = ledger.claim(row, account=account, lease_seconds=60, with_webhook=False)
    assert claimed
    ledger.refuse(claimed, Refused(words, status=422))

    for job in (told, refused):
        assert client.get(address(job)).json()["error"] is None
        assert Submission.objects.get(job=job).note == words
