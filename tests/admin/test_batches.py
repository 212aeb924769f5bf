"""Many jobs at once: one confirmation, then workers, who can be stopped at any time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import OperationalError, connections
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from hailuo_django import ledger
from hailuo_django.admin import BatchAdmin
from hailuo_django.admin.confirming import AT_ONCE
from hailuo_django.admin.outcomes import MAX_LEFT_OUT
from hailuo_django.deadlines import lease_seconds
from hailuo_django.models import Batch, BatchItem, Heartbeat, JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, Status
from hailuo_django.worker import batches, tasks
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.api.people import draft, wanted

from .pages import Browser, Page, grant, person, token_of

pytestmark = pytest.mark.django_db(transaction=True)

MANY = AT_ONCE + 5
BATCHES = "admin:hailuo_django_batch_changelist"
QUERIES = 12
"""That the page of a confirmed batch takes at most, of one job or of a thousand: the session and
its user, two for rights, the batch, its sums, what was left out, its rows, counted and read, for
both the jobs that the reader may see, and while it is under way when a worker was last there."""


@pytest.fixture(autouse=True)
def offline(settings: Settings) -> None:
    """Workers write rows only, but where a sandbox is asked for."""
    settings.HAILUO = {**settings.HAILUO, "KREA_API_TOKEN": ""}


def many(owner: User | None, count: int = MANY, **fields: Any) -> None:
    """Drafts, the first of which is the oldest."""
    now = timezone.now()
    VideoJob.objects.bulk_create(
        VideoJob(
            prompt=f"video {n}.",
            owner=owner,
            created_at=now + timedelta(microseconds=n),
            **fields,
        )
        for n in range(1, count + 1)
    )


def confirmed(browser: Browser, count: int = MANY, **fields: Any) -> Page:
    """The page of a batch that was confirmed a moment ago."""
    many(None, count, **fields)
    return browser.confirm(browser.act_on_all("submit_selected", "?status__exact=draft"))


def submitted() -> int:
    return VideoJob.objects.filter(status=Status.UNSENT).count()


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sweep have time for a single job."""
    monkeypatch.setattr(batches, "batch_seconds", lambda: 0.0)
    monkeypatch.setattr("hailuo_django.worker.sweep.sweep_seconds", lambda: 0.0)


# The workers' part


@pytest.mark.slow
def test_hundreds_of_jobs_are_submitted_in_the_background_with_one_message(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "batch_seconds", lambda: 600.0)
    count = effort.SUBMITTED_AT_ONCE
    told, usd = f"{count:,}", f"{Decimal('0.2835') * count} USD"

    page = confirmed(browser, count)

    assert f"{told} jobs are being submitted." in page.text
    assert f"Jobs submitted: 0 of {told}" in page.text
    assert f"… waiting {told} {usd}" in page.text
    assert submitted() == 0
    sweep()
    assert submitted() == Submission.objects.count() == count
    page = browser.open(page.address)
    assert f"Jobs submitted: {told} of {told}" in page.text
    assert f"✓ done {told} {usd}" in page.text
    events = JobEvent.objects.all()
    assert {(e.action, e.source, e.actor_id) for e in events} == {("submit", "operator", grace.pk)}
    entries = LogEntry.objects.filter(user=grace)
    assert {e.get_change_message() for e in entries} == {"Submitted for 0.2835 USD."}
    assert entries.values("object_id").distinct().count() == count


def test_a_few_jobs_are_submitted_while_the_operator_waits(browser: Browser) -> None:
    page = confirmed(browser, AT_ONCE)
    assert f"{AT_ONCE} jobs submitted for 5.6700 USD." in page.text
    assert submitted() == AT_ONCE


