"""GET: one's own jobs, their history, and the prices."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import FailureCode, Status

from .people import VERBS, Visitor, address, draft, ended, person, wanted

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
ACCOUNT = "Top up: the balance of workspace 4711 is 0.03 USD"


def test_a_job_shows_these_fields(client: Visitor, ada: User) -> None:
    shown = client.get(address(draft(ada))).json()
    assert [*shown] == [
        "id",
        "status",
        "prompt",
        "start_image",
        "end_image",
        "expand_prompt",
        "resolution",
        "duration",
        "reference",
        "price_usd",
        "spent_usd",
        "advice",
        "waiting",
        "expected_at",
        "video_url",
        "failure_code",
        "error",
        "submissions",
        "created_at",
        "submitted_at",
        "completed_at",
    ]


def test_a_completed_job_shows_its_video_and_what_it_cost(client: Visitor, ada: User) -> None:
    job = ended(ada, Status.COMPLETED, result_url="https://gen.krea.ai/videos/a.mp4")

    shown = client.get(address(job)).json()

    assert shown["video_url"] == "https://gen.krea.ai/videos/a.mp4"
    assert (shown["price_usd"], shown["spent_usd"]) == ("0.2835", "0.2835")
    assert (shown["failure_code"], shown["error"]) == (None, None)


@pytest.mark.parametrize(
    "url", ["", "https://elsewhere.example/a.mp4", "javascript:alert(1)", "http://gen.krea.ai/a"]
)
def test_a_result_that_may_not_be_linked_is_no_video_url(
    client: Visitor, ada: User, url: str
) -> None:
    job = ended(ada, Status.COMPLETED, result_url=url)
    answer = client.get(address(job))
    assert answer.json()["video_url"] is None
    assert not url or url not in answer.content.decode()


def test_a_failed_job_says_why_in_our_word_and_kreas_own(client: Visitor, ada: User) -> None:
    words = {"error_code": "nsfw", "error_message": "Flagged by <b>moderation</b>"}
    job = ended(ada, Status.FAILED, failure_code=FailureCode.MODERATION, **words)

    shown = client.get(address(job)).json()

    assert shown["failure_code"] == "moderation"
    assert shown["error"] == {"code": "nsfw", "message": "Flagged by <b>moderation</b>"}
    assert shown["submissions"][0]["failure_code"] == "moderation"


def test_a_failure_without_a_word_of_krea_has_no_error(client: Visitor, ada: User) -> None:
    job = ended(ada, Status.FAILED, failure_code=FailureCode.NOT_FOUND)
    shown = client.get(address(job)).json()
    assert (shown["failure_code"], shown["error"]) == ("not_found", None)


def test_a_job_that_is_asked_for_once_more_no_longer_shows_the_old_error(
    client: Visitor, ada: User
) -> None:
    job = ended(ada, Status.FAILED, failure_code=FailureCode.MODERATION, error_message="No")
    shown = client.post(address(job, "resubmit")).json()

    assert (shown["status"], shown["failure_code"], shown["error"]) == ("unsent", None, None)
    assert [s["failure_code"] for s in shown["submissions"]] == ["moderation", None]


def test_a_job_that_has_its_video_shows_no_error_of_a_later_try(client: Visitor, ada: User) -> None:
    job = ended(ada, Status.FAILED, error_message="No")
    job.resubmit()
    Submission.objects.filter(number=2).update(status=Status.FAILED, error_message="No again")
    Submission.objects.filter(number=1).update(status=Status.COMPLETED)
    VideoJob.objects.update(status=Status.COMPLETED)

    assert client.get(address(job)).json()["error"] is None


def test_what_is_about_our_account_is_for_staff_only(client: Visitor, ada: User) -> None:
    job = wanted(ada)
    Submission.objects.update(note=ACCOUNT, raw=ACCOUNT, account="acct", lease_token="lease")
    JobEvent.objects.update(detail=ACCOUNT)

    for path in (JOBS, address(job), address(job, "events")):
        text = client.get(path).content.decode()
        assert not any(secret in text for secret in ("4711", "acct", "lease"))

    boss = Visitor(person("boss", "view", is_staff=True))
    assert boss.get(address(job, "events")).json()["results"][0]["detail"] == ACCOUNT


def test_being_staff_alone_shows_no_details(db: None) -> None:
    editor = person("editor", is_staff=True)
    job = wanted(editor)
    event = Visitor(editor).get(address(job, "events")).json()["results"][0]
    assert "detail" not in event


def test_the_history_is_told_from_the_beginning(client: Visitor, ada: User) -> None:
    job = draft(ada)
    client.post(address(job, "submit"))
    client.post(address(job, "cancel"))
    JobEvent.objects.create(job=job, source="system", action="note")

    story = client.get(address(job, "events")).json()["results"]

    assert [*story[0]] == [
        "created_at",
        "source",
        "action",
        "submission",
        "from_status",
        "to_status",
    ]
    assert [tuple(line.values())[1:] for line in story] == [
        ("api", "submit", 1, "draft", "unsent"),
        ("api", "withdraw", 1, "unsent", "cancelled"),
        ("system", "note", None, "", ""),
    ]


def test_a_page_of_fifty_takes_as_few_queries_as_a_page_of_one(ada: User) -> None:
    boss = person("boss", "view", is_staff=True)
    assert _queries(ada, jobs=1) == _queries(ada, jobs=50) == 2
    # Two more for a boss: what they may is read for every request anew.
    assert _queries(boss, jobs=1) == _queries(boss, jobs=50) == 4


def test_a_longer_history_takes_no_more_queries(ada: User) -> None:
    short, long = wanted(ada), ended(ada, Status.FAILED)
    long.resubmit()
    long.cancel()
    client = Visitor()
    client.force_authenticate(ada)
    seen = []
    for job in (short, long):
        with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
            client.get(address(job, "events"))
        seen.append(len(queries))
    assert seen == [2, 2]


def test_prices_are_the_table_that_jobs_are_priced_by(client: Visitor, settings: Settings) -> None:
    prices = reverse("hailuo_django_api:prices")
    assert client.get(prices).json()["as_of"] == "2026-06-18"
    settings.HAILUO = {"PRICES": {"768p": {6: "0.40"}}}

    shown = client.get(prices).json()

    assert (shown["currency"], shown["as_of"]) == ("USD", None), "of no day that is known"
    assert {name: [*row] for name, row in shown["prices"].items()} == dict.fromkeys(
        ("512p", "768p", "1080p"), ["6", "7", "8", "9", "10"]
    )
    assert (shown["prices"]["512p"]["6"], shown["prices"]["768p"]["6"]) == ("0.105", "0.4")
    job = client.create(prompt="x", submit=False).json()
    assert Decimal(job["price_usd"]) == Decimal("0.4")


def _queries(user: User, jobs: int) -> int:
    Submission.objects.update(status=Status.CANCELLED)  # what is live cannot be deleted
    VideoJob.objects.all().delete()
    for _ in range(jobs):
        wanted(user)
    client = Visitor()
    client.force_authenticate(User.objects.get(pk=user.pk))
    with CaptureQueriesContext(connections[VideoJob.database()]) as seen:
        assert len(client.get(JOBS).json()["results"]) == jobs
    return len(seen)


@pytest.mark.parametrize("part", ["detail", "events", *VERBS])
def test_what_is_no_id_is_no_job(client: Visitor, ada: User, part: str) -> None:
    job = draft(ada)
    ask = client.post if part in VERBS else client.get
    for other in ("7", "null", "submit", "%00", job.pk.hex, str(job.pk).upper(), f"{{{job.pk}}}"):
        answer = ask(address(job, part).replace(str(job.pk), other))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), other
