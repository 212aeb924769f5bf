"""What something costs stands on the screen, and is paid once, by one confirmation."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import ledger, pricing
from hailuo_django.admin import VideoJobAdmin
from hailuo_django.admin.outlook import MAX_OWNERS, MAX_SKIPPED
from hailuo_django.models import Batch, JobEvent, Submission, VideoJob
from hailuo_django.states import Status
from hailuo_django.worker.batches import work_on_batches
from tests.api.people import draft, ended, wanted

from .pages import ADD, LIST, Browser, grant, midnight, page_of, person
from .test_job_page import HOSTILE, live_nodes

pytestmark = pytest.mark.django_db

QUERIES = 16
"""That the page of a proposal takes, of one job or of a thousand: the session and its user, two
for rights, the batch, its items, their jobs; then six for the caps of the site and three for
those of owners."""


CHANGED = "What can be done has changed since you looked. Nothing was done: look again."


def drafts(owner: User | None, *prompts: str, **fields: Any) -> list[VideoJob]:
    return [draft(owner, prompt=prompt, **fields) for prompt in prompts]


def caps(settings: Settings, **usd: str) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": usd}


def statuses() -> set[str]:
    return set(VideoJob.objects.values_list("status", flat=True))


def grow(job: VideoJob, **fields: Any) -> None:
    """Change a draft behind everybody's back."""
    VideoJob.objects.filter(pk=job.pk).update(**fields)


# What stands on the page


def test_the_page_says_what_each_job_costs_and_what_all_do(browser: Browser, grace: User) -> None:
    whale = draft(grace, prompt="a whale", resolution="512p", duration=8)
    cat = draft(None, prompt="a cat", start_image="https://pictures.example/a.png")

    page = browser.act("submit_selected", whale, cat)

    assert "Submit 2 jobs for 0.6615 USD?" in page.text
    assert "2 jobs were selected." in page.text
    assert "a whale grace 512p, 8 s 0.3780 USD 10 s at 512p costs less: 0.1575 USD" in page.text
    assert "a cat - 768p, 6 s 0.2835 USD -" in page.text
    assert "In all 0.6615 USD" in page.text
    assert statuses() == {"draft"}


def test_looking_at_what_it_costs_costs_nothing(browser: Browser, grace: User) -> None:
    page = browser.act("submit_selected", draft(grace))
    for _time in range(2):
        browser.open(page.address)

    assert statuses() == {"draft"}
    assert not Submission.objects.exists()
    assert not JobEvent.objects.exists()


def test_the_page_shows_every_cap_of_the_budget_and_what_stays(
    browser: Browser, grace: User, settings: Settings
) -> None:
    caps(settings, day="5", month="100.5", user_day="1")
    ended(grace, Status.COMPLETED, ended_at=timezone.now())
    wanted(None)

    page = browser.act("submit_selected", *drafts(grace, "a cat", "a dog"))

    assert "The site's budget of a day 5.0000 0.2835 0.2835 0.5670 3.8660" in page.text
    assert "The site's budget of a month 100.5000 0.2835 0.2835 0.5670 99.3660" in page.text
    assert "The owner's budget of a day ( grace ) 1.0000 0.2835 0.0000 0.5670 0.1495" in page.text


def test_of_many_owners_those_with_the_least_room_are_shown(
    browser: Browser, settings: Settings
) -> None:
    caps(settings, user_day="2")
    owners = [person(f"owner{number}") for number in range(MAX_OWNERS + 2)]
    wanted(owners[-1])

    page = browser.act("submit_selected", *[draft(owner) for owner in owners])

    assert f"( {owners[-1]} ) 2.0000 0.0000 0.2835 0.2835 1.4330" in page.text
    assert "2 more owners have more room than these." in page.text


def test_what_will_be_skipped_is_said_with_its_reason(browser: Browser, grace: User) -> None:
    submitted, blank, good = wanted(grace, prompt="a whale"), draft(grace, prompt=" "), draft(grace)

    page = browser.act("submit_selected", submitted, blank, good)

    assert "Submit 1 job for 0.2835 USD?" in page.text
    assert "3 jobs were selected. 2 are skipped, see below why." in page.text
    assert "a whale The job is unsent; only a draft can be submitted." in page.text
    assert f"{blank.pk} Say what the video shows." in page.text


def test_a_job_whose_older_submission_may_be_alive_is_not_resubmitted(
    browser: Browser, grace: User
) -> None:
    job = ended(grace, Status.FAILED)
    Submission.objects.create(job=job, number=2, body={}, price_usd=1, status=Status.UNCONFIRMED)

    page = browser.act("resubmit_selected", job, ended(grace, Status.CANCELLED))

    assert "Resubmit 1 job for 0.2835 USD?" in page.text
    assert "may still become a video: both would be billed." in page.text