def test_what_takes_too_long_while_the_operator_waits_is_left_to_workers(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hailuo_django.admin.confirming.SECONDS_AT_ONCE", 0.0)

    page = confirmed(browser, 3)

    assert "1 job submitted for 0.2835 USD." in page.text
    assert "2 jobs are being submitted." in page.text
    sweep()
    assert submitted() == 3


def test_resubmitting_many_says_so(browser: Browser, grace: User) -> None:
    many(None)
    for job in VideoJob.objects.all():
        job.submit()
        job.cancel()
    page = browser.confirm(browser.act_on_all("resubmit_selected"))
    assert f"{MANY} jobs are being resubmitted." in page.text
    sweep()
    assert f"Jobs resubmitted: {MANY} of {MANY}" in browser.open(page.address).text
    assert {*LogEntry.objects.values_list("change_message", flat=True)} == {
        "Resubmitted for 0.2835 USD."
    }


def test_a_sweep_gives_batches_their_share_and_goes_on_later(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    address = confirmed(browser).address

    assert [submitted() for _ in range(3) if sweep() == 0] == [1, 2, 3]
    page = browser.open(address)
    assert f"3 of {MANY} jobs are dealt with." in page.text
    [bar] = page.all("progress")
    assert (bar["value"], bar["max"]) == ("3", f"{MANY}")
    assert "✓ done 3 0.8505 USD" in page.text
    assert "… waiting 22 6.2370 USD" in page.text


def test_a_batch_says_that_no_worker_is_there_to_go_on(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    page = confirmed(browser)
    assert "No worker has ever finished a sweep." in page.text

    sweep()
    assert "No worker" not in browser.open(page.address).text
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(minutes=20))
    assert "No worker has finished a sweep for 20 min." in browser.open(page.address).text


def test_the_oldest_job_comes_first_and_the_longest_waiting_batch(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    confirmed(browser)
    VideoJob.objects.update(status="cancelled")
    confirmed(browser)
    VideoJob.objects.update(status="draft")
    first, second = Batch.objects.order_by("confirmed_at")

    for _time in range(3):
        sweep()

    done = BatchItem.objects.filter(outcome="done").order_by("pk")
    assert [(item.batch, item.number) for item in done] == [
        (first, 1),
        (first, 2),
        (second, 1),
    ]


def test_one_worker_at_a_time_works_on_a_batch_and_another_when_it_was_killed(
    browser: Browser,
) -> None:
    confirmed(browser)
    waiting = Batch.objects.get()

    taken = ledger.take_batch(waiting)
    assert taken and taken.due_at
    assert ledger.take_batch(waiting) is None, "who has read the same row"
    sweep()
    assert submitted() == 0

    lease = timedelta(seconds=lease_seconds())
    assert timezone.now() < taken.due_at <= timezone.now() + lease
    Batch.objects.update(due_at=F("due_at") - lease)
    sweep()
    assert submitted() == MANY


def test_a_batch_does_not_wait_for_a_clock_that_was_far_ahead(browser: Browser) -> None:
    confirmed(browser)
    Batch.objects.update(due_at=timezone.now() + timedelta(days=400))

    sweep()

    assert submitted() == MANY


def test_a_worker_is_rung_for_once_and_not_for_every_job(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(browser)
    assert [task.task["func"] for task in OrmQ.objects.all()] == [
        "hailuo_django.worker.tasks.sweep"
    ]

    OrmQ.objects.all().delete()
    one_at_a_time(monkeypatch)
    sweep()
    assert OrmQ.objects.count() == 1, "for what is left"
    monkeypatch.undo()
    OrmQ.objects.all().delete()
    sweep()
    assert not OrmQ.objects.exists()


def test_what_a_batch_wants_is_sent_by_the_same_sweep(krea: Sandbox, browser: Browser) -> None:
    confirmed(browser)
    tasks.sweep()
    assert len(krea.posts) == MANY


def test_a_sweep_with_time_left_writes_and_sends_in_turn(
    krea: Sandbox, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(browser)
    monkeypatch.setattr(batches, "batch_seconds", lambda: 0.0)  # one job, then Krea's turn

    assert sweep() == MANY

    orders = Submission.objects.order_by("created_at")
    written, sent = zip(*orders.values_list("created_at", "sent_at"), strict=True)
    assert all(before < after for before, after in zip(sent, written[1:], strict=False))
    assert len(krea.jobs) == MANY


def test_a_nudge_for_one_job_leaves_batches_alone(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    confirmed(browser)
    tasks.work(str(job.pk))
    assert submitted() == 1


def test_each_job_is_written_with_all_that_belongs_to_it_or_not_at_all(
    browser: Browser, depths: list[int]
) -> None:
    confirmed(browser)
    sweep()
    assert depths == [1] * MANY


def test_one_bad_row_never_stops_the_rest(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    page = confirmed(browser)
    bad = VideoJob.objects.order_by("created_at")[1]

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and {str(bad.pk), bad.pk.hex, bad.pk} & {*params}:
            raise OperationalError("deadlock detected")
        return execute(sql, params, many, context)

    with connections[VideoJob.database()].execute_wrapper(refuse):
        sweep()

    page = browser.open(page.address)
    assert f"Jobs submitted: {MANY - 1} of {MANY}" in page.text
    assert "video 2. ✗ failed An error, which is in the site's log." in page.text
    assert f"wants of job {bad.pk}" in caplog.text


def test_an_order_is_an_order_once_and_names_what_became_wrong(grace: User) -> None:
    good, bad = draft(grace), draft(grace, prompt="\x1c")
    batch = ledger.propose(Action.SUBMIT, [good, bad], actor=grace)

    assert ledger.confirm(batch, actor=grace)
    assert not ledger.confirm(batch, actor=grace)
    assert not ledger.confirm(batch, actor=User.objects.create_superuser("joan"))

    assert ledger.work_on(batch, seconds=9)
    rows = batch.items.order_by("number").values_list("outcome", "reason")
    assert [*rows] == [("done", ""), ("skipped", "Say what the video shows.")]
    assert Submission.objects.count() == 1


def test_a_batch_that_cannot_be_read_holds_up_no_other(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    confirmed(browser)
    VideoJob.objects.update(status="cancelled")
    confirmed(browser)
    VideoJob.objects.update(status="draft")
    bad = Batch.objects.earliest("confirmed_at")
    take = ledger.take_batch

    def explode(batch: Batch) -> Batch | None:
        if batch == bad:
            raise OSError("no table")
        return take(batch)

    monkeypatch.setattr(ledger, "take_batch", explode)
    sweep()

    assert submitted() == MANY
    assert f"Batch {bad.pk} waits; the next sweep will go on with it." in caplog.messages
    monkeypatch.undo()
    sweep()
    assert submitted() == 2 * MANY


def test_what_changes_after_the_confirmation_is_skipped_with_words(
    browser: Browser, settings: Settings
) -> None:
    page = confirmed(browser)
    jobs = list(VideoJob.objects.order_by("created_at"))
    VideoJob.objects.filter(pk=jobs[0].pk).update(prompt="another")
    jobs[1].submit()
    jobs[2].delete()
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "1.2"}}

    sweep()

    page = browser.open(page.address)
    assert f"Jobs submitted: 3 of {MANY}" in page.text
    assert "another – skipped Its request was changed after it was selected." in page.text
    assert "video 2. – skipped The job is unsent; only a draft can be submitted." in page.text
    assert "– skipped This job does not exist any more." in page.text
    refused = "The site's budget of a day has no room for 0.2835 USD: of 1.2 USD,"
    assert page.text.count(refused) == MANY - 6


def test_a_worker_writes_in_the_language_of_the_operator(
    browser: Browser, settings: Settings
) -> None:
    settings.LANGUAGE_CODE = "de"
    page = confirmed(browser)
    settings.LANGUAGE_CODE = "en"

    sweep()

    assert page.status == 200
    messages = {*LogEntry.objects.values_list("change_message", flat=True)}
    assert messages == {"Submitted for 0,2835 USD."}


def test_whether_anything_is_left_is_not_forgotten_for_a_batch_that_is_done(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _batch in range(2):
        confirmed(browser)
        VideoJob.objects.filter(status="draft").update(status="cancelled")
    VideoJob.objects.update(status="draft")
    ends = iter([False, True])
    monkeypatch.setattr(ledger, "work_on", lambda *_args, **_more: next(ends))
    assert batches.work_on_batches(), "the first has more to do"


def test_a_batch_of_somebody_whose_account_was_closed_is_left(grace: User) -> None:
    page = confirmed(Browser(grace))
    User.objects.update(is_active=False)

    assert not batches.work_on_batches(), "nothing of it is left"

    assert submitted() == 0
    auditor = Browser(person("root", is_superuser=True))
    words = "The account of the operator who confirmed this is gone."
    assert auditor.open(page.address).text.count(words) == MANY
    assert set(BatchItem.objects.values_list("reason", flat=True)) == {words}


def test_a_batch_of_somebody_who_may_not_spend_any_more_is_left(grace: User) -> None:
    page = confirmed(Browser(grace))
    grace.user_permissions.clear()

    assert not batches.work_on_batches(), "nothing of it is left"

    assert submitted() == 0
    auditor = Browser(person("root", is_superuser=True))
    words = "The operator who confirmed this may not submit jobs any more."
    assert auditor.open(page.address).text.count(words) == MANY
    assert set(BatchItem.objects.values_list("reason", flat=True)) == {words}


def test_a_batch_of_somebody_who_was_deleted_is_left(grace: User) -> None:
    page = confirmed(Browser(grace))
    User.objects.filter(pk=grace.pk).delete()

    sweep()

    assert submitted() == 0
    auditor = Browser(person("root", is_superuser=True))
    assert "The account of the operator" in auditor.open(page.address).text


def test_without_the_admin_a_worker_writes_no_log_of_it(
    browser: Browser, settings: Settings
) -> None:
    confirmed(browser)
    apps = [app for app in settings.INSTALLED_APPS if app != "django.contrib.admin"]
    settings.INSTALLED_APPS = apps

    sweep()

    assert submitted() == MANY


# Stopping


def test_a_batch_is_stopped_and_the_rest_stays_as_it_is(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    page = confirmed(browser)
    sweep()

    stopped = browser.post_form(browser.open(page.address), "stop", stop="")
    again = browser.post_form(page, "stop", stop="")
    monkeypatch.undo()
    sweep()

    assert "Stopped. What was not submitted yet stays as it was." in stopped.text
    assert "There was nothing left to stop." in again.text
    assert f"Jobs submitted: 1 of {MANY}" in again.text
    assert again.text.count("Stopped by grace before its turn came.") == MANY - 1
    assert submitted() == 1


def test_stopping_is_for_those_who_may_spend(browser: Browser, grace: User) -> None:
    page = confirmed(browser)
    user = person("ida", "view")
    auditor = grant(user, "view_batch")
    assert "stop" not in auditor.open(page.address).forms

    stop = {**token_of(auditor), "stop": ""}
    assert auditor.post(page.address, stop).status_code == 403
    assert Batch.objects.get().is_under_way

    auditor = grant(user, "submit_videojob")
    page = auditor.post_form(auditor.open(page.address), "stop", stop="")
    assert "Stopped by ida" in page.text


def test_what_was_not_confirmed_cannot_be_stopped(browser: Browser, grace: User) -> None:
    page = browser.act("submit_selected", draft(grace))
    stopped = browser.post_form(page, "confirm", stop="")
    assert "There was nothing left to stop." in stopped.text
    assert Batch.objects.get().is_proposal


# Proposals that nobody wants


def test_a_proposal_that_nobody_confirms_is_forgotten_after_a_day(
    browser: Browser, grace: User
) -> None:
    address = browser.act("submit_selected", draft(grace)).address
    kept = browser.act("submit_selected", draft(grace)).address
    confirmed_one = browser.buy("submit_selected", draft(grace), draft(grace)).address
    day = timedelta(days=1, seconds=1)
    for old in (address, confirmed_one):
        batch = Batch.objects.filter(pk=old.split("/")[-2])
        batch.update(created_at=timezone.now() - day)

    sweep()

    assert [browser.open(a).status for a in (address, kept, confirmed_one)] == [404, 200, 200]


# What became of it


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 1000])
def test_a_page_of_any_length_takes_the_same_queries(browser: Browser, jobs: int) -> None:
    many(None, jobs)
    proposal = browser.act_on_all("submit_selected")
    browser.confirm(proposal)
    half = BatchItem.objects.filter(number__gt=max(jobs // 2, 1))
    half.update(outcome="skipped", reason="why not")

    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        page = browser.open(proposal.address)

    assert f"of {jobs:,}" in page.text
    assert len(queries) <= QUERIES
    assert len(page.html) < 100_000


def test_a_long_batch_is_shown_in_pages_and_names_the_first_that_were_left_out(
    browser: Browser,
) -> None:
    page = confirmed(browser, 400)
    left_out = BatchItem.objects.filter(number__gt=400 - MAX_LEFT_OUT - 3)
    left_out.update(outcome="skipped", reason="<b>why not</b>")

    page = browser.open(page.address)

    assert page.text.count("<b>why not</b>") == MAX_LEFT_OUT
    assert "and 3 more" in page.text
    assert ("video 100." in page.text, "video 101." in page.text) == (True, False)
    second, nonsense = (browser.open(f"{page.address}&page={p}") for p in ("2", "nonsense"))
    assert ("video 100." in second.text, "video 101." in second.text) == (False, True)
    assert nonsense.text == page.text


def test_operators_see_their_own_batches_in_a_list(browser: Browser, grace: User) -> None:
    small, proposal = [draft(grace), draft(grace)], draft(grace)
    own = browser.buy("submit_selected", *small).address
    browser.act("submit_selected", proposal)
    running = confirmed(browser).address.split("?")[0]

    page = browser.open(reverse(BATCHES))
    for words in ("2 jobs submit grace", "2 of 2 done 0.5670 USD", "not confirmed", "under way"):
        assert words in page.text
    links = {a["href"] for a in page.all("a")}
    assert {own, running} <= links
    batch = Batch.objects.get(pk=own.split("/")[-2])
    change = reverse("admin:hailuo_django_batch_change", args=[batch.pk])
    assert browser.open(change).address == own

    ida = Browser(person("ida", "view", "submit"))
    assert "0 batches" in ida.open(reverse(BATCHES)).text
    assert ida.open(change).address == reverse("admin:index")


def test_the_list_of_batches_is_for_those_who_may_see_some(browser: Browser, grace: User) -> None:
    own = browser.buy("submit_selected", draft(grace), draft(grace)).address
    user = person("eve", "view")
    assert Browser(user).open(reverse(BATCHES)).status == 403

    eve = grant(user, "view_batch")
    page = eve.open(reverse(BATCHES))
    assert "2 jobs submit grace" in page.text
    assert eve.open(own).status == 200
    root = Browser(person("root", is_superuser=True))
    for view in ("add", "delete"):
        keys = [] if view == "add" else [Batch.objects.get().pk]
        assert root.open(reverse(f"admin:hailuo_django_batch_{view}", args=keys)).status == 403


def test_the_page_of_a_batch_names_the_list_only_where_there_is_one(
    settings: Settings, browser: Browser, grace: User
) -> None:
    settings.ROOT_URLCONF = "tests.admin.back_office"
    page = browser.buy("submit_selected", draft(grace), draft(grace))
    assert page.address.startswith("/staff/")
    assert "Batches" not in page.text


def test_a_list_of_batches_without_the_jobs_beside_it_has_no_links(grace: User) -> None:
    batch = Batch.objects.create(action="submit", actor=grace, job_count=1)
    assert BatchAdmin(Batch, admin.AdminSite()).title(batch) == "1 job"
