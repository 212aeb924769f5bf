"""POST jobs/: a video is asked for, or a draft is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from hailuo_django.models import Submission, VideoJob

from .people import Visitor, address, complaints, person

pytestmark = pytest.mark.django_db

EVERYTHING = {
    "prompt": "  A lighthouse,\nat dusk ",
    "start_image": "https://example.com/a.png",
    "end_image": "http://example.com/b.png",
    "expand_prompt": False,
    "resolution": "512p",
    "duration": 10,
    "reference": "order 7",
}


def test_a_prompt_is_all_it_takes(client: Visitor, ada: User) -> None:
    answer = client.create(prompt="A lighthouse at dusk")

    assert answer.status_code == 202
    job = VideoJob.objects.get()
    assert answer["Location"] == f"http://testserver{address(job)}"
    assert int(answer["Retry-After"]) > 0
    assert (job.owner, job.status, job.prompt) == (ada, "unsent", "A lighthouse at dusk")
    event = job.events.get()
    assert (event.source, event.actor, event.action) == ("api", ada, "submit")


def test_every_field_of_the_endpoint_reaches_the_request_unchanged(client: Visitor) -> None:
    shown = client.create(**EVERYTHING).json()

    assert {name: shown[name] for name in EVERYTHING} == EVERYTHING
    body = {name: value for name, value in EVERYTHING.items() if name != "reference"}
    assert Submission.objects.get().body == body


def test_the_answer_is_the_job_as_its_address_shows_it(client: Visitor) -> None:
    answer = client.create(prompt="x")
    assert answer.json() == client.get(answer["Location"]).json()


def test_money_is_a_string_with_the_digits_of_the_price_list(client: Visitor) -> None:
    bought = client.create(prompt="x", resolution="512p", start_image="https://example.com/a.png")
    kept = client.create(prompt="x", duration=9, submit=False)

    assert (bought.json()["price_usd"], bought.json()["spent_usd"]) == ("0.105", "0")
    assert bought.json()["submissions"][0]["price_usd"] == "0.105"
    assert kept.json()["price_usd"] == "0.4253"


def test_a_draft_is_kept_and_costs_nothing(client: Visitor, ada: User) -> None:
    answer = client.create(prompt="x", submit=False)

    assert answer.status_code == 201
    job = VideoJob.objects.get()
    assert answer["Location"] == f"http://testserver{address(job)}"
    assert "Retry-After" not in answer
    assert (job.owner, job.status, answer.json()["submissions"]) == (ada, "draft", [])
    assert not Submission.objects.exists()


def test_advice_comes_with_the_draft_before_it_is_paid_for(client: Visitor) -> None:
    answer = client.create(prompt="x", resolution="512p", duration=8, submit=False)

    advice = answer.json()["advice"]
    assert [hint["code"] for hint in advice] == [
        "cheaper_for_longer",
        "same_price_for_better",
        "duration_unsupported",
        "start_image_missing",
    ]
    assert "10 s at 512p costs less: 0.1575 USD" in advice[0]["message"]


def test_who_may_create_but_not_spend_keeps_drafts_only(db: None) -> None:
    client = Visitor(person("grace", "add"))

    assert client.create(prompt="x").status_code == 403
    assert not VideoJob.objects.exists()
    assert client.create(prompt="x", submit=False).status_code == 201


def test_who_may_not_create_creates_nothing(db: None) -> None:
    client = Visitor(person("grace", "submit"))

    assert client.create(prompt="x", submit=False).status_code == 403
    assert client.create(prompt="x").status_code == 403
    assert not VideoJob.objects.exists()


def test_a_submit_that_fails_leaves_no_draft(
    client: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*args: Any, **kwargs: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Submission, "save", full_disk)
    with pytest.raises(OSError, match="No space"):
        client.create(prompt="x")
    assert not VideoJob.objects.exists()


@pytest.mark.parametrize("content_type", ["urlencoded", "multipart"])
def test_a_form_says_with_silence_what_json_says_with_silence(
    client: Visitor, content_type: str
) -> None:
    answer = _post_form(client, content_type, prompt="x", csrfmiddlewaretoken="abc")

    assert answer.status_code == 202
    assert answer.json()["expand_prompt"] is True
    assert answer.json()["duration"] == 6


def test_a_form_can_say_no(client: Visitor) -> None:
    form = {"prompt": "x", "expand_prompt": "False", "submit": "false", "duration": "7"}
    answer = _post_form(client, "urlencoded", **form)

    assert answer.status_code == 201
    assert (answer.json()["expand_prompt"], answer.json()["duration"]) == (False, 7)


OTHER_TYPES: dict[str, list[Any]] = {
    "prompt": [5, 0.5, True, [], {}],
    "reference": [4711, False],
    "end_image": [7, True],
    "submit": [0, 1, "true", "no", ""],
    "expand_prompt": [0, "False", []],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in OTHER_TYPES for value in OTHER_TYPES[name]]
)
def test_json_says_what_it_means_by_the_type(client: Visitor, name: str, value: Any) -> None:
    answer = client.create(**{"prompt": "x", name: value})

    assert [code for code, _ in complaints(answer)[name]] == ["invalid"]
    assert not VideoJob.objects.exists()


def _post_form(client: Visitor, content_type: str, **fields: str) -> Any:
    path = reverse("hailuo_django_api:job-list")
    if content_type == "multipart":
        return client.post(path, fields, format="multipart")
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    return client.post(path, body, content_type="application/x-www-form-urlencoded")