def test_where_nothing_can_be_done_there_is_no_button(browser: Browser, grace: User) -> None:
    page = browser.act("resubmit_selected", draft(grace))
    assert "Nothing to resubmit" in page.text
    assert not [button for button in page.all("button") if button.get("name") == "confirm"]

    browser.confirm(page)
    assert statuses() == {"draft"}


def test_a_budget_without_room_is_foreseen_job_by_job(
    browser: Browser, grace: User, settings: Settings
) -> None:
    caps(settings, day="0.9", user_day="0.3")
    ida = person("ida")
    first, second = drafts(grace, "a whale", "a cat")
    third, fourth, fifth = draft(ida, prompt="a dog"), draft(None), draft(None, prompt="an owl")

    page = browser.act("submit_selected", first, second, third, fourth, fifth)

    assert "Submit 3 jobs for 0.8505 USD?" in page.text
    assert "Limit Spent Reserved Wanted now Stays Resets" in page.text
    nothing = "0.0000 USD are spent and 0.0000 USD reserved"
    for_it = f"0.0165 USD are left for it. It resets at {midnight()}."
    assert f"budget of a day has no room for it: of 0.3000 USD, {nothing}; {for_it}" in page.text
    for_it = f"0.0495 USD are left for it. It resets at {midnight()}."
    assert f"budget of a day has no room for it: of 0.9000 USD, {nothing}; {for_it}" in page.text
    page = browser.confirm(page)
    assert "3 jobs submitted for 0.8505 USD." in page.text
    left = VideoJob.objects.filter(status="draft").values_list("prompt", flat=True)
    assert {*left} == {"a cat", "an owl"}


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 1000])
def test_a_page_of_any_length_takes_the_same_queries(
    grace: User, settings: Settings, jobs: int
) -> None:
    caps(settings, day="1000", month="1000", user_day="1000")
    owners = [grace, *(person(f"owner{number}") for number in range(9))]
    VideoJob.objects.bulk_create(
        [VideoJob(prompt=f"{n}", owner=owners[n % 10]) for n in range(jobs)]
    )
    browser = Browser(grace)
    address = browser.act_on_all("submit_selected").address

    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        page = browser.open(address)

    assert f"{jobs:,} job" in page.text
    assert len(queries) == QUERIES
    assert len(page.html) < 100_000


def test_a_long_page_is_cut_into_pages_and_summed_by_format(browser: Browser, grace: User) -> None:
    jobs = [draft(grace, prompt=f"number {n}.", duration=10) for n in range(150)]
    jobs += [draft(grace, prompt=f"number {n}.", resolution="1080p") for n in range(150, 230)]
    skipped = [wanted(grace, prompt=f"an old one {n}.") for n in range(MAX_SKIPPED + 3)]

    page = browser.act("submit_selected", *jobs, *skipped)

    assert "1080p, 6 s 80 0.5670 USD 45.3600 USD" in page.text
    assert "768p, 10 s 150 0.4725 USD 70.8750 USD" in page.text
    assert page.text.count("only a draft can be submitted") == MAX_SKIPPED
    assert "and 3 more" in page.text
    assert ("number 99." in page.text, "number 100." in page.text) == (True, False)
    [address] = {a["href"] for a in page.all("a") if a.get("href", "").endswith("page=3")}
    last = browser.open(page.address.split("?")[0] + address)
    assert ("number 199." in last.text, "number 229." in last.text) == (False, True)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(browser: Browser, text: str, settings: Settings) -> None:
    caps(settings, user_day="10")

    def show(words: str, name: str) -> list[list[tuple[str, int]]]:
        owner = person(name)
        jobs = [draft(owner, prompt=words, start_image=f"javascript:{words}"), draft(owner)]
        grow(jobs[1], prompt=words)
        page = browser.act("submit_selected", *jobs)
        return [live_nodes(page), live_nodes(browser.confirm(page))]

    assert show(text, f"<b>{uuid.uuid4()}\u202e") == show("calm", "calm")


# The confirmation


def test_a_confirmation_is_obeyed_once(browser: Browser, grace: User) -> None:
    page = browser.act("submit_selected", *drafts(grace, "a cat", "a dog"))

    first, second = browser.confirm(page), browser.confirm(page)

    assert "2 jobs submitted for 0.5670 USD." in first.text
    assert "This was confirmed already. Nothing was done a second time." in second.text
    assert second.address == first.address
    assert Submission.objects.count() == 2


