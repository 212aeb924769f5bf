"""Idempotency-Key: a request that is repeated, for lack of an answer, counts once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.models import IdempotencyKey, Submission, VideoJob
from hailuo_django.models.keys import KEPT_FOR
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep

from .people import Visitor, address, complaints, draft, ended, person

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"


def order(client: Visitor, key: str = KEY, path: str = JOBS, **fields: Any) -> Any:
    body = {"prompt": "a lighthouse", **fields} if path == JOBS else {}
    return client.post(path, body, headers={"Idempotency-Key": key})


def test_the_same_request_gets_the_first_answer_again(client: Visitor) -> None:
    first = order(client)
    VideoJob.objects.update(status=Status.PROCESSING)
    again = order(client)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.content == first.content, "as the job was then, to the byte"
    assert again["Location"] == first["Location"]
    assert again["Retry-After"] == first["Retry-After"]
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert VideoJob.objects.count() == Submission.objects.count() == 1


def test_a_draft_is_made_once_as_well(client: Visitor) -> None:
    answers = [order(client, submit=False) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert VideoJob.objects.count() == 1


def test_a_draft_is_submitted_and_a_failed_job_resubmitted_once(client: Visitor, ada: User) -> None:
    for verb, job in (("submit", draft(ada)), ("resubmit", ended(ada, Status.FAILED))):
        before = job.submissions.count()
        answers = [order(client, verb, path=address(job, verb)) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.content for answer in answers}) == 1
        assert job.submissions.count() == before + 1


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "another"},
        {"duration": 10},
        {"submit": False},
        {"reference": "order 8"},
    ],
)
def test_another_request_with_the_same_key_is_refused(client: Visitor, other: Any) -> None:
    order(client)
    answer = order(client, **other)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert VideoJob.objects.count() == 1


def test_another_path_is_another_request(client: Visitor, ada: User) -> None:
    one, two = draft(ada), draft(ada)
    assert order(client, path=address(one, "submit")).status_code == 202
    for path in (address(two, "submit"), address(one, "resubmit")):
        assert order(client, path=path).status_code == 422
    assert Submission.objects.count() == 1


def test_what_a_request_leaves_to_the_defaults_is_the_same_request(client: Visitor) -> None:
    first = order(client)
    body = {"duration": "6", "submit": True, "start_image": "", "prompt": "a lighthouse"}
    again = client.post(JOBS, body, headers={"Idempotency-Key": KEY}, format="multipart")
    assert again.json() == first.json()


def test_the_key_of_one_user_is_nothing_to_another(client: Visitor) -> None:
    grace = Visitor(person("grace", "add", "submit"))
    answers = [order(client), order(grace, prompt="another")]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert VideoJob.objects.count() == 2


def test_without_a_key_each_request_is_one_of_its_own(client: Visitor) -> None:
    assert [client.create(prompt="x").status_code for _ in range(2)] == [202, 202]
    assert VideoJob.objects.count() == 2
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize(
    "key", ["k", "k" * 255, '"quoted"', "~!#$%&'()*+-./:;<=>?@[]^_`{|}", 'a"b']
)
def test_these_are_keys(client: Visitor, key: str) -> None:
    assert order(client, key).status_code == 202
    assert order(client, f"  {key} ")["Idempotent-Replayed"] == "true"


def test_the_quotes_of_the_standard_are_no_part_of_the_key(client: Visitor) -> None:
    order(client, "abc")
    assert order(client, '"abc"')["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "key", ["", " ", "k" * 256, "two words", "schlüssel", "a\tb", "\x7f", '""', '"', '"a']
)
def test_these_are_none(client: Visitor, key: str) -> None:
    answer = order(client, key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert not VideoJob.objects.exists()


def test_a_site_may_require_it_of_what_spends(
    client: Visitor, ada: User, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "API_REQUIRE_IDEMPOTENCY_KEY": True}
    job, failed = draft(ada), ended(ada, Status.FAILED)
    for path, body in (
        (JOBS, {"prompt": "x"}),
        (address(job, "submit"), {}),
        (address(failed, "resubmit"), {}),
    ):
        answer = client.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert Submission.objects.count() == 1, "that of the failed job"

    assert order(client).status_code == 202
    assert client.create(prompt="x", submit=False).status_code == 201
    assert client.post(address(failed, "sync")).status_code == 202


def test_what_costs_nothing_takes_no_notice_of_it(client: Visitor, ada: User) -> None:
    job = draft(ada)
    job.submit()
    assert order(client, path=address(job, "cancel")).status_code == 202
    assert not IdempotencyKey.objects.exists()


def test_a_visitor_has_no_keys(settings: Settings, db: None) -> None:
    settings.HAILUO = {"API_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"]}
    answer = order(Visitor())
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_anonymous")
    assert not VideoJob.objects.exists()
    assert Visitor().create(prompt="x").status_code == 202


def test_a_refusal_leaves_the_key_free(client: Visitor, settings: Settings) -> None:
    free = settings.HAILUO
    assert [*complaints(order(client, prompt=""))] == ["prompt"]
    settings.HAILUO = {**free, "BUDGET": {"day": "0.1"}}
    assert order(client).status_code == 402
    assert not IdempotencyKey.objects.exists()
    assert not VideoJob.objects.exists()

    settings.HAILUO = free
    answer = order(client)
    assert (answer.status_code, "Idempotent-Replayed" in answer) == (202, False)


def test_a_conflict_leaves_it_free_as_well(client: Visitor, ada: User) -> None:
    job = ended(ada, Status.COMPLETED)
    assert order(client, path=address(job, "resubmit")).status_code == 409
    assert order(client).status_code == 202


def test_who_lost_the_right_meanwhile_is_told_nothing(client: Visitor, ada: User) -> None:
    order(client)
    ada.user_permissions.clear()
    assert order(client).status_code == 403


def test_what_fails_in_the_middle_leaves_neither_job_nor_key(
    client: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*args: Any, **kwargs: Any) -> None:
        raise OSError("No space left on device")

    for owner, name in ((Submission, "save"), (IdempotencyKey, "save_base")):
        with monkeypatch.context() as broken, pytest.raises(OSError, match="No space"):
            broken.setattr(owner, name, full_disk)
            order(client)
        assert not VideoJob.objects.exists()
        assert not IdempotencyKey.objects.exists()
    assert order(client).status_code == 202


def test_a_key_that_is_removed_for_its_age_meanwhile_is_asked_for_again(
    client: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("UNIQUE constraint failed")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(IdempotencyKey, "save", taken)
        answer = order(client)
    assert (answer.status_code, answer["Retry-After"]) == (409, "1")
    assert order(client).status_code == 202


def test_a_database_that_is_broken_is_no_request_that_is_still_answered(
    client: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("attempt to write a readonly database")

    with monkeypatch.context() as meanwhile, pytest.raises(OperationalError, match="readonly"):
        meanwhile.setattr(IdempotencyKey, "save", broken)
        order(client)
    assert order(client).status_code == 202


def test_an_answer_is_given_again_for_a_day_and_then_forgotten(client: Visitor) -> None:
    first = order(client)
    young, old = KEPT_FOR - timedelta(minutes=1), KEPT_FOR + timedelta(minutes=1)

    IdempotencyKey.objects.update(created_at=timezone.now() - young)
    sweep()
    assert order(client).content == first.content

    IdempotencyKey.objects.update(created_at=timezone.now() - old)
    sweep()
    assert order(client).json()["id"] != first.json()["id"]


def test_what_is_kept_is_no_more_than_the_owner_was_shown(client: Visitor, ada: User) -> None:
    answer = order(client)
    kept = IdempotencyKey.objects.get()
    assert json.loads(kept.body) == answer.json()
    assert str(kept) == KEY
    assert (kept.user, kept.status, [*kept.headers]) == (ada, 202, ["Location", "Retry-After"])
    ada.delete()
    assert not IdempotencyKey.objects.exists()
    assert VideoJob.objects.get().owner is None


def test_the_key_is_the_first_thing_that_is_written(client: Visitor, ada: User) -> None:
    client = Visitor()
    client.force_authenticate(ada)
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        order(client)
    written = [one["sql"] for one in queries if one["sql"].split()[0] in ("INSERT", "UPDATE")]
    assert "hailuo_django_idempotencykey" in written[0]
    assert "hailuo_django_idempotencykey" in written[-1]
    first, last = (
        next(index for index, one in enumerate(queries) if one["sql"] == sql)
        for sql in (written[0], written[-1])
    )
    commits = [i for i, one in enumerate(queries) if one["sql"].startswith(("COMMIT", "BEGIN"))]
    assert not [index for index in commits if first < index < last]
