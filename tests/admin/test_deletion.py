"""Drafts and settled jobs can be deleted, a job that may still become a paid video cannot."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.db import connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hailuo_django.admin import VideoJobAdmin
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, Page, page_of, person

pytestmark = pytest.mark.django_db

REFUSAL = "Nothing was deleted: a job that may still become a paid video cannot be."


def confirm(browser: Browser, page: Page) -> Page:
    """Press "Yes, I'm sure"."""
    return browser.post_form(page, "")


@pytest.mark.parametrize("status", [Status.DRAFT, Status.COMPLETED, Status.FAILED])
def test_a_settled_job_is_deleted_on_its_page(
    browser: Browser, grace: User, status: Status
) -> None:
    job = draft(grace) if status == Status.DRAFT else ended(grace, status)
    assert "/delete/" in browser.open(page_of(job)).html

    page = confirm(browser, browser.open(page_of(job, "delete")))

    assert "was deleted successfully" in page.text
    assert not VideoJob.objects.exists()
    assert LogEntry.objects.get().action_flag == DELETION


def test_a_live_job_has_no_way_to_be_deleted(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    assert "/delete/" not in browser.open(page_of(job)).html

    page = browser.open(page_of(job, "delete"))

    assert REFUSAL in page.text
    assert page.address == page_of(job)


def test_a_job_that_ended_here_alone_is_kept_and_says_why(browser: Browser, grace: User) -> None:
    asked_for = {"krea_status": "processing", "due_at": timezone.now()}
    job = ended(grace, Status.FAILED, failure_code="not_found", **asked_for)

    page = browser.open(page_of(job))

    assert "/delete/" not in page.html
    assert "Krea may still bill it: it never said that this has ended." in page.text
    assert REFUSAL in browser.open(page_of(job, "delete")).text


def test_a_job_with_a_twin_that_is_still_live_is_kept(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.FAILED)
    job.resubmit()
    Submission.objects.filter(job=job, number=2).update(status=Status.QUEUED)
    VideoJob.objects.filter(pk=job.pk).update(status=Status.COMPLETED)

    assert REFUSAL in browser.open(page_of(job, "delete")).text


def test_selected_jobs_are_deleted(browser: Browser, grace: User) -> None:
    jobs = [draft(grace), ended(grace, Status.CANCELLED)]

    page = confirm(browser, browser.act("delete_selected", *jobs))

    assert "Successfully deleted 2 video jobs." in page.text
    assert not VideoJob.objects.exists()
    assert LogEntry.objects.filter(action_flag=DELETION).count() == 2


def test_one_live_job_among_the_selected_is_named_and_nothing_deleted(
    browser: Browser, grace: User
) -> None:
    jobs = [draft(grace), wanted(grace)]

    page = browser.act("delete_selected", *jobs)

    assert "Cannot delete video jobs" in page.text
    assert "protected related objects: Submission: #1 (unsent)" in page.text
    assert "permission" not in page.text
    assert VideoJob.objects.count() == 2


@pytest.mark.parametrize("on_list", [True, False])
def test_a_job_that_is_submitted_while_it_is_deleted_is_kept(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch, on_list: bool
) -> None:
    job, other = draft(grace), draft(grace)
    page = browser.open(page_of(job, "delete"))
    if on_list:
        page = browser.act("delete_selected", other, job)
    log = VideoJobAdmin.log_deletions

    def log_and_be_late(*args: Any) -> Any:
        VideoJob.objects.get(pk=job.pk).submit()
        return log(*args)

    monkeypatch.setattr(VideoJobAdmin, "log_deletions", log_and_be_late)
    page = confirm(browser, page)

    assert REFUSAL in page.text
    assert VideoJob.objects.count() == 2
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("on_list", [True, False])
def test_a_job_is_locked_before_it_is_looked_at_for_the_last_time(
    browser: Browser, grace: User, on_list: bool
) -> None:
    job = ended(grace, Status.FAILED)
    page = browser.open(page_of(job, "delete"))
    if on_list:
        page = browser.act("delete_selected", job)

    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        confirm(browser, page)

    statements = [query["sql"] for query in queries]
    lock = position(statements, 'UPDATE "hailuo_django_videojob"')
    end = position(statements, 'DELETE FROM "hailuo_django_videojob"')
    assert any('FROM "hailuo_django_submission"' in sql for sql in statements[lock:end])


def position(statements: list[str], beginning: str) -> int:
    """The place of the one statement that begins so."""
    [place] = [n for n, sql in enumerate(statements) if sql.startswith(beginning)]
    return place


def test_the_page_of_a_deletion_needs_the_right_also_for_a_live_job(
    browser: Browser, grace: User
) -> None:
    job = wanted(grace)
    grace.user_permissions.set([])
    assert browser.open(page_of(job, "delete")).status == 403
    assert browser.open(reverse(LIST)).status == 403


def test_whoever_may_not_delete_is_told_so_on_the_list_as_well(
    browser: Browser, grace: User
) -> None:
    jobs = [draft(grace)]
    page = browser.act("delete_selected", *jobs)
    grace.user_permissions.remove(*grace.user_permissions.filter(codename="delete_videojob"))

    page = confirm(browser, page)

    assert VideoJob.objects.count() == 1
    assert "No action selected." in page.text


def test_a_missing_right_is_still_named(grace: User) -> None:
    request = RequestFactory().get("/")
    request.user = person("eve", "view")

    jobs = [draft(grace)]
    _, _, missing, _ = VideoJobAdmin(VideoJob, admin.site).get_deleted_objects(jobs, request)

    assert missing == {"video job"}
