"""What can be done from the page of a single job: Django's actions there, or buttons of ours."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from hailuo_django.admin.actions import ON_PAGES
from hailuo_django.models import VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import ADD, LIST, Browser, Page, grant, page_of, person

pytestmark = pytest.mark.django_db

ACTION = "CHANGE_FORM-action"


def act(browser: Browser, page: Page, action: str, **typed: str) -> Page:
    """Choose an action on the page of a job and press the button beside it, or its own."""
    return browser.post_form(page, "videojob_form", **{ACTION: action, "index": "0", **typed})


def offered(page: Page) -> set[str]:
    """The actions that can be chosen, however this Django shows them."""
    if ON_PAGES:
        return {*page.choices.get(ACTION, {})} - {""}
    return {button["value"] for button in page.all("button") if button.get("name") == ACTION}


def job_in(status: Status, owner: User) -> VideoJob:
    return wanted(owner) if status == Status.UNSENT else ended(owner, status)


def saves_and_submits(page: Page) -> bool:
    return "Save and submit…" in page.text


def test_a_draft_is_submitted_from_its_page(grace: User, depths: list[int]) -> None:
    job = draft(grace, prompt="two\nlines ")
    buyer = Browser(person("buyer", "view", "submit"))

    page = buyer.open(page_of(job))
    assert "Submit… (costs money)" in page.text
    page = act(buyer, page, "submit_selected")
    assert "Submit 1 job for 0.2835 USD?" in page.text
    assert VideoJob.objects.get().status == "draft"
    page = buyer.confirm(page)

    assert "1 job submitted for 0.2835 USD." in page.text
    assert page.address == page_of(job)
    assert VideoJob.objects.get().status == "unsent"
    assert depths == [1]


def test_a_draft_is_saved_and_submitted_with_one_button(browser: Browser, grace: User) -> None:
    page = browser.open(page_of(draft(grace)))
    assert saves_and_submits(page)

    page = browser.post_form(page, "videojob_form", prompt="a dog", _save="_submit")
    assert "The draft was saved." in page.text
    assert "Submit 1 job for 0.2835 USD?" in page.text
    assert "a dog" in page.text
    job = VideoJob.objects.get()
    assert (job.status, job.prompt) == ("draft", "a dog")

    assert "1 job submitted for 0.2835 USD." in browser.confirm(page).text
    assert VideoJob.objects.get().status == "unsent"


def test_a_new_draft_is_saved_and_submitted_with_one_button(browser: Browser) -> None:
    page = browser.open(reverse(ADD))
    assert saves_and_submits(page)

    values = {"prompt": "a cat", "resolution": "512p", "duration": "8"}
    page = browser.post_form(page, "videojob_form", **values, _save="_submit")

    assert "Submit 1 job for 0.3780 USD?" in page.text
    assert "10 s at 512p costs less" in page.text
    assert "1 job submitted for 0.3780 USD." in browser.confirm(page).text


def test_a_wrong_draft_is_neither_saved_nor_submitted(browser: Browser, grace: User) -> None:
    page = browser.open(page_of(draft(grace)))

    page = browser.post_form(page, "videojob_form", prompt="", _save="_submit")

    assert "This field is required." in page.text
    assert VideoJob.objects.get().prompt == "a lighthouse"


def test_saving_and_submitting_needs_the_right_to_submit(grace: User) -> None:
    user = person("eve", "view", "add", "change")
    job, eve = draft(grace), Browser(user)
    pages = [eve.open(page_of(job)), eve.open(reverse(ADD))]
    assert not [page for page in pages if saves_and_submits(page)]

    values = {"prompt": "a dog", "_save": "_submit"}
    refused = [eve.post_form(page, "videojob_form", **values).status for page in pages]
    assert refused == [403, 403]
    assert VideoJob.objects.get().prompt == "a lighthouse"

    eve = grant(user, "submit_videojob")
    page = eve.post_form(eve.open(page_of(job)), "videojob_form", **values)
    assert "Submit 1 job for" in page.text


@pytest.mark.parametrize(
    ("status", "verbs"),
    [
        (Status.FAILED, {"resubmit_selected", "sync_selected"}),
        (Status.CANCELLED, {"resubmit_selected", "sync_selected"}),
        (Status.COMPLETED, {"sync_selected"}),
        (Status.UNSENT, {"cancel_selected", "sync_selected"}),
    ],
)
def test_a_page_offers_what_can_be_done_about_its_job(
    browser: Browser, grace: User, status: Status, verbs: set[str]
) -> None:
    assert offered(browser.open(page_of(job_in(status, grace)))) == verbs


def test_no_verb_is_offered_twice(browser: Browser, grace: User) -> None:
    job = draft(grace)
    page = browser.open(page_of(job))
    assert (offered(page), saves_and_submits(page)) == (set(), True)

    page = Browser(person("buyer", "view", "submit")).open(page_of(job))
    assert (offered(page), saves_and_submits(page)) == ({"submit_selected"}, False)


def test_a_failed_job_is_resubmitted_from_its_page(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.FAILED)

    page = act(browser, browser.open(page_of(job)), "resubmit_selected")

    assert "Resubmit 1 job for 0.2835 USD?" in page.text
    page = browser.confirm(page)
    assert "1 job resubmitted for 0.2835 USD." in page.text
    assert page.address == page_of(job)


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("sync_selected", Status.CANCELLED, "A worker will look at 1 job."),
        ("cancel_selected", Status.UNSENT, "Asked to cancel 1 job."),
        ("cancel_selected", Status.FAILED, "1 job skipped:"),
    ],
)
def test_what_costs_nothing_is_done_from_the_page_at_once(
    browser: Browser, grace: User, action: str, status: Status, words: str
) -> None:
    job = job_in(status, grace)
    page = act(browser, browser.open(page_of(job)), action)
    assert words in page.text
    assert page.address == page_of(job)


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
    assert offered(page) == set()

    page = act(reader, page, "submit_selected", _selected_action=str(job.pk))

    assert "No action selected." in page.text
    assert VideoJob.objects.get().status == "draft"


def test_an_action_that_does_not_exist_is_none(browser: Browser, grace: User) -> None:
    page = browser.open(page_of(wanted(grace)))
    for name in ("delete_selected", "nonsense", ""):
        assert "No action selected." in act(browser, page, name).text
    assert VideoJob.objects.get().status == "unsent"


def test_an_action_on_a_job_that_is_gone_leads_home(browser: Browser, grace: User) -> None:
    job = draft(grace)
    page = browser.open(page_of(job))
    job.delete()

    page = act(browser, page, "submit_selected")

    assert "doesn’t exist" in page.text
    assert page.address == reverse("admin:index")


def test_an_action_on_the_page_of_a_job_needs_the_right_to_see_it(grace: User) -> None:
    job = draft(grace)
    form = Browser(person("reader", "view")).open(page_of(job)).forms["videojob_form"]
    stranger = Browser(person("eve", "submit"))
    token = stranger.open(reverse("admin:index")).forms["logout-form"]["csrfmiddlewaretoken"]

    data = {**form, ACTION: "submit_selected", "index": "0", "csrfmiddlewaretoken": token}
    assert stranger.post(page_of(job), data).status_code == 403


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
