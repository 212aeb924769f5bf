"""Every refusal has a code, docs/api.md lists each of them, and each of them can be met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework.views import exception_handler

from hailuo_django.api import jobs as views
from hailuo_django.models import IdempotencyKey, VideoJob
from hailuo_django.states import Status
from tests.docs.pages import code, rows

from .people import API, DOCUMENTED, Visitor, address, codes, draft, ended, person, wanted

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
QUOTE = reverse("hailuo_django_api:quote")


def _again(client: Visitor, path: str) -> Any:
    client.post(path)
    return client.post(path)


def _alive(client: Visitor, ada: User) -> Any:
    job = ended(ada, Status.FAILED)
    job.resubmit()
    VideoJob.objects.update(status=Status.FAILED)
    return client.post(address(job, "resubmit"))


def _stale(client: Visitor, ada: User, patch: pytest.MonkeyPatch) -> Any:
    job = draft(ada)
    seen = VideoJob.objects.get()
    patch.setattr(views.VideoJobViewSet, "get_object", lambda view: seen)
    VideoJob.objects.update(duration=10)
    return client.post(address(job, "submit"))


def _too_dear(client: Visitor, settings: Settings) -> Any:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "0.1"}}
    return client.create(prompt="x")


def _too_often(client: Visitor, settings: Settings) -> Any:
    settings.HAILUO = {**settings.HAILUO, "API_THROTTLE_RATES": {"read": "1/hour"}}
    client.get(JOBS)
    return client.get(JOBS)


def _keyed(client: Visitor, key: str, **fields: Any) -> Any:
    return client.post(JOBS, {"prompt": "x", **fields}, headers={"Idempotency-Key": key})


def _form(client: Visitor, **fields: Any) -> Any:
    return client.post(JOBS, {"prompt": "x", **fields}, format="multipart")


def _keyless(client: Visitor, settings: Settings) -> Any:
    settings.HAILUO = {**settings.HAILUO, "API_REQUIRE_IDEMPOTENCY_KEY": True}
    return client.create(prompt="x")


def _anonymous(settings: Settings) -> Any:
    settings.HAILUO = {"API_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"]}
    return _keyed(Visitor(), "a")


def _in_use(client: Visitor, patch: pytest.MonkeyPatch) -> Any:
    def wait_too_long(*args: Any, **kwargs: Any) -> None:
        raise OperationalError(1205, "Lock wait timeout exceeded; try restarting transaction")

    # How it comes to that is told in tests/races/test_keys.py.
    patch.setattr(IdempotencyKey, "save", wait_too_long)
    return _keyed(client, "a")


def _too_large(client: Visitor, settings: Settings) -> Any:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
    return client.post(JOBS, {"prompt": "x", "duration": 6}, format="multipart")


Meet = Callable[[Visitor, User, Settings, pytest.MonkeyPatch], Any]

REFUSALS: dict[tuple[int, str], Meet] = {
    (400, "parse_error"): lambda client, *_: client.create_raw("{"),
    (403, "not_authenticated"): lambda *_: Visitor().get(JOBS),
    (403, "authentication_failed"): lambda *_: Visitor(HTTP_AUTHORIZATION="Basic !").get(JOBS),
    (402, "budget_exceeded"): lambda client, _, settings, __: _too_dear(client, settings),
    (403, "permission_denied"): lambda *_: Visitor(person("reader")).create(prompt="x"),
    (404, "not_found"): lambda client, *_: client.get(address(draft(None))),
    (405, "method_not_allowed"): lambda client, *_: client.delete(JOBS),
    (406, "not_acceptable"): lambda client, *_: client.get(JOBS, HTTP_ACCEPT="video/mp4"),
    (409, "conflict"): lambda client, ada, *_: client.post(address(wanted(ada), "submit")),
    (409, "submission_alive"): lambda client, ada, *_: _alive(client, ada),
    (409, "price_changed"): lambda client, *_: client.create(prompt="x", max_price_usd="0.1"),
    (409, "stale"): lambda client, ada, _, patch: _stale(client, ada, patch),
    (400, "idempotency_key_required"): lambda client, _, settings, __: _keyless(client, settings),
    (400, "idempotency_key_invalid"): lambda client, *_: _keyed(client, "two words"),
    (400, "idempotency_key_anonymous"): lambda _, __, settings, ___: _anonymous(settings),
    (409, "idempotency_key_in_use"): lambda client, _, __, patch: _in_use(client, patch),
    (422, "idempotency_key_reused"): lambda client, *_: (
        _keyed(client, "a", prompt="x"),
        _keyed(client, "a", prompt="y"),
    )[-1],
    (412, "precondition_failed"): lambda client, *_: client.get(JOBS, headers={"If-Match": '"a"'}),
    (413, "body_too_large"): lambda client, _, settings, __: _too_large(client, settings),
    (415, "unsupported_media_type"): lambda client, *_: client.generic("POST", JOBS, "x", "text/x"),
    (429, "throttled"): lambda client, _, settings, __: _too_often(client, settings),
    (429, "too_soon"): lambda client, ada, *_: _again(client, address(wanted(ada), "sync")),
}

COMPLAINTS: dict[str, Callable[[Visitor], Any]] = {
    "required": lambda client: client.create(),
    "null": lambda client: client.create(prompt=None),
    "blank": lambda client: client.create(prompt=" "),
    "invalid": lambda client: client.get(JOBS, {"cursor": "x"}),
    "invalid_choice": lambda client: client.create(prompt="x", resolution="4k"),
    "min_value": lambda client: client.create(prompt="x", duration=5),
    "max_value": lambda client: client.create(prompt="x", duration=11),
    "max_length": lambda client: client.create(prompt="x", reference="x" * 201),
    "max_string_length": lambda client: _form(client, duration="6" * 2000),
    "web_address": lambda client: client.create(prompt="x", end_image="ftp://example.com/a"),
    "null_characters_not_allowed": lambda client: client.create(prompt="\x00"),
    "surrogate_characters_not_allowed": lambda client: client.create_raw(r'{"prompt": "\ud800"}'),
    "unknown_field": lambda client: client.create(prompt="x", seed=4),
    "retired_field": lambda client: client.create(prompt="x", endImage="x"),
    "unknown_parameter": lambda client: client.get(JOBS, {"state": "failed"}),
    "not_an_object": lambda client: client.create_raw("7"),
    "list_length": lambda client: client.post(QUOTE, []),
}


def test_every_code_that_is_listed_can_be_met() -> None:
    assert {name for _, name in REFUSALS} | COMPLAINTS.keys() == DOCUMENTED
    listed = {
        (int(status), name)
        for statuses, names, *_ in rows(API, "| status | `code` |")
        for status in statuses.split(", ")
        for name in code(names)
    }
    assert listed >= REFUSALS.keys()


@pytest.mark.parametrize(("status", "name"), REFUSALS)
def test_a_refusal_has_a_text_and_its_code(
    client: Visitor,
    ada: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    name: str,
) -> None:
    answer = REFUSALS[status, name](client, ada, settings, monkeypatch)
    assert (answer.status_code, answer.json()["code"]) == (status, name)
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("name", COMPLAINTS)
def test_each_message_of_a_field_has_its_code(client: Visitor, name: str) -> None:
    answer = COMPLAINTS[name](client)
    assert (answer.status_code, codes(answer.json())) == (400, {name})


def logging_handler(exc: Exception, context: dict[str, Any]) -> Any:
    """As sites have it that want to be told of every error."""
    answer = exception_handler(exc, context)
    assert answer is not None
    answer["X-Seen"] = type(exc).__name__
    answer.data["ticket"] = 4711
    return answer


def wording_handler(exc: Exception, context: dict[str, Any]) -> Any:
    """As sites have it with a form of their own."""
    answer = exception_handler(exc, context)
    assert answer is not None
    answer.data = {"ok": False, "errors": answer.data}
    return answer


def test_a_handler_of_the_site_is_asked_and_keeps_the_codes(
    client: Visitor, ada: User, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.logging_handler"}

    answers = [
        client.create(prompt=""),
        client.get(address(draft(None))),
        client.post(address(wanted(ada), "submit")),
    ]

    assert [answer["X-Seen"] for answer in answers] == [
        "ValidationError",
        "NotFound",
        "StateConflict",
    ]
    assert [answer.json().pop("ticket") for answer in answers] == [4711] * 3
    assert [codes(answer.json()) for answer in answers] == [{"blank"}, {"not_found"}, {"conflict"}]


def test_a_handler_of_the_site_has_the_last_word_about_the_form(
    ada: User, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.wording_handler"}
    client = APIClient()  # no Visitor: here are no codes to compare with the page
    client.force_login(ada)

    assert client.get(address(draft(None))).json() == {
        "ok": False,
        "errors": {"detail": "Not found."},
    }
    told = client.post(JOBS, {"prompt": ""}, format="json").json()
    assert told == {"ok": False, "errors": {"prompt": ["This field may not be blank."]}}
