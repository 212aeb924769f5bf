"""A draft is written, read, changed, and left alone once it is submitted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import reverse

from hailuo_django.admin import VideoJobAdmin
from hailuo_django.models import VideoJob
from tests.api.people import draft, wanted

from .pages import LIST, Browser, Page, page_of

pytestmark = pytest.mark.django_db


def test_a_draft_is_added_and_its_price_and_advice_are_told(browser: Browser, grace: User) -> None:
    page = browser.add(prompt="a cat", resolution="512p", duration="7", reference="order 7")

    job = VideoJob.objects.get()
    assert (job.status, job.prompt, job.resolution, job.duration) == ("draft", "a cat", "512p", 7)
    assert (job.owner, job.reference, job.expand_prompt) == (grace, "order 7", True)
    assert "Submitting this job would cost 0.3308 USD." in page.text
    assert "10 s at 512p costs less: 0.1575 USD instead of 0.3308." in page.text
    assert page.address == reverse(LIST)
    assert LogEntry.objects.get(object_id=str(job.pk)).action_flag == ADDITION


def test_a_price_stands_on_the_page_of_a_draft_and_follows_its_changes(
    browser: Browser, grace: User
) -> None:
    job = draft(grace)
    page = browser.open(page_of(job))
    assert "0.2835 USD" in page.text

    page = browser.post_form(
        page, "videojob_form", prompt="a dog", resolution="1080p", _continue="Save"
    )

    job.refresh_from_db()
    assert (job.prompt, job.resolution) == ("a dog", "1080p")
    assert "Submitting this job would cost 0.5670 USD." in page.text
    assert "was changed successfully" in page.text
    assert LogEntry.objects.get().action_flag == CHANGE


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("prompt", "", "This field is required."),
        ("prompt", " \n ", "This field is required."),
        ("start_image", "javascript:alert(1)", "Enter an http or https address."),
        ("end_image", "ftp://example.com/a.png", "Enter an http or https address."),
        ("resolution", "4k", "Select a valid choice."),
        ("duration", "6.5", "Select a valid choice."),
        ("owner", "4711", "Select a valid choice."),
        ("reference", "r" * 201, "at most 200 characters"),
    ],
)
def test_a_wrong_draft_is_not_saved(
    browser: Browser, field: str, value: str, complaint: str
) -> None:
    page = browser.add(**{"prompt": "a cat", field: value})

    assert page.status == 200
    assert complaint in page.text
    assert not VideoJob.objects.exists()


def test_a_submitted_job_is_read_only(browser: Browser, grace: User) -> None:
    job = wanted(grace)

    page = browser.open(page_of(job))

    written = {"prompt", "start_image", "resolution", "owner", "reference"}
    assert not written & {*page.forms["videojob_form"]}
    assert "a lighthouse" in page.text
    assert not [field for field in page.all("input") if field.get("name") == "_save"]


def test_a_draft_that_was_submitted_while_its_form_was_open_is_not_changed(
    browser: Browser, grace: User
) -> None:
    job = draft(grace)
    form = browser.open(page_of(job))
    job.submit()

    page = browser.post_form(form, "videojob_form", prompt="another", _save="Save")

    assert "This job was submitted meanwhile. Nothing was saved." in page.text
    assert VideoJob.objects.get().prompt == "a lighthouse"
    assert not LogEntry.objects.exists()


def test_a_draft_that_is_submitted_while_it_is_saved_is_not_changed(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = draft(grace)
    form = browser.open(page_of(job))
    save = VideoJobAdmin.save_model

    def save_too_late(*args: Any) -> None:
        VideoJob.objects.get(pk=job.pk).submit()
        save(*args)

    monkeypatch.setattr(VideoJobAdmin, "save_model", save_too_late)
    page = browser.post_form(form, "videojob_form", prompt="another", _save="Save")

    assert "its request can no longer change: prompt." in page.text
    assert VideoJob.objects.get().prompt == "a lighthouse"


def test_a_page_that_does_not_exist_leads_home(browser: Browser) -> None:
    for key in ("nonsense", "0b0e7b0c-0000-4000-8000-000000000000"):
        page = browser.open(reverse(LIST) + f"{key}/change/")
        assert "doesn’t exist" in page.text
        assert page.address == reverse("admin:index")


def test_a_form_from_another_site_is_refused(browser: Browser, grace: User) -> None:
    job = draft(grace)
    data = browser.open(page_of(job)).forms["videojob_form"]
    del data["csrfmiddlewaretoken"]

    page = Page(browser.post(page_of(job), {**data, "prompt": "another"}))

    assert page.status == 403
    assert VideoJob.objects.get().prompt == "a lighthouse"


@pytest.mark.parametrize("button", ["_save", "CHANGE_FORM-action"])
def test_the_page_protects_itself_on_a_site_without_the_csrf_middleware(
    grace: User, button: str
) -> None:
    job = draft(grace)
    data = {button: "cancel_selected", "_selected_action": str(job.pk)}
    request: HttpRequest = RequestFactory().post(page_of(job), data)
    request.user = grace

    response = VideoJobAdmin(VideoJob, admin.site).changeform_view(request, str(job.pk))

    assert response.status_code == 403
