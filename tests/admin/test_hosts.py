"""The admin on sites that do things their own way."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import Model
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.models import Batch, VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, grant, page_of, person, token_of

BATCH = "admin:hailuo_django_videojob_batch"
DELETE = "admin:hailuo_django_videojob_delete"

pytestmark = pytest.mark.django_db


@pytest.fixture
def back_office(settings: Settings) -> None:
    """The site of ``back_office.py``."""
    settings.ROOT_URLCONF = "tests.admin.back_office"


def test_another_admin_site_shows_jobs_in_its_own_way(
    back_office: None, browser: Browser, grace: User
) -> None:
    assert reverse(LIST).startswith("/staff/")
    page = browser.add(prompt="a cat", reference="order 7")
    assert "Submitting this job would cost 0.2835 USD." in page.text

    job = VideoJob.objects.get()
    page = browser.open(reverse(LIST) + "?q=grace")
    assert "order 7" in page.text
    assert {*page.choices["action"]} == {
        "",
        "submit_selected",
        "resubmit_selected",
        "cancel_selected",
        "sync_selected",
        "download_csv",
    }
    page = browser.act("submit_selected", job)
    assert page.address.startswith("/staff/")
    page = browser.confirm(page)
    assert page.address == page_of(job)
    assert "1 job submitted for" in page.text
    page = browser.open(page_of(job, "delete"))
    assert page.address == page_of(job)
    assert "Nothing was deleted" in page.text


def test_a_sites_own_search_does_not_lose_ours(
    back_office: None, browser: Browser, grace: User
) -> None:
    draft(grace, reference="order 7")
    draft(None, reference="order 8")

    for term, count in (("grace", 1), ("order 8", 1), ("order", 0)):
        page = browser.open(f"{reverse(LIST)}?q={term}")
        assert len([i for i in page.all("input") if i.get("class") == "action-select"]) == count


def test_a_site_adds_what_it_knows_to_every_page(
    back_office: None, browser: Browser, grace: User
) -> None:
    job = wanted(grace, reference="order 7", resolution="1080p")

    page = browser.open(page_of(job))
    assert f"Endpoint {job.submissions.get().endpoint}" in page.text
    assert "ordered <b>order 7</b>" in page.text
    live = browser.open(f"{page_of(job).partition(str(job.pk))[0]}live/?ids={job.pk.hex}")
    assert live.text.endswith("<large>")
    assert f'data-hailuo-part="size-{job.pk.hex}"' in live.html
    assert browser.get(page_of(job, "ticket")).json()["shop"] == "ours"


def test_a_site_filters_sorts_counts_and_browses_in_its_own_way(
    settings: Settings, browser: Browser, grace: User
) -> None:
    settings.ROOT_URLCONF = "tests.admin.own_list"
    first, second = draft(grace, reference="spring 1"), draft(None, reference="autumn 2")
    VideoJob.objects.filter(pk=second.pk).update(created_at="2020-06-01T20:00:00Z")

    def listed(query: str) -> list[str]:
        page = browser.open(f"{reverse(LIST)}?{query}")
        assert page.address.endswith(query)
        assert "2 total" in page.text or "2 video jobs" in page.text
        return page.jobs

    both = [str(first.pk), str(second.pk)]
    assert listed("season=spring") == both[:1]
    assert listed(f"owner__id__exact={grace.pk}") == both[:1]
    assert listed("created_at__year=2020") == both[1:]
    assert listed("created_at__year=2020&created_at__month=6&status=draft") == both[1:]
    assert listed("o=9") == both[::-1]
    assert listed("o=-9.2") == both
    assert "2020" in browser.open(reverse(LIST)).text

    data = {"action": "download_csv", "index": "0", "_selected_action": both}
    answer = browser.post(reverse(LIST), {**token_of(browser), **data})
    assert answer.getvalue().count(b",spring\r\n") == 2


def test_what_a_list_lets_edit_is_left_once_it_is_submitted(
    settings: Settings, browser: Browser, grace: User
) -> None:
    settings.ROOT_URLCONF = "tests.admin.own_list"
    job = draft(grace)
    page = browser.open(reverse(LIST))
    job.submit()

    page = browser.post_form(page, "changelist-form", **{"form-0-duration": "10", "_save": "Save"})

    assert page.status == 200
    assert VideoJob.objects.get().duration == 6


def test_a_batch_tells_of_no_job_that_a_site_hides_from_its_reader(
    settings: Settings, browser: Browser, grace: User
) -> None:
    judy = person("judy", "view", "submit")
    mine = draft(judy, prompt="what judy wants")
    theirs = [draft(None, prompt="whose secret?"), ended(None, Status.COMPLETED)]
    page = browser.buy("submit_selected", mine, *theirs)
    assert "whose secret?" in page.text
    assert page.text.count("a lighthouse") == 1, "skipped, since it is completed"

    settings.ROOT_URLCONF = "tests.admin.own_desk"
    batch = Batch.objects.get()
    page = grant(judy, "view_batch").open(reverse(BATCH, args=[batch.pk]))

    assert "Jobs submitted: 2 of 3" in page.text
    assert "what judy wants" in page.text
    assert "whose secret?" not in page.text
    assert "a lighthouse" not in page.text
    assert [a for a in page.all("a") if str(mine.pk) in a["href"]]
    assert not [a for a in page.all("a") for job in theirs if str(job.pk) in a["href"]]
    assert all(str(job.pk) in page.text for job in theirs)


def test_each_of_two_admins_leads_to_its_own_pages(
    settings: Settings, browser: Browser, grace: User
) -> None:
    settings.ROOT_URLCONF = "tests.admin.two_offices"
    address = reverse(DELETE, args=[wanted(grace).pk], current_app="back-office")

    assert address.startswith("/staff/")
    assert browser.open(address).address.startswith("/staff/")


class Replica:
    """A router that reads jobs from where they arrive late; here, from nowhere."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return "replica" if model is VideoJob else None


def test_what_is_to_be_changed_is_read_where_it_is_written(
    settings: Settings, browser: Browser, grace: User
) -> None:
    jobs = [draft(grace), draft(grace)]
    proposal = browser.act("submit_selected", jobs[0])
    draft_form = browser.open(page_of(jobs[1])).forms["videojob_form"]

    settings.DATABASE_ROUTERS = [Replica(), *settings.DATABASE_ROUTERS]
    answers = [
        browser.post(proposal.address, proposal.forms["confirm"]),
        browser.post(page_of(jobs[1]), {**draft_form, "prompt": "a dog", "_save": "Save"}),
    ]

    assert [answer.status_code for answer in answers] == [302, 302]
    jobs = [VideoJob.objects.using(VideoJob.database()).get(pk=job.pk) for job in jobs]
    assert (jobs[0].status, jobs[1].prompt) == ("unsent", "a dog")


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that puts a transaction around every view."""
    monkeypatch.setitem(connections[VideoJob.database()].settings_dict, "ATOMIC_REQUESTS", True)


def test_a_transaction_around_every_request_is_not_around_ours(
    atomic_requests: None, browser: Browser, grace: User, depths: list[int]
) -> None:
    browser.buy("submit_selected", draft(grace), draft(grace))

    assert depths == [1, 1]


def test_a_refused_deletion_on_such_a_site_is_no_error(
    atomic_requests: None, browser: Browser, grace: User
) -> None:
    page = browser.open(page_of(wanted(grace), "delete"))
    assert "Nothing was deleted" in page.text