def test_room_that_came_since_is_not_spent_unseen(
    browser: Browser, grace: User, settings: Settings
) -> None:
    caps(settings, day="0.3")
    page = browser.act("submit_selected", *drafts(grace, "a cat", "a dog"))
    assert "Submit 1 job for 0.2835 USD?" in page.text
    caps(settings, day="10")

    page = browser.confirm(page)

    assert CHANGED in page.text
    assert "Submit 2 jobs for 0.5670 USD?" in page.text
    assert statuses() == {"draft"}


def test_what_was_foreseen_to_be_skipped_is_skipped_whatever_comes(
    browser: Browser, grace: User, settings: Settings
) -> None:
    caps(settings, day="7.1")
    for number in range(30):
        draft(grace, prompt=f"number {number}.")
    page = browser.act_on_all("submit_selected")
    assert "Submit 25 jobs for 7.0875 USD?" in page.text
    page = browser.confirm(page)
    assert "25 jobs are being submitted." in page.text
    assert "5 jobs skipped." in page.text
    caps(settings, day="100")

    work_on_batches()

    assert Submission.objects.count() == 25


def test_a_single_job_leads_to_its_own_page(browser: Browser, grace: User) -> None:
    job = draft(grace)
    page = browser.buy("submit_selected", job)
    assert page.address == page_of(job)


def test_a_single_job_that_was_skipped_says_why(browser: Browser, grace: User) -> None:
    job = draft(grace)
    job.submit()
    page = browser.confirm(browser.act("submit_selected", job))

    assert "1 job skipped." in page.text
    assert "The job is unsent; only a draft can be submitted." in page.text
    assert Submission.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": "something else"}, "Its request was changed after it was selected."),
        ({"duration": 10}, "Its request was changed after it was selected."),
        ({"expand_prompt": False}, "Its request was changed after it was selected."),
    ],
)
def test_only_what_stood_on_the_screen_is_paid_for(
    browser: Browser, grace: User, change: dict[str, Any], words: str
) -> None:
    job, other = drafts(grace, "a cat", "a dog")
    page = browser.act("submit_selected", job, other)
    grow(job, **change)

    page = browser.confirm(page)
    assert CHANGED in page.text
    assert words in page.text
    assert statuses() == {"draft"}

    assert "1 job submitted for 0.2835 USD." in browser.confirm(page).text
    assert VideoJob.objects.get(pk=job.pk).status == "draft"


def test_another_price_than_the_one_on_the_screen_is_not_paid(
    browser: Browser, grace: User, settings: Settings
) -> None:
    page = browser.act("submit_selected", *drafts(grace, "a cat", "a dog"))
    settings.HAILUO = {**settings.HAILUO, "PRICES": {"768p": {6: "0.5"}}}

    words = "Its price changed to 0.5000 USD after it was selected."
    page = browser.confirm(page)
    assert CHANGED in page.text
    assert words in page.text
    browser.confirm(page)
    assert statuses() == {"draft"}


