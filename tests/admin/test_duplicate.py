"""Duplicating with changes: what one job asked for as the beginning of another draft."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.models import VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended

from .pages import ADD, Browser, grant, page_of, person

pytestmark = pytest.mark.django_db

REQUEST = {
    "prompt": "two\nlines & <b>more</b>",
    "start_image": "https://pictures.example/a.png",
    "end_image": "https://pictures.example/b.png",
    "resolution": "512p",
    "duration": 10,
    "expand_prompt": False,
    "reference": "order 7",
}


def link(page: Any) -> str:
    """Where "Duplicate…" leads."""
    [address] = [a["href"] for a in page.all("a") if "original=" in a.get("href", "")]
    return str(address)


@pytest.mark.parametrize("status", [Status.DRAFT, Status.COMPLETED])
def test_a_duplicate_is_written_when_it_is_saved_and_not_before(
    browser: Browser, status: Status
) -> None:
    ida = User.objects.create_user("ida")
    original = draft(ida, **REQUEST)
    VideoJob.objects.filter(pk=original.pk).update(status=status)
    page = browser.open(page_of(original))
    assert "Duplicate…" in page.text

    address = link(page)
    assert "lines" not in address, "a prompt is no business of an address"
    page = browser.open(address)
    assert VideoJob.objects.get() == original

    page = browser.post_form(page, "videojob_form", duration="6", _save="Save")
    assert "was added successfully" in page.text
    copy = VideoJob.objects.exclude(pk=original.pk).get()
    asked = {name: getattr(copy, name) for name in REQUEST}
    asked["prompt"] = asked["prompt"].replace("\r\n", "\n")  # as browsers post it
    assert asked == {**REQUEST, "duration": 6}
    assert (copy.status, str(copy.owner)) == ("draft", "grace"), "it is who duplicates that asks"
    assert VideoJob.objects.get(pk=original.pk).duration == 10


def test_a_duplicate_has_to_be_as_right_as_any_draft(browser: Browser, grace: User) -> None:
    original = draft(grace)
    page = browser.open(link(browser.open(page_of(original))))
    page = browser.post_form(page, "videojob_form", prompt=" ", _save="Save")

    assert "This field is required." in page.text
    assert VideoJob.objects.get() == original
    browser.post_form(page, "videojob_form", prompt="a dog", _save="Save")
    assert VideoJob.objects.filter(prompt="a dog").exists()


def test_the_address_may_say_what_to_change(browser: Browser, grace: User) -> None:
    original = draft(grace, **REQUEST)
    page = browser.open(f"{reverse(ADD)}?original={original.pk.hex}&duration=8&reference=")
    form = page.forms["videojob_form"]

    assert (form["duration"], form["reference"]) == (["8"], [""])
    assert form["resolution"] == ["512p"]


def test_duplicating_takes_the_right_to_add_and_to_see_the_original(db: None) -> None:
    original = ended(None, Status.FAILED)
    address = f"{reverse(ADD)}?original={original.pk}"

    viewer = Browser(person("vera", "view"))
    assert "Duplicate…" not in viewer.open(page_of(original)).text
    assert viewer.open(address).status == 403

    adder = person("ada", "add")
    assert Browser(adder).open(reverse(ADD)).status == 200
    page = Browser(adder).open(address)
    assert page.status == 403
    assert "lighthouse" not in page.html
    page = grant(adder, "view_videojob").open(address)
    assert page.forms["videojob_form"]["prompt"] == ["a lighthouse"]


def test_what_a_site_hides_cannot_be_duplicated(settings: Settings, grace: User) -> None:
    settings.ROOT_URLCONF = "tests.admin.own_desk"
    hidden, locked = draft(None), draft(grace, reference="locked")
    add = "/desk/hailuo_django/videojob/add/"
    browser = Browser(grace)

    assert browser.open(f"{add}?original={hidden.pk}").status == 404
    assert browser.open(f"{add}?original={locked.pk}").status == 403
    assert browser.open(f"{add}?original={draft(grace).pk}").status == 200


@pytest.mark.parametrize("key", [uuid.uuid4(), "nonsense", "%00", "", "7"])
def test_there_is_nothing_to_duplicate_in_a_job_that_does_not_exist(
    browser: Browser, key: object
) -> None:
    assert browser.open(f"{reverse(ADD)}?original={key}").status == 404
