"""Polling costs little: no news is a 304, and whatever changes what is shown changes its tag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import ledger, pacing
from hailuo_django.krea.errors import AccountProblem
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep
from tests.site import configure

from .people import Visitor, address, draft, ended, person, under_way, wanted

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
PRICES = reverse("hailuo_django_api:prices")


def ask(client: Visitor, path: str, tag: str = "", **headers: str) -> Any:
    return client.get(path, headers={"If-None-Match": tag, **headers})


def test_no_news_is_a_304_without_a_body(client: Visitor, ada: User) -> None:
    path = address(wanted(ada))
    first = ask(client, path)
    assert first.status_code == 200
    assert first["ETag"].startswith('"'), "a strong one"

    again = ask(client, path, first["ETag"])

    assert (again.status_code, again.content) == (304, b"")
    for name in ("ETag", "Vary", "Cache-Control", "Retry-After"):
        assert again[name] == first[name]
    assert ask(client, path, f'"other", {first["ETag"]}').status_code == 304
    assert ask(client, path, f"W/{first['ETag']}").status_code == 304, "as a proxy weakens it"
    assert ask(client, path, '"other"').status_code == 200


@pytest.mark.parametrize("status", [Status.DRAFT, Status.UNSENT, Status.FAILED, Status.COMPLETED])
def test_it_costs_one_query_beyond_authentication(ada: User, status: Status) -> None:
    job = draft(ada) if status == Status.DRAFT else wanted(ada)
    if status in (Status.FAILED, Status.COMPLETED):
        job = ended(ada, status)
        job.submissions.create(number=2, body={}, price_usd=1, status=Status.FAILED)
    client = Visitor()
    client.force_authenticate(ada)
    tag = ask(client, address(job))["ETag"]

    for known, code in ((tag, 304), ("", 200)):
        with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
            assert ask(client, address(job), known).status_code == code
        assert len(queries) == 1


def test_a_head_has_the_tag_of_its_get(client: Visitor, ada: User) -> None:
    path = address(draft(ada))
    assert client.head(path)["ETag"] == client.get(path)["ETag"]


def test_a_browser_asks_each_time_and_keeps_it_for_one_person(client: Visitor, ada: User) -> None:
    for path in (JOBS, PRICES, address(draft(ada)), address(draft(ada), "events")):
        answer = client.get(path)
        assert answer["Cache-Control"] == "private, no-cache"
        vary = {name.strip() for name in answer["Vary"].split(",")}
        assert vary >= {"Accept", "Accept-Language", "Authorization", "Cookie"}
        assert ask(client, path, answer["ETag"]).status_code == 304


def test_what_is_refused_has_no_tag(client: Visitor, ada: User) -> None:
    for answer in (client.get(address(draft(None))), client.create(prompt="x")):
        assert "ETag" not in answer


def test_a_tag_is_no_key_to_somebody_elses_job(client: Visitor, ada: User) -> None:
    path = address(draft(ada))
    tag = client.get(path)["ETag"]
    assert ask(Visitor(person("grace")), path, tag).status_code == 404
    assert ask(Visitor(), path, tag).status_code == 403


def _of_settings(**more: Any) -> Callable[[VideoJob, Settings], None]:
    def change(job: VideoJob, settings: Settings) -> None:
        settings.HAILUO = {**settings.HAILUO, **more}

    return change


def _rename(job: VideoJob, settings: Settings) -> None:
    job.reference = "mine"
    job.save()


def _late_id(job: VideoJob, settings: Settings) -> None:
    """An id that comes to light after the end: nothing moves, and it is shown."""
    late = job.submissions.get()
    Submission.objects.update(krea_job_id=None, lost_at=timezone.now())
    news = JobReport(krea_job_id="late", status="processing", raw="")
    assert ledger.adopt(late, news, by=ledger.POLL)


CHANGES: dict[str, tuple[Status, Callable[[VideoJob, Settings], object]]] = {
    "cancellation wished": (Status.PROCESSING, lambda job, _: job.cancel()),
    "resubmitted": (Status.FAILED, lambda job, _: job.resubmit()),
    "a host's own note": (Status.COMPLETED, _rename),
    "the price list": (
        Status.COMPLETED,
        _of_settings(PRICES={"768p": {6: "0.5", 10: "0.4"}}),
    ),
    "the hosts of results": (Status.COMPLETED, _of_settings(RESULT_HOSTS=["elsewhere.example"])),
    "an id that came late": (Status.CANCELLED, _late_id),
    "sending is paused": (
        Status.UNSENT,
        lambda *_: pacing.slow_sending(AccountProblem("Top up", status=402)),
    ),
    "no token": (Status.UNSENT, _of_settings(KREA_API_TOKEN="")),
    "a look that finds the address": (
        Status.COMPLETED,
        lambda job, _: VideoJob.objects.update(result_url="https://gen.krea.ai/b.mp4"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_what_is_shown_changes_its_tag(
    client: Visitor, ada: User, settings: Settings, name: str
) -> None:
    status, change = CHANGES[name]
    job = wanted(ada)
    if status == Status.PROCESSING:
        job = under_way(ada, status)
    elif status != Status.UNSENT:
        job = ended(ada, status, result_url="https://gen.krea.ai/videos/a.mp4")
    before = client.get(address(job))

    change(job, settings)

    after = ask(client, address(job), before["ETag"])
    assert after.status_code == 200
    assert after.json() != before.json()


def test_another_language_or_renderer_has_another_tag(client: Visitor, ada: User) -> None:
    path = address(draft(ada))
    tags = [
        ask(client, path, **headers)["ETag"]
        for headers in (
            {},
            {"Accept": "application/json; indent=4"},
            {"Accept": "text/html"},
        )
    ]
    assert len({*tags}) == 3
    german = draft(ada, resolution="512p")
    said = [ask(client, address(german), **{"Accept-Language": name}) for name in ("en", "de")]
    assert (said[0].content == said[1].content) == (said[0]["ETag"] == said[1]["ETag"])


def test_a_page_for_people_is_always_new(client: Visitor, ada: User) -> None:
    path = address(draft(ada))
    first = ask(client, path, Accept="text/html")
    assert ask(client, path, first["ETag"], Accept="text/html").status_code == 200


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox)
        yield sandbox


@pytest.mark.django_db(transaction=True)
def test_through_a_whole_life_the_tag_changes_when_the_bytes_do(
    client: Visitor, ada: User, krea: Sandbox
) -> None:
    job = wanted(ada)
    seen: list[tuple[str, bytes]] = []

    def look() -> None:
        answer = client.get(address(job))
        seen.append((answer["ETag"], answer.content))

    look()
    sweep()
    for status in ("queued", "processing", "processing", "sampling", "completed"):
        look()
        krea.move(krea.jobs[0].id, status)
        Submission.objects.update(due_at=timezone.now())
        look()
        sweep()
    look()
    assert b'"status":"completed"' in seen[-1][1]
    assert len({*seen}) == len({tag for tag, _ in seen}) == len({body for _, body in seen}) == 6


def test_a_clock_alone_changes_no_tag(
    client: Visitor, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = under_way(ada, Status.PROCESSING, expected_at=timezone.now() + timedelta(seconds=90))
    tag = client.get(address(job))["ETag"]
    later = timezone.now() + timedelta(seconds=40)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert ask(client, address(job), tag).status_code == 304
