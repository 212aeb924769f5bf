"""Searching the list: by whole names, found by index; in prompts where that is asked for."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote_plus

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hailuo_django.admin import VideoJobAdmin, searching
from hailuo_django.models import VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended

from .pages import LIST, Browser, Page, person

pytestmark = pytest.mark.django_db


def search(browser: Browser, term: str) -> Page:
    """What the list shows for ``term``."""
    page = browser.open(f"{reverse(LIST)}?q={quote_plus(term)}")
    assert page.status == 200
    return page


def test_a_job_is_found_by_all_its_names(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.COMPLETED, krea_job_id="krea-7")
    VideoJob.objects.update(reference="order 7")
    draft(None, reference="order 8")

    key = job.pk
    notations = (str(key), key.hex, str(key).upper(), f"{{{key}}}", f"urn:uuid:{key}")
    for term in (*notations, "krea-7", "order 7", " order 7 ", "grace"):
        assert search(browser, term).jobs == [str(key)], term


def test_a_name_that_several_jobs_share_finds_them_all(browser: Browser, grace: User) -> None:
    jobs = {str(draft(grace, reference="spring").pk), str(draft(None, reference="spring").pk)}
    jobs.add(str(draft(person("spring")).pk))
    draft(grace, reference="spring 2")

    assert {*search(browser, "spring").jobs} == jobs


@pytest.mark.parametrize("field", ["email", "last_login"])
def test_owners_are_called_as_they_log_in(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """``last_login`` stands for names that are no text: those of some sites are numbers."""
    User.objects.filter(pk=grace.pk).update(email="grace@example.com")
    monkeypatch.setattr(User, "USERNAME_FIELD", field)
    job = draft(grace)

    assert search(browser, "grace").jobs == []
    found = [str(job.pk)] if field == "email" else []
    assert search(browser, "grace@example.com").jobs == found


@pytest.mark.parametrize(
    "term",
    ["order", "nonsense", "'", '"', "lighthouse", "%", "x" * 3000, "\uffff", "١٢٣", "1" * 40],
)
def test_a_search_for_anything_else_finds_nothing_and_breaks_nothing(
    browser: Browser, grace: User, term: str
) -> None:
    draft(grace, reference="order 7")
    assert search(browser, term).jobs == []


def test_a_null_character_is_refused_with_a_message(browser: Browser, grace: User) -> None:
    draft(grace)
    assert "Null characters are not allowed." in search(browser, "\x00").text


def test_a_word_reads_no_prompt_until_that_is_asked_for(browser: Browser, grace: User) -> None:
    job = draft(grace, prompt="A Lighthouse at dusk")
    draft(grace, prompt="a cat")
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        page = search(browser, "lighthouse")

    assert page.jobs == []
    assert not [query for query in queries if "LIKE" in query["sql"]]
    assert "Looked for a whole id, Krea job id, reference or username." in page.text
    [link] = [link["href"] for link in page.all("a") if "prompt" in link["href"]]

    page = browser.open(reverse(LIST) + link)
    assert page.jobs == [str(job.pk)]
    assert "Looked through the prompts of the newest 10,000 jobs of this list." in page.text
    assert page.forms["changelist-search"]["q"] == ["prompt: lighthouse"]


@pytest.mark.parametrize("term", ["prompt:50%_off\\", "Prompt:  50%_off\\ ", " PROMPT: 50%_OFF\\"])
def test_what_is_looked_for_in_prompts_is_taken_as_it_stands(
    browser: Browser, grace: User, term: str
) -> None:
    job = draft(grace, prompt="A poster: 50%_off\\ today")
    draft(grace, prompt="A poster: 500 off today")

    assert search(browser, term).jobs == [str(job.pk)]


@pytest.mark.parametrize("term", ["prompt:", "prompt:  ", "prompt: " + "x" * 60_000])
def test_nothing_and_too_much_are_found_in_no_prompt(
    browser: Browser, grace: User, term: str
) -> None:
    draft(grace, prompt="x" * 70_000)
    assert search(browser, term).jobs == []


def test_no_more_prompts_are_read_than_the_page_says(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_PROMPTS", 3)
    moment = timezone.now() - timedelta(days=1)
    jobs = [
        VideoJob(prompt="a cat", created_at=moment - timedelta(seconds=n // 2), status=status)
        for n, status in enumerate(["draft", "draft", "failed", "draft", "draft", "draft"])
    ]
    VideoJob.objects.bulk_create(jobs)

    newest = [str(key) for key in VideoJob.objects.values_list("pk", flat=True)[:3]]
    assert search(browser, "prompt: cat").jobs == newest, "also where two are of one moment"
    drafts = browser.open(f"{reverse(LIST)}?q=prompt:cat&status=draft").jobs
    assert len(drafts) == 3, "a filter is applied before"


def test_the_page_says_how_many_prompts_are_read() -> None:
    assert f"the newest {searching.MAX_PROMPTS:,} jobs" in str(VideoJobAdmin.search_help_text)
