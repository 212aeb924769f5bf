"""If-Match: who asks for what they have seen pays for nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import JsonResponse
from django.urls import reverse
from pytest_django import Settings

from hailuo_django import ledger
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status

from .people import Visitor, address, complaints, draft, ended, wanted

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
METHODS = ("put", "patch", "delete")


def ask(client: Visitor, method: str, path: str, tag: str, **headers: str) -> Any:
    body = {"prompt": "another"} if method in ("put", "patch") else {}
    return getattr(client, method)(path, body, headers={"If-Match": tag, **headers})


def refused(answer: Any) -> bool:
    return (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


def test_a_draft_is_submitted_for_the_price_that_was_seen(client: Visitor, ada: User) -> None:
    job = draft(ada)
    seen = client.get(address(job))["ETag"]
    client.patch(address(job), {"resolution": "1080p", "duration": 10})

    assert refused(ask(client, "post", address(job, "submit"), seen))
    assert not Submission.objects.exists()

    seen = client.get(address(job))["ETag"]
    assert ask(client, "post", address(job, "submit"), seen).status_code == 202


def test_another_price_list_is_another_job(client: Visitor, ada: User, settings: Settings) -> None:
    job = draft(ada)
    seen = client.get(address(job))["ETag"]
    prices = {
        resolution: dict.fromkeys(range(6, 11), "9.99") for resolution in ("512p", "768p", "1080p")
    }
    settings.HAILUO = {**settings.HAILUO, "PRICES": prices}
    assert refused(ask(client, "post", address(job, "submit"), seen))


DEAR = {"PRICES": {"768p": {6: "9.99"}}}


def test_nothing_is_ordered_for_more_than_was_seen(
    client: Visitor, ada: User, settings: Settings
) -> None:
    seen = client.post(reverse("hailuo_django_api:quote"), {}).json()["price_usd"]
    job, failed = draft(ada), ended(ada, Status.FAILED)
    settings.HAILUO = {**settings.HAILUO, **DEAR}
    orders: list[tuple[str, dict[str, str]]] = [(JOBS, {"prompt": "x"})]
    orders += [(address(job, "submit"), {}), (address(failed, "resubmit"), {})]
    for path, body in orders:
        answer = client.post(path, {**body, "max_price_usd": seen})
        assert (answer.status_code, answer.json()["code"]) == (409, "price_changed")
        assert "9.9900 USD now" in answer.json()["detail"]
    assert Submission.objects.count() == 1

    for path, body in orders:
        assert client.post(path, {**body, "max_price_usd": "9.99"}).status_code == 202


@pytest.mark.parametrize("limit", [0.2835, 1, "-1", "1e3", " 1", "", "NaN", "1.23456", True])
def test_a_price_is_a_text_as_prices_are_told(client: Visitor, limit: Any) -> None:
    answer = client.create(prompt="x", max_price_usd=limit)
    assert [*complaints(answer)] == ["max_price_usd"]
    assert client.create(prompt="x", max_price_usd=None).status_code == 202


def test_the_same_order_at_another_price_is_another_order(client: Visitor) -> None:
    for limit, status in (("1", 202), ("1.0", 202), ("2", 422)):
        answer = client.post(
            JOBS, {"prompt": "x", "max_price_usd": limit}, headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == status


def test_what_somebody_has_is_not_what_they_want_anew(client: Visitor, ada: User) -> None:
    job = draft(ada)
    for tag, is_refused in ((client.get(address(job))["ETag"], True), ("*", True), ('"x"', False)):
        answer = client.patch(address(job), {"duration": 7}, headers={"If-None-Match": tag})
        assert refused(answer) if is_refused else answer.status_code == 200


@pytest.mark.parametrize("method", METHODS)
def test_a_draft_is_changed_and_thrown_away_as_it_was_seen(
    client: Visitor, ada: User, method: str
) -> None:
    job = draft(ada)
    seen = client.get(address(job))["ETag"]
    client.patch(address(job), {"reference": "somebody else was here"})
    assert refused(ask(client, method, address(job), seen))
    assert VideoJob.objects.get().prompt == job.prompt
    for tag in (f'"other", {client.get(address(job))["ETag"]}', "*"):
        assert ask(client, "patch", address(job), tag).status_code == 200
    assert ask(client, method, address(job), "*").status_code in (200, 204)


def test_the_verbs_of_a_job_take_it_as_well(client: Visitor, ada: User) -> None:
    failed, alive = ended(ada, Status.FAILED), wanted(ada)
    for job, verb in ((failed, "resubmit"), (alive, "cancel"), (alive, "sync")):
        before = Submission.objects.count(), job.events.count()
        assert refused(ask(client, "post", address(job, verb), '"other"'))
        assert (Submission.objects.count(), job.events.count()) == before
        assert ask(client, "post", address(job, verb), client.get(address(job))["ETag"])


def test_a_tag_that_proves_nothing_lets_nothing_through(client: Visitor, ada: User) -> None:
    job = draft(ada)
    seen = client.get(address(job))["ETag"]
    for tag in ('W/"weak"', "no tag", "", seen.strip('"')):
        assert refused(ask(client, "post", address(job, "submit"), tag))
    assert not Submission.objects.exists()


def test_a_tag_holds_that_was_weakened_by_who_compressed_the_answer(
    client: Visitor, ada: User, settings: Settings
) -> None:
    settings.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *settings.MIDDLEWARE]
    job = draft(ada)
    seen = client.get(address(job), headers={"Accept-Encoding": "gzip"})["ETag"]
    assert seen.startswith("W/")
    assert ask(client, "post", address(job, "submit"), seen).status_code == 202


def test_there_is_no_date_to_go_by(client: Visitor, ada: User) -> None:
    since = {"If-Unmodified-Since": "Fri, 27 Nov 2099 12:00:00 GMT"}
    assert refused(client.post(address(draft(ada), "submit"), headers=since))
    since = {"If-Unmodified-Since": "yesterday"}
    assert client.post(address(draft(ada), "submit"), headers=since).status_code == 202


def test_nothing_new_is_what_somebody_has_seen(client: Visitor) -> None:
    for tag in ('"other"', "*"):
        answer = client.post(JOBS, {"prompt": "x"}, headers={"If-Match": tag})
        assert refused(answer)
    assert not VideoJob.objects.exists()


def test_a_repetition_gets_the_first_answer_whatever_has_changed_since(
    client: Visitor, ada: User
) -> None:
    job = draft(ada)
    seen = client.get(address(job))["ETag"]
    path = address(job, "submit")
    answers = [ask(client, "post", path, seen, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[1]["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("path", [JOBS, reverse("hailuo_django_api:prices")])
def test_what_is_only_looked_at_has_the_same_refusal(client: Visitor, path: str) -> None:
    answer = ask(client, "get", path, '"other"')
    assert refused(answer)
    assert answer["Cache-Control"] == "private, no-cache"
    assert ask(client, "get", path, client.get(path)["ETag"]).status_code == 200


def plain(exc: Exception, context: dict[str, Any]) -> JsonResponse:
    """As sites have it that answer without DRF."""
    return JsonResponse({"oops": type(exc).__name__}, status=400)


def test_a_handler_of_the_site_may_answer_without_drf(
    client: Visitor, ada: User, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.plain"}
    said = [
        client.create(prompt=""),
        client.get(address(draft(None))),
        ask(client, "get", JOBS, '"other"'),
    ]
    assert [answer.json()["oops"] for answer in said] == [
        *("ValidationError", "NotFound", "PreconditionFailed")
    ]


@pytest.mark.parametrize("change", ["patch", "delete"])
def test_of_two_changes_at_once_the_later_is_refused(
    client: Visitor, ada: User, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    job = draft(ada)
    name = {"patch": "change_draft", "delete": "delete_draft"}[change]
    write = getattr(ledger, name)

    def after_somebody_else(read: VideoJob, *args: Any) -> None:
        ledger_change(VideoJob.objects.get(), {"duration": 10})
        write(read, *args)

    ledger_change = ledger.change_draft
    monkeypatch.setattr(ledger, name, after_somebody_else)
    answer = getattr(client, change)(address(job), {"duration": 7})

    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert VideoJob.objects.get().duration == 10
