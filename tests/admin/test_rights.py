"""Every entrance is shut, until the one right is granted that opens it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from hailuo_django.models import Heartbeat, KreaAccount, VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import ADD, LIST, Browser, Page, grant, page_of, person, token_of

pytestmark = pytest.mark.django_db

ACTIONS = [
    ("submit_selected", "submit", "Submit 1 job for 0.2835 USD?"),
    ("resubmit_selected", "submit", "Resubmit 1 job for 0.2835 USD?"),
    ("cancel_selected", "cancel", "Asked to cancel 1 job."),
    ("delete_selected", "delete", "Delete multiple objects"),
]


@pytest.mark.parametrize(
    ("view", "right"),
    [("changelist", "view"), ("add", "add"), ("change", "view"), ("history", "view")]
    + [("change", "change"), ("delete", "delete")],
)
def test_a_page_is_for_those_who_may_open_it(db: None, view: str, right: str) -> None:
    user = person("eve")
    keys = [draft(user).pk] if view in ("change", "history", "delete") else []
    address = reverse(f"admin:hailuo_django_videojob_{view}", args=keys)

    anonymous = Browser().open(address)
    assert anonymous.address.startswith(reverse("admin:login"))
    assert Browser(user).open(address).status == 403
    assert grant(user, f"{right}_videojob").open(address).status == 200


@pytest.mark.parametrize(("action", "right", "words"), ACTIONS)
def test_an_action_is_offered_and_obeyed_with_its_right_only(
    db: None, action: str, right: str, words: str
) -> None:
    user = person("eve", "view")
    job = job_for(action, user)
    before = VideoJob.objects.get().status

    eve = Browser(user)
    assert action not in eve.open(reverse(LIST)).choices.get("action", {})
    assert words not in post_action(eve, action, job).text
    assert VideoJob.objects.get().status == before

    eve = grant(user, f"{right}_videojob")
    assert action in eve.open(reverse(LIST)).choices["action"]
    assert words in eve.act(action, job).text


def test_looking_again_is_for_whoever_may_see_the_list(db: None) -> None:
    user = person("eve", "submit", "cancel", "delete")
    job = wanted(user)
    assert post_action(Browser(user), "sync_selected", job).status == 403

    page = grant(user, "view_videojob").act("sync_selected", job)
    assert "A worker will look at 1 job." in page.text


def job_for(action: str, owner: User) -> VideoJob:
    """A job with which ``action`` can do something."""
    if action == "resubmit_selected":
        return ended(owner, Status.FAILED)
    return draft(owner) if action in ("submit_selected", "delete_selected") else wanted(owner)


def post_action(browser: Browser, action: str, job: VideoJob) -> Page:
    """Post the action although no page offers it."""
    values = {**token_of(browser), "action": action, "index": "0"}
    data = {**values, "_selected_action": str(job.pk)}
    return Page(browser.post(reverse(LIST), data, follow=True))


def test_a_draft_is_added_by_those_who_may(db: None) -> None:
    user = person("eve", "view")
    form = grant(person("ida"), "add_videojob").open(reverse(ADD)).forms["videojob_form"]
    eve = Browser(user)
    token = eve.open(reverse(LIST)).forms["logout-form"]["csrfmiddlewaretoken"]
    data = {**form, "csrfmiddlewaretoken": token, "prompt": "a cat", "owner": ""}

    assert eve.post(reverse(ADD), data).status_code == 403
    assert not VideoJob.objects.exists()

    page = grant(user, "add_videojob").add(prompt="a cat", owner="")
    assert "was added successfully" in page.text
    assert VideoJob.objects.get().owner is None


def test_someone_who_may_only_add_ends_at_home_with_the_price(db: None) -> None:
    page = Browser(person("eve", "add")).add(prompt="a cat")

    assert page.address == reverse("admin:index")
    assert "Submitting this job would cost 0.2835 USD." in page.text


def test_a_draft_is_changed_by_those_who_may(db: None) -> None:
    user = person("eve", "view")
    job = draft(user)
    eve = Browser(user)
    page = eve.open(page_of(job))
    assert "prompt" not in page.forms["videojob_form"]

    assert eve.post_form(page, "videojob_form", prompt="a dog", _save="Save").status == 403
    assert VideoJob.objects.get().prompt == "a lighthouse"

    eve = grant(user, "change_videojob")
    eve.post_form(eve.open(page_of(job)), "videojob_form", prompt="a dog", _save="Save")
    assert VideoJob.objects.get().prompt == "a dog"


@pytest.mark.parametrize(("model", "key"), [(KreaAccount, "fingerprint"), (Heartbeat, "name")])
def test_what_workers_know_is_read_only(
    db: None, model: type[KreaAccount | Heartbeat], key: str
) -> None:
    more = {"beat_at": timezone.now()} if model is Heartbeat else {}
    row = model.objects.create(**{key: "some-name"}, **more)
    name = f"admin:hailuo_django_{model._meta.model_name}"
    user = person("eve")
    addresses = [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])]

    assert [Browser(user).open(address).status for address in addresses] == [403, 403]
    eve = grant(user, f"view_{model._meta.model_name}")
    pages = [eve.open(address) for address in addresses]
    assert [page.status for page in pages] == [200, 200]
    assert all("some-name" in page.text for page in pages)

    root = Browser(person("root", is_superuser=True))
    assert root.open(reverse(f"{name}_add")).status == 403
    assert root.open(reverse(f"{name}_delete", args=[row.pk])).status == 403
    assert not [i for i in root.open(addresses[1]).all("input") if i.get("name") == "_save"]
