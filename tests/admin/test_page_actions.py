"""The same actions on the page of a single job, where Django offers that (6.1 and newer)."""

from __future__ import annotations

from typing import Any

import django
import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.urls import reverse

from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, Page, page_of, person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(django.VERSION < (6, 1), reason="this Django has actions on lists only"),
]

ACTION = "CHANGE_FORM-action"


def act(browser: Browser, page: Page, action: str, **typed: str) -> Page:
    """Choose an action on the page of a job and press the button beside it."""
    return browser.post_form(page, "videojob_form", **{ACTION: action, "index": "0", **typed})


def test_a_draft_is_submitted_from_its_page(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = draft(grace, prompt="two\nlines ")
    depths: list[int] = []
    submit = VideoJob.submit

    def watch(wanted: VideoJob, **by: Any) -> Submission:
        depths.append(len(connections[VideoJob.database()].atomic_blocks))
        return submit(wanted, **by)

    monkeypatch.setattr(VideoJob, "submit", watch)
    page = browser.open(page_of(job))
    assert page.choices[ACTION]["submit_selected"] == "Submit (costs money)"
    assert "0.2835 USD" in page.text
    page = act(browser, page, "submit_selected")

    assert "1 job submitted for 0.2835 USD." in page.text
    assert page.address == page_of(job)
    assert VideoJob.objects.get().status == "unsent"
    assert depths == [1]


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("resubmit_selected", Status.FAILED, "1 job resubmitted for 0.2835 USD."),
        ("sync_selected", Status.CANCELLED, "A worker will look at 1 job."),
        ("cancel_selected", Status.FAILED, "1 job skipped:"),
    ],
)
def test_a_settled_job_is_acted_on_from_its_page(
    browser: Browser, grace: User, action: str, status: Status, words: str
) -> None:
    page = browser.open(page_of(ended(grace, status)))
    assert words in act(browser, page, action).text


@pytest.mark.parametrize("typed", [{"prompt": "a dog"}, {"resolution": "1080p"}])
def test_what_is_typed_and_not_saved_is_not_paid_for(
    browser: Browser, grace: User, typed: dict[str, str]
) -> None:
    page = browser.open(page_of(draft(grace)))

    page = act(browser, page, "submit_selected", **typed)

    assert "Nothing was done: save what the form holds first." in page.text
    assert VideoJob.objects.get().status == "draft"


def test_what_somebody_else_has_saved_meanwhile_is_not_paid_for(
    browser: Browser, grace: User
) -> None:
    job = draft(grace)
    page = browser.open(page_of(job))
    VideoJob.objects.update(resolution="1080p")

    assert "Nothing was done:" in act(browser, page, "submit_selected").text
    assert VideoJob.objects.get().status == "draft"


def test_an_action_on_a_page_needs_its_right(browser: Browser, grace: User) -> None:
    job = draft(grace)
    reader = Browser(person("reader", "view"))
    page = reader.open(page_of(job))
    assert {*page.choices[ACTION]} == {"", "sync_selected"}

    page = act(reader, page, "submit_selected")

    assert "No action selected." in page.text
    assert VideoJob.objects.get().status == "draft"


def test_whoever_may_submit_but_not_change_can_do_so(browser: Browser, grace: User) -> None:
    buyer = Browser(person("buyer", "view", "submit"))
    page = act(buyer, buyer.open(page_of(draft(grace))), "submit_selected")
    assert "1 job submitted for 0.2835 USD." in page.text


def test_saving_is_saving_whatever_action_is_chosen(browser: Browser, grace: User) -> None:
    page = browser.open(page_of(draft(grace)))

    values = {ACTION: "submit_selected", "_save": "Save", "prompt": "a dog"}
    page = browser.post_form(page, "videojob_form", **values)

    assert page.address == reverse(LIST)
    job = VideoJob.objects.get()
    assert (job.status, job.prompt) == ("draft", "a dog")


def test_an_action_without_the_forms_own_token_is_refused(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    data = {ACTION: "cancel_selected", "index": "0", "_selected_action": str(job.pk)}

    assert browser.post(page_of(job), data).status_code == 403
    assert VideoJob.objects.get().status == "unsent"
