"""POST quote/: what requests would cost, before anything is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.models import Submission, VideoJob

from .people import Visitor, complaints, is_midnight, person, wanted

pytestmark = pytest.mark.django_db

QUOTE = reverse("hailuo_django_api:quote")
TRAP = {"resolution": "512p", "duration": 8, "start_image": "https://example.com/a.png"}


@pytest.fixture(autouse=True)
def nothing_is_written(db: None) -> Any:
    yield
    assert not VideoJob.objects.exclude(reference="before").exists()


def test_one_request_is_priced_with_its_advice(client: Visitor) -> None:
    answer = client.post(QUOTE, {**TRAP, "prompt": "A lighthouse"})

    assert answer.status_code == 200
    quote = answer.json()
    advice = quote.pop("advice")
    assert [hint["code"] for hint in advice][0] == "cheaper_for_longer"
    assert "10 s at 512p costs less: 0.1575 USD" in advice[0]["message"]
    assert quote == {
        "currency": "USD",
        "as_of": "2026-06-18",
        "price_usd": "0.378",
        "total_usd": "0.378",
        "budget": None,
        "fits_budget": True,
    }


def test_a_list_is_priced_one_by_one_and_in_all(client: Visitor) -> None:
    quote = client.post(QUOTE, [{"prompt": "x"}, {"prompt": "y", "duration": 10}, TRAP]).json()

    prices = [one["price_usd"] for one in quote["quotes"]]
    assert (prices, quote["total_usd"]) == (["0.2835", "0.4725", "0.378"], "1.134")
    assert [len(one["advice"]) for one in quote["quotes"]] == [0, 0, 3]
    assert "price_usd" not in quote


def test_it_says_what_the_tightest_cap_has_room_for(
    client: Visitor, ada: User, settings: Settings
) -> None:
    wanted(ada, reference="before")
    caps = {"day": "20", "month": "300", "user_day": "1"}
    settings.HAILUO = {**settings.HAILUO, "BUDGET": caps}

    few = client.post(QUOTE, [{}] * 2).json()
    many = client.post(QUOTE, [{}] * 3).json()

    assert is_midnight(few["budget"].pop("resets_at"))
    assert few["budget"] == {"cap": "user_day", "room_usd": "0.7165"}
    assert (few["total_usd"], few["fits_budget"]) == ("0.567", True)
    assert (many["total_usd"], many["fits_budget"]) == ("0.8505", False)


def test_it_is_the_price_that_the_job_then_has(client: Visitor, settings: Settings) -> None:
    settings.HAILUO = {**settings.HAILUO, "PRICES": {"768p": {6: "0.40"}}}
    body = {"prompt": "x", "submit": False, "reference": "before"}
    quoted, job = client.post(QUOTE, body).json(), client.create(**body).json()
    assert quoted["price_usd"] == job["price_usd"] == "0.4"
    assert quoted["advice"] == job["advice"]


def test_a_hundred_at_once_and_no_more(client: Visitor) -> None:
    body = {"duration": 10}
    assert client.post(QUOTE, [body] * 100).json()["total_usd"] == "47.25"
    for count in (0, 101):
        [(name, [(code, message)])] = complaints(client.post(QUOTE, [body] * count)).items()
        assert (name, code) == ("non_field_errors", "list_length")
        assert message == f"Give from 1 to 100 of them, not {count}."


def test_a_hundred_take_as_few_queries_as_one(ada: User, settings: Settings) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "20", "user_day": "5"}}
    client = Visitor()
    client.force_authenticate(ada)
    seen = []
    for count in (1, 100):
        with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
            client.post(QUOTE, [{}] * count)
        seen.append(len(queries))
    assert seen[0] == seen[1] <= 6


@pytest.mark.parametrize(
    ("wrong", "name", "code"),
    [
        ({"duration": 6.5}, "duration", "invalid"),
        ({"resolution": "4k"}, "resolution", "invalid_choice"),
        ({"seed": 4}, "seed", "unknown_field"),
        ({"startImage": "x"}, "startImage", "retired_field"),
        ({"prompt": "a\x00b"}, "prompt", "null_characters_not_allowed"),
        ("x", "non_field_errors", "not_an_object"),
        (None, "non_field_errors", "not_an_object"),
    ],
)
def test_a_wrong_request_is_named_in_its_place(
    client: Visitor, wrong: Any, name: str, code: str
) -> None:
    answer = client.post(QUOTE, [{}, wrong], format="json")
    assert answer.status_code == 400
    first, second = answer.json()
    assert first == {}
    assert [second[name][0]["code"], *second] == [code, name]

    [(alone, [(said, _)])] = complaints(_post(client, wrong)).items()
    assert (alone, said) == (name, code)


def test_looking_at_prices_takes_no_right_but_an_account(db: None) -> None:
    assert Visitor(person("reader")).post(QUOTE, {}).status_code == 200
    assert Visitor().post(QUOTE, {}).status_code in (401, 403)
    assert not Submission.objects.exists()


def _post(client: Visitor, body: Any) -> Any:
    return client.post(QUOTE, json.dumps(body), content_type="application/json")
