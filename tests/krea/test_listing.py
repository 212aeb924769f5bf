"""Listing every job of the account since a moment, whatever the pages do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.listing import Listing, list_since
from hailuo_django.sandbox import Sandbox
from tests.krea.conftest import BODY, Net, answer, job

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def ids(listing: Listing) -> list[str]:
    return [one.krea_job_id for one in listing.jobs]


def at(seconds: float, krea_job_id: str) -> dict[str, object]:
    """A job as Krea lists it, made so many seconds after noon."""
    return job(job_id=krea_job_id, created_at=(NOON + seconds * SECOND).isoformat())


@pytest.fixture
def made(krea: Sandbox, client: KreaClient) -> Iterator[list[str]]:
    """Six jobs, oldest first, made at noon and at every second after it."""
    found = [client.generate(BODY).krea_job_id for _ in range(6)]
    for seconds, one in enumerate(krea.jobs):
        one.created_at = NOON + seconds * SECOND
    yield found


def pages_asked(krea: Sandbox) -> int:
    return sum(request[:2] == ("GET", "/jobs") for request in krea.requests)


def test_every_job_since_a_moment_is_listed_newest_first(
    client: KreaClient, made: list[str]
) -> None:
    listing = list_since(client, NOON + 2 * SECOND)
    assert ids(listing) == made[:1:-1]
    assert listing.complete
    assert listing.server_time is not None
    assert abs(listing.server_time - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_empty_account_is_listed_completely(client: KreaClient) -> None:
    listing = list_since(client, NOON)
    assert (listing.jobs, listing.complete) == ((), True)


def test_it_reads_no_page_further_than_the_moment(
    krea: Sandbox, client: KreaClient, made: list[str]
) -> None:
    listing = list_since(client, NOON + 4.5 * SECOND, limit=2)
    assert (ids(listing), listing.complete) == ([made[5]], True)
    assert pages_asked(krea) == 1


def test_jobs_of_one_instant_are_not_lost_between_two_pages(
    krea: Sandbox, client: KreaClient, made: list[str]
) -> None:
    for one in krea.jobs[2:4]:
        one.created_at = NOON + 2 * SECOND  # the third page of two would begin between them
    plain = client.list(limit=3)
    assert made[2] not in {one.krea_job_id for one in client.list(cursor=plain.next_cursor).items}
    listing = list_since(client, NOON, limit=3)
    assert (ids(listing), listing.complete) == (made[::-1], True)


def test_a_job_that_is_on_two_pages_counts_once(client: KreaClient, made: list[str]) -> None:
    listing = list_since(client, NOON, limit=2)
    assert (ids(listing), listing.complete) == (made[::-1], True)


def test_more_pages_than_allowed_leave_it_incomplete(
    krea: Sandbox, client: KreaClient, made: list[str]
) -> None:
    listing = list_since(client, NOON, limit=2, max_pages=2)
    assert (ids(listing), listing.complete) == (made[:2:-1], False)
    assert listing.reach == NOON + 3.001 * SECOND, "from there on all are here"
    assert pages_asked(krea) == 2


def test_a_whole_page_of_one_instant_stops_it(
    krea: Sandbox, client: KreaClient, made: list[str]
) -> None:
    for one in krea.jobs:
        one.created_at = NOON
    listing = list_since(client, NOON - SECOND, limit=2)
    assert not listing.complete
    assert pages_asked(krea) == 2


def test_a_cursor_that_makes_no_progress_stops_it(net: Net) -> None:
    server = net.serve(answer(200, {"items": [at(9, "a")], "next_cursor": "opaque"}))
    listing = list_since(net.client(server.url), NOON)
    assert (ids(listing), listing.complete, listing.reach) == (["a"], False, None)
    assert len(server.requests) == 2


def test_a_cursor_that_is_no_time_is_handed_back_as_it_is(net: Net) -> None:
    server = net.serve(
        answer(200, {"items": [at(9, "a")], "next_cursor": "opaque"}),
        answer(200, {"items": [at(-1, "b")], "next_cursor": "more"}),
    )
    listing = list_since(net.client(server.url), NOON)
    assert (ids(listing), listing.complete) == (["a"], True)
    assert b"cursor=opaque " in server.requests[1]


def test_a_cursor_is_moved_by_a_millisecond(net: Net) -> None:
    server = net.serve(
        answer(200, {"items": [], "next_cursor": "2026-11-01T14:00:05.123456+02:00"}),
        answer(200, {"items": [], "next_cursor": None}),
    )
    assert list_since(net.client(server.url), NOON).complete
    assert b"cursor=2026-11-01T12%3A00%3A05.124Z " in server.requests[1]


def test_a_cursor_that_jumps_hides_nothing(net: Net) -> None:
    server = net.serve(
        answer(200, {"items": [at(9, "a")], "next_cursor": at(-5, "")["created_at"]}),
        answer(200, {"items": [at(4, "hidden"), at(-6, "c")]}),
    )
    listing = list_since(net.client(server.url), NOON)
    assert (ids(listing), listing.complete) == (["a", "hidden"], True)
    assert b"cursor=2026-11-01T12%3A00%3A09.001Z " in server.requests[1]


@pytest.mark.parametrize("lost", [{}, {"next_cursor": "x" * 101}, {"nextPage": "2"}])
def test_a_full_page_that_lost_its_cursor_is_no_end(net: Net, lost: dict[str, str]) -> None:
    server = net.serve(
        answer(200, {"items": [at(3, "a"), at(2, "b")]} | lost),
        answer(200, {"items": [at(1, "c"), at(-1, "d")], "next_cursor": None}),
    )
    listing = list_since(net.client(server.url), NOON, limit=2)
    assert (ids(listing), listing.complete) == (["a", "b", "c"], True)
    assert b"cursor=2026-11-01T12%3A00%3A02.001Z " in server.requests[1]


def test_a_full_page_that_tells_nothing_more_leaves_it_incomplete(net: Net) -> None:
    server = net.serve(answer(200, {"items": [job(created_at=None)]}))
    assert not list_since(net.client(server.url), NOON, limit=1).complete
    assert len(server.requests) == 1


def test_an_item_that_cannot_be_read_may_have_been_the_one(net: Net) -> None:
    server = net.serve(answer(200, {"items": [at(2, "a"), {"status": "queued"}, at(-1, "b")]}))
    listing = list_since(net.client(server.url), NOON)
    assert (ids(listing), listing.complete, listing.reach) == (["a"], False, None)


def test_an_item_that_was_made_too_early_to_be_the_one_need_not_be_read(net: Net) -> None:
    old = at(-60, "old") | {"job_id": None}
    listing = list_since(
        net.client(net.serve(answer(200, {"items": [at(2, "new"), old]})).url), NOON
    )
    assert (listing.complete, listing.reach) == (True, NOON)
    young = at(1, "young") | {"job_id": None}
    listing = list_since(net.client(net.serve(answer(200, {"items": [young, old]})).url), NOON)
    assert (listing.complete, listing.reach) == (False, None)


def test_a_job_that_does_not_tell_its_time_is_listed(net: Net) -> None:
    server = net.serve(answer(200, {"items": [job(job_id="a", created_at=None), at(-1, "b")]}))
    assert ids(list_since(net.client(server.url), NOON)) == ["a"]


def test_a_job_is_shown_as_it_was_seen_last(net: Net) -> None:
    first = at(2, "a")
    server = net.serve(
        answer(200, {"items": [first], "next_cursor": "1"}),
        answer(200, {"items": [first | {"status": "completed"}, at(-1, "b")]}),
    )
    assert list_since(net.client(server.url), NOON).jobs[0].status == "completed"


def test_the_clock_is_that_of_the_first_page(net: Net) -> None:
    page = {"items": [], "next_cursor": "1"}
    server = net.serve(
        answer(200, page, "Date: Sun, 01 Nov 2026 12:00:00 GMT"),
        answer(200, {"items": []}, "Date: Sun, 01 Nov 2026 12:00:07 GMT"),
    )
    assert list_since(net.client(server.url), NOON - SECOND).server_time == NOON


def test_a_page_that_fails_fails_the_listing(
    krea: Sandbox, client: KreaClient, made: list[str]
) -> None:
    krea.misbehave("rate_limited", on="list")
    with pytest.raises(errors.RateLimited):
        list_since(client, NOON)
    assert list_since(client, NOON).complete
