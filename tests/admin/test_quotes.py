"""Price, advice and room in the budget, asked for while a draft is being written."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.models import VideoJob
from tests.api.people import draft, wanted

from .pages import ADD, Browser, grant, midnight, page_of, person

pytestmark = pytest.mark.django_db

QUOTE = "admin:hailuo_django_videojob_quote"


def ask(browser: Browser, **fields: Any) -> dict[str, Any]:
    """What the script of the form asks, and what it is answered."""
    response = browser.get(reverse(QUOTE), {"resolution": "768p", "duration": "6", **fields})
    assert response.status_code == 200
    return dict(response.json())


def caps(settings: Settings, **usd: str) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": usd}


def test_a_price_comes_with_advice(browser: Browser) -> None:
    quote = ask(browser, resolution="512p", duration="8", start_image="on")

    assert quote["price"] == "0.3780 USD"
    assert quote["advice"][0] == "10 s at 512p costs less: 0.1575 USD instead of 0.3780."
    assert not [words for words in quote["advice"] if "start image" in words]
    assert quote["budget"] == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"resolution": "512p"}, "The model takes 512p only with a start image."),
        ({"end_image": "on"}, "The model takes an end image only with a start image."),
        ({"prompt_length": "2001"}, "at most 2000 characters of a prompt; this has 2001."),
    ],
)
def test_advice_follows_every_field(browser: Browser, fields: dict[str, str], words: str) -> None:
    assert not ask(browser)["advice"]
    assert words in " ".join(ask(browser, **fields)["advice"])


def test_the_sites_own_prices_are_told(browser: Browser, settings: Settings) -> None:
    settings.HAILUO = {**settings.HAILUO, "PRICES": {"768p": {6: "0.25"}}}
    assert ask(browser)["price"] == "0.2500 USD"


def test_amounts_are_told_in_the_readers_language(browser: Browser, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "de"
    quote = ask(browser, resolution="512p", duration="8")
    assert quote["price"] == "0,3780 USD"
    assert "0,1575 USD instead of 0,3780." in quote["advice"][0]


def test_what_stays_of_the_budget_is_told(
    browser: Browser, grace: User, settings: Settings
) -> None:
    caps(settings, day="5", user_day="1")
    wanted(grace)

    assert ask(browser, owner=grace.pk)["budget"] == [
        "The site's budget of a day: 4.4330 USD stay after it.",
        "The owner's budget of a day: 0.4330 USD stay after it.",
    ]
    assert ask(browser, owner=grace.pk, resolution="1080p", duration="10")["budget"] == [
        "The owner's budget of a day has no room for it: of 1.0000 USD, 0.0000 USD are spent and"
        f" 0.2835 USD reserved; 0.7165 USD are left for it. It resets at {midnight()}."
    ]


@pytest.mark.parametrize("owner", ["4711", "nobody", "", "\x00", "9" * 99])
def test_an_owner_who_does_not_exist_has_no_budget(
    browser: Browser, settings: Settings, owner: str
) -> None:
    caps(settings, day="5", user_day="1")
    assert ask(browser, owner=owner)["budget"] == [
        "The site's budget of a day: 4.7165 USD stay after it."
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"resolution": "4k"},
        {"duration": "6.5"},
        {"duration": "11"},
        {"resolution": ""},
        {"prompt_length": "-1"},
        {"prompt_length": "9" * 30},
    ],
)
def test_nonsense_is_refused_with_the_name_of_the_field(
    browser: Browser, fields: dict[str, str]
) -> None:
    values = {"resolution": "768p", "duration": "6", **fields}
    response = browser.get(reverse(QUOTE), values)
    assert response.status_code == 400
    assert response.json()["errors"].keys() == fields.keys()


def test_a_quote_is_for_those_who_write_drafts(db: None) -> None:
    anonymous = Browser().open(reverse(QUOTE))
    assert anonymous.address.startswith(reverse("admin:login"))
    user = person("eve", "view", "submit", "cancel", "delete")
    assert Browser(user).open(reverse(QUOTE)).status == 403

    for right in ("add", "change"):
        writer = grant(person(f"{right}er"), f"{right}_videojob")
        assert ask(writer)["price"] == "0.2835 USD"


def test_budgets_are_told_to_those_who_may_spend_them(db: None, settings: Settings) -> None:
    caps(settings, day="5")
    user = person("eve", "add")
    assert ask(Browser(user))["budget"] == []
    assert ask(grant(user, "submit_videojob"))["budget"] != []


def test_asking_changes_nothing_and_costs_few_queries(
    browser: Browser, grace: User, settings: Settings
) -> None:
    caps(settings, day="5", month="50", user_day="1")
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        ask(browser, owner=grace.pk)

    statements = [query["sql"] for query in queries]
    assert {sql.split()[0] for sql in statements} == {"SELECT"}
    # The session and its user, two for rights, the owner, and three for each cap.
    assert len(statements) == 14


def test_the_form_tells_price_and_advice_as_saved_without_a_script(
    browser: Browser, grace: User
) -> None:
    page = browser.open(page_of(draft(grace, resolution="512p", duration=8)))
    assert "0.3780 USD 10 s at 512p costs less: 0.1575 USD instead of 0.3780." in page.text
    assert "As saved." in page.text

    new = browser.open(reverse(ADD))
    assert "They appear here when you save." in new.text
    assert "USD" not in new.text


def test_the_form_says_where_to_ask(browser: Browser, grace: User) -> None:
    for page in (browser.open(reverse(ADD)), browser.open(page_of(draft(grace)))):
        [place] = [div for div in page.all("div") if "data-hailuo-quote" in div]
        assert place["data-hailuo-quote"] == reverse(QUOTE)
        assert place["aria-live"] == "polite"
        scripts = [script.get("src", "") for script in page.all("script")]
        assert "/static/hailuo_django/quote.js" in scripts


def test_a_form_asks_within_its_own_admin(
    settings: Settings, browser: Browser, grace: User
) -> None:
    settings.ROOT_URLCONF = "tests.admin.two_offices"
    address = reverse(ADD, current_app="back-office")
    [place] = [div for div in browser.open(address).all("div") if "data-hailuo-quote" in div]
    assert place["data-hailuo-quote"].startswith("/staff/")
