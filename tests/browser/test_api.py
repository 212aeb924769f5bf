"""The API's own pages in a browser, under a strict policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.testing import make_job, work
from tests.api.people import person

from .conftest import SignIn
from .policy import POLICY
from .stage import HOSTILE
from .watching import Complaints

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
LIST = "hailuo_django_api:job-list"


def job_page(name: str, job: VideoJob) -> str:
    return reverse(f"hailuo_django_api:job-{name}", args=[job.pk])


@pytest.fixture
def ada(krea: Sandbox) -> User:
    return person("ada", "add", "submit", "change", "delete")


@pytest.fixture
def reader(sign_in: SignIn, ada: User) -> Page:
    return sign_in(ada)


@pytest.fixture
def complaints(complaints: Complaints) -> Iterator[Complaints]:
    """All but what docs/api.md says of DRF's templates: they have styles within their lines."""
    yield complaints
    complaints[:] = [one for one in complaints if "Applying inline style" not in one]


def test_what_a_prompt_or_krea_says_runs_on_no_page(
    reader: Page, ada: User, krea: Sandbox, complaints: Complaints
) -> None:
    krea.misbehave("hostile_text", on="generate")
    job = make_job(prompt=f"[fails] {HOSTILE}", reference=HOSTILE, owner=ada)
    job.submit(actor=ada)
    work()
    krea.move(krea.jobs[0].id, "failed")
    work()
    reader.goto(job_page("detail", job))
    expect(reader.locator(".response-info")).to_contain_text("<script>alert(1)</script>")
    for path in (reverse(LIST), job_page("detail", job), job_page("events", job)):
        reader.goto(path)
        expect(reader.locator(".response-info")).to_be_visible()
        assert reader.locator(".response-info").locator("script, img, iframe, svg").count() == 0
    expect(reader.locator("body")).not_to_contain_text("undefined")


def test_a_draft_is_made_changed_and_submitted_by_forms(
    reader: Page, ada: User, complaints: Complaints
) -> None:
    reader.goto(reverse(LIST))
    form = reader.locator("form[method=POST]").first
    form.locator("[name=prompt]").fill("a storm")
    form.locator("[name=submit]").select_option("no")
    form.get_by_role("button", name="POST").click()
    expect(reader.locator(".response-info")).to_contain_text("HTTP 201 Created")
    job = VideoJob.objects.get()
    assert (job.prompt, job.status) == ("a storm", "draft")

    reader.goto(job_page("detail", job))
    form = reader.locator("form[data-method=PUT]").first
    form.locator("[name=prompt]").fill("a calm")
    with reader.expect_response(lambda answer: answer.request.method == "PUT"):
        form.get_by_role("button", name="PUT").click()
    expect(reader.locator(".response-info")).to_contain_text('"prompt": "a calm"')
    job.refresh_from_db()
    assert job.prompt == "a calm"

    reader.goto(job_page("submit", job))
    expect(reader.locator(".response-info")).to_contain_text("HTTP 405 Method Not Allowed")
    job.refresh_from_db()
    assert job.status == "draft", "looking costs nothing"
    reader.locator("form[method=POST]").first.get_by_role("button", name="POST").click()
    expect(reader.locator(".response-info")).to_contain_text("HTTP 202 Accepted")
    job.refresh_from_db()
    assert job.status == "unsent"
    assert complaints.pop(next(n for n, one in enumerate(complaints) if "405" in one))


def test_a_click_without_the_right_spends_nothing(
    sign_in: SignIn, complaints: Complaints, krea: Sandbox
) -> None:
    eve = person("eve", "add")
    job = make_job(owner=eve)
    page = sign_in(eve)
    page.goto(job_page("submit", job))
    page.locator("form[method=POST]").first.get_by_role("button", name="POST").click()

    expect(page.locator(".response-info")).to_contain_text("HTTP 403 Forbidden")
    job.refresh_from_db()
    assert job.status == "draft"
    assert [one[:3] for one in complaints if "inline style" not in one] == ["405", "403"]
    complaints.clear()


@pytest.mark.usefixtures("example_site")
def test_what_the_documentation_allows_these_pages_is_what_they_need(
    reader: Page, complaints: Complaints, settings: Settings
) -> None:
    reader.goto(reverse(LIST))
    _log_out(reader)
    refused = [one for one in complaints if "inline style" not in one]
    assert len(refused) == 1 and "inline event handler" in refused[0]
    complaints.clear()

    wider = re.findall(r"`((?:script-src|style-src) .*?)`", DOCUMENT.read_text(), re.DOTALL)
    settings.POLICY_OF_THE_TESTS = "; ".join([POLICY, *(" ".join(one.split()) for one in wider)])
    reader.reload()
    _log_out(reader)
    expect(reader.locator(".response-info")).to_contain_text("HTTP 403 Forbidden")
    assert complaints.pop().startswith("403"), "nobody is signed in"
    assert complaints == []


def _log_out(page: Page) -> None:
    page.get_by_role("link", name="ada").click()
    page.get_by_role("link", name="Log out").click()
