"""Wrong requests: a clear 400 that names the field, and nothing created."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status

from .people import VERBS, Visitor, address, complaints, draft, ended

pytestmark = pytest.mark.django_db

FIELDS = (
    "prompt",
    "start_image",
    "end_image",
    "expand_prompt",
    "resolution",
    "duration",
    "reference",
    "submit",
    "max_price_usd",
)
ROWS = (VideoJob, Submission)
OTHERS = {field.name for rows in ROWS for field in rows._meta.get_fields()}
OTHERS |= {field.attname for rows in ROWS for field in rows._meta.fields}
OTHERS |= {"pk", "price_usd", "spent_usd", "video_url", "advice", "error"}
OTHERS -= {*FIELDS}


@pytest.fixture(autouse=True)
def nothing_was_created(db: None) -> Iterator[None]:
    yield
    assert not Submission.objects.exclude(job__reference="mine").exists()
    assert not VideoJob.objects.exclude(reference="mine").exists()


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_no_other_field_of_the_rows_can_be_written(client: Visitor, name: str) -> None:
    answer = client.create(prompt="x", **{name: "1"})

    message = f"Unknown field. Known fields: {', '.join(FIELDS)}."
    assert complaints(answer) == {name: [("unknown_field", message)]}


def test_a_draft_takes_no_other_field_either(client: Visitor, ada: User) -> None:
    job = draft(ada, reference="mine")
    before = VideoJob.objects.values().get(pk=job.pk)
    answer = client.patch(address(job), {"prompt": "x", **dict.fromkeys(OTHERS, "1")})
    assert {*complaints(answer)} == OTHERS
    assert VideoJob.objects.values().get(pk=job.pk) == before


@pytest.mark.parametrize(
    ("retired", "name"),
    [
        ("startImage", "start_image"),
        ("endImage", "end_image"),
        ("expandPrompt", "expand_prompt"),
    ],
)
def test_a_retired_name_is_refused_with_the_right_one(
    client: Visitor, retired: str, name: str
) -> None:
    answer = client.create(**{"prompt": "x", retired: True})
    message = f"This name is retired: use {name}."
    assert complaints(answer) == {retired: [("retired_field", message)]}


def test_every_unknown_field_is_named_at_once(client: Visitor) -> None:
    answer = client.create(seed=4, csrfmiddlewaretoken="x", endImage="https://example.com/a.png")
    assert sorted(answer.json()) == ["csrfmiddlewaretoken", "endImage", "seed"]


@pytest.mark.parametrize(
    "duration", ["6.5", '"6.5"', "true", "null", "1e400", '"NaN"', "5", "11", "[6]", '"six"', '""']
)
def test_a_duration_is_whole_seconds(client: Visitor, duration: str) -> None:
    answer = client.create_raw(f'{{"prompt": "x", "duration": {duration}}}')

    [(_, message)] = complaints(answer)["duration"]
    assert message == "Give whole seconds from 6 to 10: the price list has no fractions."


def test_what_json_does_not_know_is_no_number(client: Visitor) -> None:
    assert client.create_raw('{"prompt": "x", "duration": NaN}').status_code == 400


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("prompt", "", "may not be blank"),
        ("prompt", " \n\t", "Say what the video shows"),
        ("prompt", None, "may not be null"),
        ("prompt", ["x"], "Not a valid string"),
        ("prompt", "a\x00b", "Null characters"),
        ("prompt", "\ud83d", "lone surrogate"),
        ("resolution", "4k", "Choose one of 512p, 768p, 1080p"),
        ("resolution", "\udfff", "lone surrogate"),
        ("resolution", "", "Choose one of"),
        ("expand_prompt", "perhaps", "valid boolean"),
        ("submit", "\ud800", "lone surrogate"),
        ("submit", None, "may not be null"),
        ("reference", "x" * 201, "no more than 200 characters"),
        ("start_image", "ftp://example.com/a.png", "Enter an http or https address"),
        ("start_image", "data:image/png;base64,AAAA", "Enter an http or https address"),
        ("end_image", "javascript:alert(1)", "Enter an http or https address"),
        ("end_image", "https://example.com/" + "x" * 2048, "no more than 2048 characters"),
        ("end_image", "//example.com/a.png", "Enter an http or https address"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_wrong_value_is_named(
    client: Visitor, name: str, value: Any, words: str, accept: str
) -> None:
    body = json.dumps({"prompt": "x", "submit": False, name: value})
    answer = client.create_raw(body, HTTP_ACCEPT=accept)

    assert answer.status_code == 400
    assert [*answer.data] == [name]
    assert words in str(answer.data[name])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[]", "has to be an object"),
        ("null", "has to be an object"),
        ('"prompt"', "has to be an object"),
        ("7", "has to be an object"),
        ("[" * 100_000, "nested too deeply"),
        ("{", "JSON parse error"),
        (b"\xff\xfe", "JSON parse error"),
        ("", "This field is required"),
        ("{}", "This field is required"),
    ],
)
def test_what_is_no_object_with_a_prompt_is_refused(
    client: Visitor, body: str | bytes, words: str
) -> None:
    answer = client.create_raw(body)
    assert answer.status_code == 400
    assert words in answer.content.decode()


def test_a_name_that_is_no_unicode_is_repeated_readably(client: Visitor) -> None:
    answer = client.create_raw(r'{"prompt": "x", "\ud800": 1}')
    assert answer.status_code == 400
    assert [*answer.json()] == [r"\ud800"]


@pytest.mark.parametrize("verb", VERBS)
def test_the_verbs_take_no_fields_of_the_job(client: Visitor, ada: User, verb: str) -> None:
    job = draft(ada, reference="mine")

    answer = client.post(address(job, verb), {"prompt": "another", "startImage": "x"})

    message = "Unknown field: this takes no fields."
    if verb in ("submit", "resubmit"):
        message = "Unknown field. Known fields: max_price_usd."
    assert complaints(answer) == dict.fromkeys(
        ("prompt", "startImage"), [("unknown_field", message)]
    )
    assert not Submission.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_what_belongs_into_the_body_is_not_taken_from_the_address(
    client: Visitor, ada: User, method: str
) -> None:
    """``?submit=false`` ordered."""
    job = draft(ada, reference="mine")
    path = reverse("hailuo_django_api:job-list") if method == "post" else address(job)
    answer = getattr(client, method)(f"{path}?submit=false&format=json", {"prompt": "x"})
    assert [error["code"] for error in answer.json()["submit"]] == ["unknown_parameter"]
    assert [*answer.json()] == ["submit"]
    assert VideoJob.objects.get().prompt == job.prompt
    assert client.generic("TRACE", f"{path}?a=b").status_code == 405


def test_a_number_is_no_text(client: Visitor) -> None:
    for duration in ("6", " 6 ", "\u0666"):
        assert [*complaints(client.create(prompt="x", duration=duration))] == ["duration"]


def test_a_stored_request_that_is_no_longer_valid_is_not_bought(client: Visitor, ada: User) -> None:
    job = ended(ada, Status.FAILED)
    VideoJob.objects.filter(pk=job.pk).update(prompt=" ", reference="mine")

    answer = client.post(address(job, "resubmit"))

    assert complaints(answer) == {"prompt": [("blank", "Say what the video shows.")]}
    assert job.submissions.count() == 1
