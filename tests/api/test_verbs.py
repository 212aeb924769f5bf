"""submit/, resubmit/, cancel/, sync/: what somebody wants is written, and the job shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import Model
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import LIVE, Status

from .people import VERBS, Visitor, address, draft, ended, wanted

pytestmark = pytest.mark.django_db

ALLOWED: dict[str, list[Status]] = {
    "submit": [Status.DRAFT],
    "resubmit": [Status.FAILED, Status.CANCELLED],
    "cancel": [status for status in Status if status in LIVE],
    "sync": [status for status in Status if status != Status.DRAFT],
}
"""The states in which each verb can be had."""


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("submit", Status.DRAFT, "unsent"),
        ("resubmit", Status.FAILED, "unsent"),
        ("cancel", Status.UNSENT, "cancelled"),
        ("sync", Status.UNSENT, "unsent"),
    ],
)
def test_a_wish_is_accepted_and_the_job_shown_as_it_is_then(
    client: Visitor, ada: User, verb: str, before: Status, after: str
) -> None:
    job = _job(ada, before)

    answer = client.post(address(job, verb))

    assert answer.status_code == 202
    assert answer["Location"] == f"http://testserver{address(job)}"
    assert answer.get("Retry-After") == (None if after == "cancelled" else "10")
    assert answer.json()["status"] == after
    assert answer.json() == client.get(address(job)).json()


@pytest.mark.parametrize(
    ("verb", "status"),
    [
        ("submit", Status.UNSENT),
        ("submit", Status.COMPLETED),
        ("resubmit", Status.DRAFT),
        ("resubmit", Status.UNSENT),
        ("resubmit", Status.COMPLETED),
        ("cancel", Status.DRAFT),
        ("cancel", Status.FAILED),
        ("sync", Status.DRAFT),
    ],
)
def test_a_wish_that_does_not_fit_the_state_is_a_conflict(
    client: Visitor, ada: User, verb: str, status: Status
) -> None:
    job = _job(ada, status)
    history = list(job.events.values())

    answer = client.post(address(job, verb))

    assert answer.status_code == 409
    told = answer.json()
    assert (told["code"], told["status"]) == ("conflict", status)
    assert told["allowed_statuses"] == ALLOWED[verb]
    assert f"The job is {status.label}" in told["detail"]
    assert list(job.events.values()) == history


def test_the_history_says_that_the_api_asked_and_who(client: Visitor, ada: User) -> None:
    job = draft(ada)
    for verb in ("submit", "cancel", "resubmit"):
        client.post(address(job, verb))
    events = list(job.events.values_list("action", "source", "actor__username"))
    assert events == [
        ("submit", "api", "ada"),
        ("withdraw", "api", "ada"),
        ("resubmit", "api", "ada"),
    ]


def test_a_failed_job_whose_other_submission_may_live_is_a_conflict_of_its_own(
    client: Visitor, ada: User
) -> None:
    job = ended(ada, Status.FAILED)
    job.resubmit()
    VideoJob.objects.update(status=Status.FAILED)

    answer = client.post(address(job, "resubmit"))

    assert answer.status_code == 409
    told = answer.json()
    assert (told["code"], told["status"]) == ("submission_alive", "failed")
    assert "may still become a video: both would be billed." in told["detail"]


def test_sync_makes_the_job_due_now(client: Visitor, ada: User) -> None:
    job = wanted(ada)
    later = timezone.now() + timedelta(hours=1)
    Submission.objects.update(status=Status.PROCESSING, krea_job_id="abc", due_at=later)

    client.post(address(job, "sync"))

    assert Submission.objects.due(timezone.now()).exists()


def test_one_job_is_looked_at_only_so_often(client: Visitor, ada: User, settings: Settings) -> None:
    job, other = wanted(ada), wanted(ada)
    assert client.post(address(job, "sync")).status_code == 202

    answer = client.post(address(job, "sync"))

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 30
    assert answer.json()["code"] == "too_soon"
    assert answer.json()["detail"].startswith("Somebody asked a moment ago to look at this job.")
    assert client.post(address(other, "sync")).status_code == 202
    # People with another door, and a site that wants it otherwise, need not wait.
    job.sync()
    settings.HAILUO = {**settings.HAILUO, "API_SYNC_COOLDOWN_SECONDS": 0}
    assert client.post(address(job, "sync")).status_code == 202


@pytest.mark.parametrize("asked", [timedelta(seconds=-31), timedelta(seconds=31)])
def test_who_asked_long_ago_or_by_a_clock_set_back_since_asks_again(
    client: Visitor, ada: User, asked: timedelta
) -> None:
    job = wanted(ada)
    VideoJob.objects.update(sync_asked_at=timezone.now() + asked)
    assert client.post(address(job, "sync")).status_code == 202


def test_a_cancellation_that_krea_has_to_confirm_shows_as_wished(
    client: Visitor, ada: User
) -> None:
    job = wanted(ada)
    VideoJob.objects.update(status=Status.PROCESSING)
    Submission.objects.update(status=Status.PROCESSING, krea_job_id="abc")

    shown = client.post(address(job, "cancel")).json()

    assert shown["status"] == "processing"
    assert shown["submissions"][0]["cancel_requested_at"] is not None


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_to_be_changed_is_read_where_it_is_written(
    client: Visitor, ada: User, settings: Settings, verb: str
) -> None:
    job = _job(ada, {"submit": Status.DRAFT, "resubmit": Status.FAILED}.get(verb, Status.UNSENT))

    with reading_from_a_replica(settings):
        for answer in (client.post(address(job, verb)), client.create(prompt="x")):
            assert answer.status_code == 202
            assert answer.json()["submissions"]
        with pytest.raises(AssertionError, match="connections to 'replica' are not allowed"):
            client.get(address(job))


@contextmanager
def reading_from_a_replica(settings: Settings) -> Iterator[None]:
    """The site reads our rows from another database; Django keeps tests from connecting to it."""
    connections.settings["replica"] = connections.settings[VideoJob.database()]
    settings.DATABASE_ROUTERS = [ReadsReplica(), *settings.DATABASE_ROUTERS]
    yield
    del connections["replica"], connections.settings["replica"]


class ReadsReplica:
    """A router as sites with a replica have it."""

    def db_for_read(self, model: type[Model], **hints: object) -> str | None:
        return "replica" if model._meta.app_label == "hailuo_django" else None


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_no_link(client: Visitor, ada: User, verb: str) -> None:
    job = wanted(ada)
    answer = client.get(address(job, verb))
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]


def _job(owner: User, status: Status) -> VideoJob:
    if status == Status.DRAFT:
        return draft(owner)
    return wanted(owner) if status == Status.UNSENT else ended(owner, status)
