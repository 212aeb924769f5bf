"""The filters of the list: what each shows, and what becomes of an address that names none."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import LIVE, RUNNING, Status
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, Page

pytestmark = pytest.mark.django_db

VIDEO = "https://gen.krea.ai/v.mp4"


def listed(browser: Browser, query: str) -> list[str]:
    """The prompts of the jobs that the list shows, sorted."""
    page = browser.open(f"{reverse(LIST)}?{query}")
    assert page.status == 200
    assert page.address.endswith(query), "the filter was not taken"
    return sorted(VideoJob.objects.filter(pk__in=page.jobs).values_list("prompt", flat=True))


@pytest.mark.parametrize(
    ("value", "states"),
    [*((status, {status}) for status in Status), ("running", RUNNING), ("live", LIVE)],
)
def test_by_one_status_or_by_what_several_have_in_common(
    browser: Browser, value: str, states: set[Status]
) -> None:
    VideoJob.objects.bulk_create(VideoJob(prompt=status, status=status) for status in Status)
    assert listed(browser, f"status={value}") == sorted(states)


def test_every_status_is_offered(browser: Browser) -> None:
    page = browser.open(reverse(LIST))
    offered = {link["href"] for link in page.all("a")}
    assert offered >= {f"?status={value}" for value in [*Status, "live", "running"]}
    assert "running: queued" in page.text


def test_what_needs_attention_is_found_by_its_reason(browser: Browser, grace: User) -> None:
    ended(grace, Status.COMPLETED, result_url=VIDEO)
    ended(grace, Status.FAILED)
    lost, slow = wanted(grace, prompt="lost"), wanted(grace, prompt="slow")
    late = wanted(grace, prompt="late, but there")
    Submission.objects.filter(job=lost).update(status=Status.UNCONFIRMED)
    Submission.objects.filter(job__in=[slow, late]).update(overdue_at=timezone.now())
    Submission.objects.filter(job=late).update(status=Status.COMPLETED)
    elsewhere = ended(grace, Status.COMPLETED, result_url="https://elsewhere.example/v.mp4")
    nowhere = ended(grace, Status.COMPLETED)
    VideoJob.objects.filter(pk__in=[elsewhere.pk, nowhere.pk]).update(prompt="flagged")

    assert listed(browser, "attention=unconfirmed") == ["lost"]
    assert listed(browser, "attention=overdue") == ["slow"]
    assert listed(browser, "attention=flagged") == ["flagged", "flagged"]


def test_a_lost_answer_needs_attention_whatever_came_after_it(
    browser: Browser, grace: User
) -> None:
    job = ended(grace, Status.FAILED)
    job.resubmit(force=True)
    lost = Submission.objects.filter(job=job, number=1)
    lost.update(status=Status.UNCONFIRMED, ended_at=None)

    assert listed(browser, "attention=unconfirmed") == ["a lighthouse"]


def test_a_host_that_the_site_names_later_is_no_longer_flagged(
    browser: Browser, grace: User, settings: Settings
) -> None:
    for host in ("gen.krea.ai", "a.example", "z.example"):
        job = ended(grace, Status.COMPLETED, result_url=f"https://{host}/v.mp4")
        VideoJob.objects.filter(pk=job.pk).update(prompt=host)

    assert listed(browser, "attention=flagged") == ["a.example", "z.example"]
    settings.HAILUO = {"RESULT_HOSTS": ["gen.krea.ai", "Z.example"]}
    assert listed(browser, "attention=flagged") == ["a.example"]
    settings.HAILUO = {"RESULT_HOSTS": []}
    assert len(listed(browser, "attention=flagged")) == 3


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Lima"])
def test_days_are_those_of_the_site(browser: Browser, settings: Settings, zone: str) -> None:
    settings.TIME_ZONE = zone
    today = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    for days in (0, 7, 30):
        first = today - timedelta(days=days)
        before = (first.astimezone(ZoneInfo("UTC")) - timedelta(microseconds=1)).astimezone()
        VideoJob.objects.create(prompt=f"{days:02} first", created_at=first)
        VideoJob.objects.create(prompt=f"{days:02} just before", created_at=before)

    whole = listed(browser, "")
    assert listed(browser, "created=today") == ["00 first"]
    assert listed(browser, "created=7days") == ["00 first", "00 just before", "07 first"]
    assert listed(browser, "created=30days") == whole[:5]
    assert listed(browser, "created=older") == ["30 just before"]


def test_a_site_without_time_zones_has_days_too(browser: Browser, settings: Settings) -> None:
    settings.USE_TZ = False
    VideoJob.objects.create(prompt="new")
    VideoJob.objects.create(prompt="old", created_at=datetime(2020, 1, 1))

    assert listed(browser, "created=today") == ["new"]
    assert listed(browser, "created=older") == ["old"]
    assert listed(browser, "created=2021-01-01T00:00:00") == ["old"]


def test_filters_and_a_search_narrow_the_list_together(browser: Browser, grace: User) -> None:
    draft(grace, prompt="small", resolution="512p", reference="order 7")
    draft(grace, prompt="large", resolution="1080p", reference="order 7")
    wanted(grace, prompt="wanted", resolution="512p", reference="order 7")

    query = "resolution__exact=512p&status=draft&created=today&q=order+7"
    assert listed(browser, query) == ["small"]
    page = browser.open(f"{reverse(LIST)}?{query}")
    assert page.forms["changelist-search"]["status"] == ["draft"], "a new search keeps them"


def test_a_moment_may_be_told_in_a_zone_that_no_place_is_in(browser: Browser, grace: User) -> None:
    draft(grace)
    page = browser.open(f"{reverse(LIST)}?created=2099-01-01T00:00:00%2B19:17")
    assert (page.status, len(page.jobs)) == (200, 1)


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "status=",
        "attention=everything",
        "attention=%00",
        "created=yesterday",
        "created=2026-99-99T00:00:00Z",
        "created=2026-01-01T25:00:00",
        "created=0001-01-01T00:00:00Z",
        "created=9999-12-31T23:59:59Z",
        "duration__exact=six",
        "duration__exact=6.5",
        "created_at__year=99999",
        "nonsense=1",
    ],
)
def test_a_value_that_no_filter_knows_leads_back_to_the_whole_list(
    browser: Browser, grace: User, query: str
) -> None:
    draft(grace)
    page = browser.open(f"{reverse(LIST)}?{query}")

    assert (page.status, page.address) == (200, f"{reverse(LIST)}?e=1")
    assert len(page.jobs) == 1


@pytest.mark.parametrize(
    "query", ["failure_code__exact=x", "duration__exact=99999999999999999999", "resolution__exact="]
)
def test_a_value_that_no_job_has_finds_none(browser: Browser, grace: User, query: str) -> None:
    draft(grace)
    assert listed(browser, query) == []


@pytest.mark.parametrize("query", ["resolution__exact=%00", "failure_code__exact=a%00"])
def test_a_null_character_is_looked_for_in_vain(browser: Browser, grace: User, query: str) -> None:
    draft(grace)
    page = browser.open(f"{reverse(LIST)}?{query}")
    # PostgreSQL cannot even look for it, which leads back to the whole list.
    assert page.status == 200
    assert len(page.jobs) == ("e=1" in page.address)


def test_an_action_on_all_of_a_list_that_was_not_found_touches_nothing(
    browser: Browser, grace: User
) -> None:
    job = draft(grace)
    form = browser.open(reverse(LIST)).forms["changelist-form"]
    everything = {"select_across": "1", "index": "0", "_selected_action": str(job.pk)}
    data = {**form, **everything, "action": "submit_selected"}

    page = Page(browser.post(f"{reverse(LIST)}?status=drafts", data, follow=True))

    assert page.address == f"{reverse(LIST)}?e=1"
    assert VideoJob.objects.get().status == Status.DRAFT


def test_nobody_is_offered_counts_that_would_read_every_row(browser: Browser, grace: User) -> None:
    draft(grace)
    page = browser.open(f"{reverse(LIST)}?_facets=True")
    assert "counts" not in page.text
    assert "draft (1)" not in page.text
