"""GET jobs/: page by page, filtered and ordered, and a clear 400 for what no list knows."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.models import VideoJob
from hailuo_django.states import FailureCode, Status

from .people import Visitor, address, complaints, draft, ended, person

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
FILTERS = "status, failure_code, resolution, duration, reference, created_after, created_before"


def test_the_newest_jobs_come_first_page_by_page(client: Visitor, ada: User) -> None:
    newest = _jobs_of_few_moments(ada)

    pages = [*_pages(client, f"{JOBS}?page_size=2")]

    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert _references(pages) == newest
    assert newest[0] == "6"


def test_the_oldest_come_first_where_that_is_asked_for(client: Visitor, ada: User) -> None:
    newest = _jobs_of_few_moments(ada)
    assert _references([*_pages(client, f"{JOBS}?page_size=3&ordering=created_at")]) == newest[::-1]
    assert _references([*_pages(client, f"{JOBS}?page_size=3&ordering=-created_at")]) == newest


def test_a_page_leads_back_to_the_one_before(client: Visitor, ada: User) -> None:
    newest = _jobs_of_few_moments(ada)
    second = client.get(client.get(JOBS, {"page_size": 2}).json()["next"]).json()
    first = client.get(second["previous"]).json()
    assert _references([first["results"], second["results"]]) == newest[:4]


def test_a_page_whose_jobs_were_deleted_meanwhile_is_empty(client: Visitor, ada: User) -> None:
    _jobs_of_few_moments(ada)
    second = client.get(client.get(JOBS, {"page_size": 2}).json()["next"]).json()
    VideoJob.objects.all().delete()
    nothing: Any = {"next": None, "previous": None, "results": []}
    for link in ("next", "previous"):
        assert client.get(second[link]).json() == nothing


@pytest.mark.parametrize(
    ("asked", "given"), [({}, 50), ({"page_size": "1"}, 1), ({"page_size": "100"}, 100)]
)
def test_a_page_holds_50_jobs_and_at_most_100(
    client: Visitor, ada: User, asked: dict[str, str], given: int
) -> None:
    VideoJob.objects.bulk_create(VideoJob(owner=ada, prompt="x") for _ in range(101))
    assert len(client.get(JOBS, asked).json()["results"]) == given


@pytest.fixture
def variety(ada: User) -> None:
    """Jobs of many kinds, named for what they are, and some of other people."""
    draft(ada, reference="draft", created_at=NOON - timedelta(hours=2))
    draft(ada, reference="a,b", resolution="1080p", duration=10, created_at=NOON)
    ends = (
        (Status.COMPLETED, ""),
        (Status.CANCELLED, ""),
        (Status.FAILED, FailureCode.MODERATION),
        (Status.FAILED, FailureCode.NOT_FOUND),
    )
    for status, code in ends:
        job = ended(ada, status, failure_code=code)
        VideoJob.objects.filter(pk=job.pk).update(reference=code or status, created_at=NOON)
    draft(person("grace"), reference="draft")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("status=draft", ["a,b", "draft"]),
        ("status=failed,cancelled", ["cancelled", "moderation", "not_found"]),
        ("status=completed&status=cancelled", ["cancelled", "completed"]),
        ("failure_code=moderation", ["moderation"]),
        ("failure_code=moderation,not_found&status=failed", ["moderation", "not_found"]),
        ("failure_code=moderation&status=cancelled", []),
        ("resolution=1080p,512p", ["a,b"]),
        ("duration=10", ["a,b"]),
        ("reference=draft", ["draft"]),
        ("reference=a,b", ["a,b"]),
        ("reference=completed&reference=cancelled", ["cancelled", "completed"]),
        ("created_before=2026-06-18T12:00:00Z", ["draft"]),
        ("created_before=2026-06-18T14:00:00%2B02:00", ["draft"]),
        ("created_after=2026-06-18T12:00:00Z&status=draft", ["a,b"]),
        ("created_after=2026-06-18T10:00:00Z&created_before=2026-06-18T10:00:01Z", ["draft"]),
        ("created_after=2026-06-19", []),
        # In a zone that no place on earth is in: 12:00 at Greenwich.
        ("created_after=2026-06-19T11:30:00%2B23:30&status=draft", ["a,b"]),
    ],
)
def test_each_filter_finds_what_it_says(
    client: Visitor, variety: None, asked: str, found: list[str]
) -> None:
    results = client.get(f"{JOBS}?{asked}").json()["results"]
    assert sorted(job["reference"] for job in results) == found


def test_a_filter_holds_on_every_page(client: Visitor, variety: None) -> None:
    pages = [*_pages(client, f"{JOBS}?status=failed,cancelled&page_size=1")]
    assert sorted(_references(pages)) == ["cancelled", "moderation", "not_found"]


@pytest.mark.parametrize(
    ("asked", "name", "words"),
    [
        ("status=done", "status", "Choose among draft, unsent, submitting"),
        ("status=", "status", "Choose among draft"),
        ("status=draft,", "status", "Choose among draft"),
        ("failure_code=oops", "failure_code", "Choose among moderation, invalid_request"),
        ("resolution=4k", "resolution", "Choose among 512p, 768p, 1080p."),
        ("duration=6.5", "duration", "Choose among 6, 7, 8, 9, 10."),
        ("reference=a%00b", "reference", "Null characters are not allowed."),
        ("created_after=yesterday", "created_after", "such as 2026-06-18T12:00:00Z"),
        ("created_after=2026-06-18T12:00:00+02:00", "created_after", "is written %2B"),
        ("created_after=2026-13-01", "created_after", "such as"),
        ("created_after=2026-13-01T00:00:00Z", "created_after", "such as"),
        ("created_before=0001-01-01T00:00:00Z", "created_before", "such as"),
        ("created_before=2026-06-18&created_before=2026-06-19", "created_before", "Give one time"),
        ("ordering=prompt", "ordering", "Order by created_at or by -created_at."),
        ("ordering=--created_at", "ordering", "Order by created_at"),
        ("ordering=owner__password", "ordering", "Order by created_at"),
        ("page_size=0", "page_size", "Give a whole number from 1 to 100."),
        ("page_size=101", "page_size", "Give a whole number from 1 to 100."),
        ("page_size=x", "page_size", "Give a whole number from 1 to 100."),
        (f"page_size={'9' * 5000}", "page_size", "Give a whole number from 1 to 100."),
        ("state=failed", "state", f"Known parameters: {FILTERS}, ordering, cursor, page_size."),
        ("owner=7", "owner", "Unknown parameter."),
        ("Status=failed", "Status", "Unknown parameter."),
    ],
)
def test_what_a_list_does_not_know_is_named(
    client: Visitor, variety: None, asked: str, name: str, words: str
) -> None:
    [(wrong, [(code, message)])] = complaints(client.get(f"{JOBS}?{asked}")).items()
    assert (wrong, code) == (
        name,
        "unknown_parameter" if words.startswith(("Known", "Unknown")) else "invalid",
    )
    assert words in message


def test_every_wrong_parameter_is_named_at_once(client: Visitor) -> None:
    answer = client.get(f"{JOBS}?status=done&seed=4&duration=60")
    assert sorted(complaints(answer)) == ["duration", "seed", "status"]


def test_a_history_knows_pages_and_nothing_else(client: Visitor, ada: User) -> None:
    events = address(draft(ada), "events")
    assert client.get(events, {"page_size": 10}).status_code == 200
    assert [*complaints(client.get(events, {"ordering": "created_at"}))] == ["ordering"]


def test_the_name_of_a_format_is_no_filter(client: Visitor) -> None:
    assert client.get(JOBS, {"format": "json"}).status_code == 200


@pytest.mark.parametrize(
    "position",
    [
        "yesterday",
        "2026-13-01T00:00:00+00:00",
        "2026-06-18T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-06-18T00:00:00+00:00'--",
        "",
    ],
)
@pytest.mark.parametrize("part", ["list", "events"])
def test_a_made_up_cursor_leads_nowhere(
    client: Visitor, ada: User, position: str, part: str
) -> None:
    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()
    path = JOBS if part == "list" else address(draft(ada), "events")
    assert [*complaints(client.get(path, {"cursor": cursor}))] == ["cursor"]


def test_a_made_up_cursor_may_tell_a_moment_of_any_zone(client: Visitor, ada: User) -> None:
    job = draft(ada)
    position = urlencode({"p": f"2099-01-01T00:00:00+19:17/{job.pk}"})
    cursor = base64.b64encode(position.encode()).decode()
    assert len(client.get(JOBS, {"cursor": cursor}).json()["results"]) == 1


@pytest.mark.parametrize("cursor", ["ü", "cD0", base64.b64encode(b"o=x").decode()])
def test_a_damaged_cursor_leads_nowhere(client: Visitor, cursor: str) -> None:
    message = "No such page: follow “next” and “previous” as they stand."
    assert complaints(client.get(JOBS, {"cursor": cursor})) == {"cursor": [("invalid", message)]}


def test_a_site_without_time_zones_filters_by_its_own_clock(
    client: Visitor, ada: User, settings: Settings
) -> None:
    settings.USE_TZ, settings.TIME_ZONE = False, "Europe/Berlin"
    draft(ada, created_at=datetime(2026, 6, 18, 14))
    for noon in ("2026-06-18T12:00:00Z", "2026-06-18T14:00:00"):
        assert client.get(JOBS, {"created_before": noon}).json()["results"] == []
        assert len(client.get(JOBS, {"created_after": noon}).json()["results"]) == 1


def test_whatever_zone_a_visitor_is_in_the_times_of_the_site_are_the_same(
    client: Visitor, ada: User, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    for settings.USE_TZ in (True, False):
        draft(ada, created_at=NOON if settings.USE_TZ else datetime(2026, 6, 18, 14))
        asked = {"created_after": "2026-06-18T14:00", "created_before": "2026-06-18T12:00:01Z"}
        with timezone.override("Asia/Tokyo"):
            [found] = client.get(JOBS, asked).json()["results"]
        assert found["created_at"] == "2026-06-18T12:00:00Z"
        VideoJob.objects.all().delete()


def _jobs_of_few_moments(owner: User) -> list[str]:
    """Several jobs at the same moment, as a bulk import makes them; their names in order."""
    for number in range(7):
        moment = NOON + timedelta(seconds=number // 3)
        draft(owner, created_at=moment, reference=str(number))
    return [job.reference for job in VideoJob.objects.all()]


def _references(pages: list[list[dict[str, Any]]]) -> list[str]:
    return [job["reference"] for page in pages for job in page]


def _pages(client: Visitor, following: str | None) -> Iterator[list[dict[str, Any]]]:
    while following:
        page = client.get(following).json()
        yield page["results"]
        following = page["next"]
