"""Submit, resubmit, cancel and look again, for the jobs that were selected on the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import OperationalError, connections
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, midnight

pytestmark = pytest.mark.django_db


def test_three_drafts_are_submitted_for_what_they_cost(browser: Browser, grace: User) -> None:
    jobs = [draft(grace) for _ in range(3)]
    assert browser.open(reverse(LIST)).text.count("0.2835 USD") == 3

    page = browser.buy("submit_selected", *jobs)

    assert "3 jobs submitted for 0.8505 USD." in page.text
    assert set(VideoJob.objects.values_list("status", flat=True)) == {"unsent"}
    events = JobEvent.objects.all()
    assert [(e.action, e.source, e.actor) for e in events] == [("submit", "operator", grace)] * 3
    entries = LogEntry.objects.all()
    assert {e.object_id for e in entries} == {str(job.pk) for job in jobs}
    assert {(e.action_flag, e.user, e.get_change_message()) for e in entries} == {
        (CHANGE, grace, "Submitted for 0.2835 USD.")
    }


def test_the_label_of_what_spends_says_so(browser: Browser, grace: User) -> None:
    draft(grace)
    labels = browser.open(reverse(LIST)).choices["action"]

    assert labels["submit_selected"] == "Submit selected jobs… (costs money)"
    assert labels["resubmit_selected"] == "Resubmit selected jobs… (costs money again)"


def test_a_failed_job_is_resubmitted_and_paid_for_again(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.FAILED)

    page = browser.buy("resubmit_selected", job)

    assert "1 job resubmitted for 0.2835 USD." in page.text
    assert [s.number for s in Submission.objects.filter(job=job)] == [1, 2]
    assert LogEntry.objects.get().get_change_message() == "Resubmitted for 0.2835 USD."


def test_a_job_is_cancelled(browser: Browser, grace: User) -> None:
    job = wanted(grace)

    page = browser.act("cancel_selected", job)

    assert "Asked to cancel 1 job." in page.text
    assert VideoJob.objects.get().status == "cancelled"
    assert LogEntry.objects.get().get_change_message() == "Asked for cancellation."


def test_looking_again_changes_nothing_but_when(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    rows = Submission.objects.filter(job=job)
    rows.update(status=Status.QUEUED, krea_job_id="krea-1", due_at=None)

    page = browser.act("sync_selected", job)

    assert "A worker will look at 1 job." in page.text
    assert rows.get().due_at is not None
    assert not LogEntry.objects.exists()


def test_a_bad_row_stops_none_of_the_others(browser: Browser, grace: User) -> None:
    first, second = draft(grace), draft(grace)
    submitted, blank = wanted(grace, prompt="a whale"), draft(grace, prompt=" ")

    page = browser.buy("submit_selected", first, submitted, blank, second)

    assert "2 jobs submitted for 0.5670 USD." in page.text
    assert "2 jobs skipped." in page.text
    assert "a whale – skipped The job is unsent; only a draft can be submitted." in page.text
    assert "Say what the video shows." in page.text
    assert LogEntry.objects.count() == 2
    assert Submission.objects.count() == 3


def test_a_message_names_only_the_first_of_many(browser: Browser, grace: User) -> None:
    jobs = [draft(grace) for _ in range(12)]

    page = browser.act("cancel_selected", *jobs)

    assert "12 jobs skipped:" in page.text
    assert page.text.count("The job is draft; there is nothing to cancel.") == 10
    assert "and 2 more" in page.text


def test_a_row_that_the_database_refuses_is_told_and_logged(
    browser: Browser, grace: User, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = draft(grace), draft(grace, reference="the bad one")

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        changes_bad = sql.startswith("UPDATE") and {str(bad.pk), bad.pk.hex, bad.pk} & {*params}
        if changes_bad:
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connections[VideoJob.database()].execute_wrapper(refuse):
        page = browser.buy("submit_selected", bad, good)

    assert "1 job submitted for 0.2835 USD." in page.text
    assert "1 job failed." in page.text
    assert "Look at the job before you try again." in page.text
    assert VideoJob.objects.get(pk=bad.pk).status == "draft"
    assert f"wants of job {bad.pk}" in caplog.text


def test_what_nobody_expected_is_no_silence_about_what_was_done(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = wanted(grace), wanted(grace)
    browser.raise_request_exception = False
    cancel = VideoJob.cancel

    def explode(job: VideoJob, **by: Any) -> None:
        if job.pk == bad.pk:
            raise RuntimeError("a defect")
        cancel(job, **by)

    monkeypatch.setattr(VideoJob, "cancel", explode)
    page = browser.act("cancel_selected", good, bad)

    assert page.status == 500
    assert "Asked to cancel 1 job." in browser.open(reverse(LIST)).text
    assert VideoJob.objects.get(pk=good.pk).status == "cancelled"


def test_every_row_is_committed_by_itself(browser: Browser, grace: User, depths: list[int]) -> None:
    browser.buy("submit_selected", draft(grace), draft(grace))

    assert depths == [1, 1]


def test_all_pages_of_the_list_can_be_chosen(browser: Browser, grace: User) -> None:
    for _number in range(3):
        draft(grace)

    page = browser.confirm(browser.act_on_all("submit_selected"))

    assert "3 jobs submitted for 0.8505 USD." in page.text


def test_what_is_selected_by_no_id_is_refused(browser: Browser, grace: User) -> None:
    draft(grace)
    page = browser.open(reverse(LIST))

    values = {"action": "submit_selected", "_selected_action": ["nonsense"], "index": "0"}
    page = browser.post_form(page, "changelist-form", **values)

    assert "Select jobs from the list. Nothing was done." in page.text
    assert VideoJob.objects.get().status == "draft"


def test_buying_twice_pays_once(browser: Browser, grace: User) -> None:
    job = draft(grace)

    browser.buy("submit_selected", job)
    page = browser.act("submit_selected", job)

    assert "Nothing to submit" in page.text
    assert "The job is unsent; only a draft can be submitted." in page.text
    assert Submission.objects.count() == 1


def test_a_budget_without_room_is_said_for_each_job_that_it_refuses(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "0.5"}}
    whale, cat, dog = (draft(grace, prompt=f"a {animal}") for animal in ("whale", "cat", "dog"))

    page = browser.buy("submit_selected", whale, cat, dog)

    assert "1 job submitted for 0.2835 USD." in page.text
    assert "2 jobs skipped." in page.text
    refused = (
        "The site's budget of a day has no room for it: of 0.5000 USD, 0.0000 USD are spent and"
        f" 0.0000 USD reserved; 0.2165 USD are left for it. It resets at {midnight()}."
    )
    assert f"a cat – skipped {refused}" in page.text
    assert f"a dog – skipped {refused}" in page.text
    assert sorted(VideoJob.objects.values_list("status", flat=True)) == ["draft", "draft", "unsent"]
    assert LogEntry.objects.count() == 1
