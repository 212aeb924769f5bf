"""The browsable API: every page shows, its forms work, and hostile text stays text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from rest_framework.test import APIClient

from hailuo_django.models import VideoJob
from hailuo_django.states import FailureCode, Status

from .people import VERBS, address, draft, ended, person

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
QUOTE = reverse("hailuo_django_api:quote")
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\u202ejavascript:alert(3)"


class Page(HTMLParser):
    """What a browser would find on a page: its tags, links and form fields."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts = ""
        self.feed(answer.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts += data
        else:
            self.text += data

    def values(self, tag: str, attribute: str) -> list[str]:
        found = (attributes.get(attribute) for name, attributes in self.tags if name == tag)
        return [value for value in found if value]


@pytest.fixture
def browser(ada: User) -> APIClient:
    """Ada's browser, which has to prove that a form came from the site."""
    browser = APIClient(enforce_csrf_checks=True, HTTP_ACCEPT="text/html")
    browser.force_login(ada)
    return browser


def test_every_path_has_a_page(browser: APIClient, ada: User) -> None:
    job = draft(ada)
    prices = reverse("hailuo_django_api:prices")
    for path in (JOBS, address(job), address(job, "events"), prices):
        answer = browser.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    for path in (QUOTE, *(address(job, verb) for verb in VERBS)):
        answer = browser.get(path)
        assert answer.status_code == 405
        assert "POST" in Page(answer).values("form", "method")


def test_the_form_offers_the_eight_fields_and_submits_them(browser: APIClient) -> None:
    page = Page(browser.get(JOBS))
    fields = {*page.values("input", "name"), *page.values("select", "name")}
    assert fields >= {
        "start_image",
        "end_image",
        "expand_prompt",
        "resolution",
        "duration",
        "reference",
        "submit",
    }
    assert "prompt" in page.values("textarea", "name")

    answer = browser.post(JOBS, _form(page, prompt="x", submit="False"), format="multipart")

    assert answer.status_code == 201
    job = VideoJob.objects.get()
    assert (job.prompt, job.start_image, job.expand_prompt) == ("x", "", True)
    assert (job.resolution, job.duration, job.status) == ("768p", 6, "draft")
    # The page of the answer offers an empty form again.
    assert "prompt" in Page(answer).values("textarea", "name")


def test_a_refused_form_comes_back_with_what_was_wrong(browser: APIClient) -> None:
    page = Page(browser.get(JOBS))
    form = _form(page, prompt="x", duration="6.5", submit="False")
    answer = browser.post(JOBS, form, format="multipart")

    assert answer.status_code == 400
    assert "Give whole seconds from 6 to 10" in Page(answer).text
    again = _form(Page(answer))
    assert (again["submit"], again["expand_prompt"]) == ("False", "True")
    assert not VideoJob.objects.exists()


def test_a_click_submits_a_draft(browser: APIClient, ada: User) -> None:
    job = draft(ada)
    page = Page(browser.get(address(job, "submit")))
    answer = browser.post(address(job, "submit"), _form(page), format="multipart")
    assert answer.status_code == 202
    job.refresh_from_db()
    assert job.status == Status.UNSENT


def test_a_draft_is_changed_in_its_form_and_deleted_by_a_button(
    browser: APIClient, ada: User
) -> None:
    job = draft(ada, duration=9, expand_prompt=False)
    page = Page(browser.get(address(job)))
    form = _form(page, prompt="a storm", start_image="")
    # DRF's own script sends what a form cannot: PUT and DELETE.
    assert {"PUT", "DELETE"} <= {*page.values("form", "data-method")}
    assert (form["duration"], form["expand_prompt"]) == ("9", "False")
    token = browser.cookies["csrftoken"].value

    answer = browser.put(address(job), form, format="multipart", HTTP_X_CSRFTOKEN=token)

    assert answer.status_code == 200
    job.refresh_from_db()
    assert (job.prompt, job.duration, job.expand_prompt) == ("a storm", 9, False)
    assert browser.delete(address(job)).status_code == 403
    assert VideoJob.objects.exists()
    browser.delete(address(job), HTTP_X_CSRFTOKEN=token)
    assert not VideoJob.objects.exists()


def test_a_form_is_priced_and_nothing_is_made(browser: APIClient) -> None:
    page = Page(browser.get(QUOTE))
    answer = browser.post(QUOTE, _form(page, duration="10"), format="multipart")
    assert answer.status_code == 200
    assert '"price_usd": "0.4725"' in Page(answer).text
    refused = browser.post(QUOTE, _form(page, duration="6.5"), format="multipart")
    assert "Give whole seconds from 6 to 10" in Page(refused).text
    assert not VideoJob.objects.exists()


def test_a_form_of_another_site_spends_nothing(browser: APIClient, ada: User) -> None:
    job = draft(ada)
    assert browser.post(address(job, "submit"), {}, format="multipart").status_code == 403
    assert browser.post(JOBS, {"prompt": "x"}, format="multipart").status_code == 403
    assert VideoJob.objects.get().status == Status.DRAFT


def test_hostile_text_stays_text(browser: APIClient, ada: User) -> None:
    job = ended(
        ada,
        Status.FAILED,
        failure_code=FailureCode.UPSTREAM_ERROR,
        error_message=HOSTILE,
        error_code=HOSTILE[:100],
    )
    VideoJob.objects.update(prompt=HOSTILE, reference=HOSTILE, start_image=f"http://x/{HOSTILE}")

    boss = APIClient(HTTP_ACCEPT="text/html")
    boss.force_login(person("boss", "view", "add", "submit", is_staff=True))
    answers = [
        *(browser.get(path) for path in (JOBS, address(job), address(job, "events"))),
        boss.get(address(job, "events")),
        browser.generic("POST", JOBS, '{"prompt": "x", "<img src=x>": 1}'),
        _refused(boss, HOSTILE),
    ]
    for answer in answers:
        _assert_inert(Page(answer))
    assert "<script>alert(1)</script>" in Page(answers[1]).text


def _refused(client: APIClient, text: str) -> Any:
    fields = {"prompt": text, "resolution": text, "duration": text, "end_image": text, text: "1"}
    answer = client.post(JOBS, fields, format="json")
    assert answer.status_code == 400
    return answer


def _assert_inert(page: Page) -> None:
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
    assert "alert(" not in page.scripts
    assert not [url for url in page.values("a", "href") if url.lower().startswith("javascript:")]
    assert "x" not in page.values("img", "src")


def _form(page: Page, **filled: str) -> dict[str, str]:
    """The fields of the page's form as a browser sends them, with ``filled`` over them."""
    fields: dict[str, str] = {}
    select = ""
    for tag, attributes in page.tags:
        name, value = attributes.get("name") or "", attributes.get("value") or ""
        if tag == "input" and name:
            fields[name] = value
        elif tag == "select":
            select = name
        elif tag == "option" and (select not in fields or "selected" in attributes):
            fields[select] = value
        elif tag == "textarea":
            fields[name] = ""
    # The second form, for raw content, is another one.
    return {name: value for name, value in fields.items() if name[0] != "_"} | filled