def test_what_is_on_no_price_list_is_not_paid_for(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = browser.act("submit_selected", draft(grace, duration=8))
    rest = {seconds: usd for seconds, usd in pricing.PRICES["768p"].items() if seconds != 8}
    monkeypatch.setitem(pricing.PRICES, "768p", rest)

    page = browser.confirm(page)
    assert CHANGED in page.text
    assert "It is not on the price list." in page.text
    browser.confirm(page)
    assert statuses() == {"draft"}


def test_a_job_that_was_deleted_meanwhile_is_skipped(browser: Browser, grace: User) -> None:
    job, other = drafts(grace, "a cat", "a dog")
    page = browser.act("submit_selected", job, other)
    key = job.pk
    job.delete()

    page = browser.confirm(page)
    assert CHANGED in page.text
    assert f"{key} This job does not exist any more." in page.text
    page = browser.confirm(page)
    assert f"{key} – skipped This job does not exist any more." in page.text
    assert "1 job submitted for 0.2835 USD." in page.text


def test_a_job_can_be_deleted_whatever_batches_it_was_in(browser: Browser, grace: User) -> None:
    job, other = drafts(grace, "a cat", "a dog")
    address = browser.buy("submit_selected", job, other).address
    job.cancel()

    page = browser.open(page_of(job, "delete"))
    browser.post(page.address, {**page.forms[""], "post": "yes"})

    assert not VideoJob.objects.filter(pk=job.pk).exists()
    assert f"{job.pk} - 0.2835 USD ✓ done" in browser.open(address).text


def test_more_than_can_be_submitted_at_once_is_refused(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.batches, "MAX_JOBS", 2)

    page = browser.act("submit_selected", *drafts(grace, "a", "b", "c"))

    assert "At most 2 jobs can be submitted at once. Nothing was done: select fewer." in page.text
    assert page.address == reverse(LIST)
    assert not Batch.objects.exists()
    browser.act("submit_selected", *drafts(grace, "a", "b"))
    assert Batch.objects.get().job_count == 2


def test_the_way_back_leads_to_the_list_as_it_was(browser: Browser, grace: User) -> None:
    query = "?status__exact=draft"
    page = browser.act("submit_selected", *drafts(grace, "a", "b"), query=query)
    links = [a["href"] for a in page.all("a") if a.get("class") == "closelink"]
    assert links == [reverse(LIST) + query]

    page = browser.confirm(page)
    assert links == [a["href"] for a in page.all("a") if a.get("class") == "closelink"]


# Who may


def test_both_steps_are_for_those_who_may_spend(grace: User) -> None:
    user = person("eve", "view")
    job = draft(user)
    page = grant(user, "submit_videojob").act("submit_selected", job)
    assert page.status == 200

    user.user_permissions.clear()
    eve = Browser(User.objects.get(pk=user.pk))
    assert eve.open(page.address).status == 403
    assert eve.confirm(page).status == 403
    assert eve.post(page.address, {**page.forms["confirm"], "stop": ""}).status_code == 403
    assert statuses() == {"draft"}

    eve = grant(user, "submit_videojob")
    page = eve.open(page.address)
    assert page.status == 200
    eve.confirm(page)
    assert statuses() == {"unsent"}


def test_a_proposal_gives_nothing_away_to_anybody_else(browser: Browser, grace: User) -> None:
    page = browser.act("submit_selected", draft(grace))
    stranger = Browser(person("eve", "view", "submit"))
    unknown = reverse("admin:hailuo_django_videojob_batch", args=[uuid.uuid4()])

    assert Browser().open(page.address).address.startswith(reverse("admin:login"))
    for address in (page.address, unknown):
        assert stranger.open(address).status == 404
        form = {"csrfmiddlewaretoken": token(stranger)}
        assert stranger.post(address, form).status_code == 404
    assert statuses() == {"draft"}


def test_whoever_may_view_batches_reads_them_and_cannot_confirm_them(
    browser: Browser, grace: User
) -> None:
    address = browser.act("submit_selected", draft(grace, prompt="a whale")).address
    auditor = grant(person("ida", "view"), "view_batch")

    page = auditor.open(address)
    assert "a whale" in page.text
    assert "Only grace , who selected these, can confirm it." in page.text
    assert auditor.confirm(page).status == 403

    auditor = grant(person("joan", "view", "submit"), "view_batch")
    assert auditor.confirm(auditor.open(address)).status == 403
    assert statuses() == {"draft"}
    assert grant(person("eve"), "view_batch").open(address).status == 403, "jobs are not for them"


def test_a_confirmation_from_another_site_is_refused(browser: Browser, grace: User) -> None:
    page = browser.act("submit_selected", draft(grace))

    assert browser.post(page.address, {"confirm": ""}).status_code == 403
    assert statuses() == {"draft"}


def test_someone_who_sees_no_jobs_can_still_submit_what_they_write(grace: User) -> None:
    user = person("eve", "add", "submit")
    eve = Browser(user)
    page = eve.post_form(eve.open(reverse(ADD)), "videojob_form", prompt="a cat", _save="_submit")
    assert "Submit 1 job for 0.2835 USD?" in page.text
    assert not [a for a in page.all("a") if a.get("class") == "closelink"]

    page = eve.confirm(page)
    assert "1 job submitted for 0.2835 USD." in page.text
    assert statuses() == {"unsent"}


def test_what_a_host_hides_from_an_operator_is_not_paid_for(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, other = drafts(grace, "a cat", "a dog")
    page = browser.act("submit_selected", job, other)
    all_jobs = VideoJobAdmin.get_queryset

    def not_dogs(admin: VideoJobAdmin, request: HttpRequest) -> QuerySet[VideoJob]:
        return all_jobs(admin, request).exclude(prompt="a dog")

    monkeypatch.setattr(VideoJobAdmin, "get_queryset", not_dogs)
    page = browser.confirm(page)
    assert CHANGED in page.text
    assert ("a cat" in page.text, "a dog" in page.text) == (True, False)
    browser.confirm(page)

    assert VideoJob.objects.get(pk=job.pk).status == "unsent"
    assert VideoJob.objects.get(pk=other.pk).status == "draft"


def token(browser: Browser) -> str:
    return browser.open(reverse("admin:index")).forms["logout-form"]["csrfmiddlewaretoken"][0]
