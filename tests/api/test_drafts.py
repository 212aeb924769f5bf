"""PUT, PATCH and DELETE: a draft is its owner's, and what was asked for stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from hailuo_django import ledger
from hailuo_django.api import jobs as views
from hailuo_django.models import VideoJob
from hailuo_django.states import Status

from .people import Visitor, address, complaints, draft, ended, person, wanted

pytestmark = pytest.mark.django_db


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[VideoJob], None]) -> None:
    """Let something happen after the view has read a job, and before it does anything."""
    found = views.VideoJobViewSet.get_object

    def and_then(view: Any) -> VideoJob:
        seen = found(view)
        happens(seen)
        return seen

    monkeypatch.setattr(views.VideoJobViewSet, "get_object", and_then)


def test_a_draft_is_changed_field_by_field(client: Visitor, ada: User) -> None:
    job = draft(ada, reference="order 7", start_image="https://example.com/a.png")

    answer = client.patch(address(job), {"duration": 10, "reference": "order 8"})

    assert answer.status_code == 200
    assert answer["Location"] == f"http://testserver{address(job)}"
    shown = answer.json()
    assert shown == client.get(address(job)).json()
    assert (shown["prompt"], shown["duration"], shown["reference"]) == (
        "a lighthouse",
        10,
        "order 8",
    )
    assert (shown["start_image"], shown["price_usd"]) == ("https://example.com/a.png", "0.4725")
    assert VideoJob.objects.get().updated_at > job.updated_at


def test_a_draft_is_written_anew(client: Visitor, ada: User) -> None:
    job = draft(ada, reference="order 7", resolution="1080p", start_image="https://example.com/a")

    shown = client.put(address(job), {"prompt": "a storm"}).json()

    assert (shown["id"], shown["status"], shown["prompt"]) == (str(job.pk), "draft", "a storm")
    assert (shown["resolution"], shown["start_image"], shown["reference"]) == ("768p", "", "")


def test_a_draft_is_thrown_away(client: Visitor, ada: User) -> None:
    job = draft(ada)
    answer = client.delete(address(job))
    assert (answer.status_code, answer.content) == (204, b"")
    assert not VideoJob.objects.exists()
    assert client.delete(address(job)).status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("status", [Status.UNSENT, Status.FAILED, Status.COMPLETED])
def test_what_was_asked_for_is_neither_changed_nor_deleted(
    client: Visitor, ada: User, method: str, status: Status
) -> None:
    job = wanted(ada) if status == Status.UNSENT else ended(ada, status)

    answer = getattr(client, method)(address(job), {"prompt": "another", "reference": "mine"})

    assert answer.status_code == 409
    told = answer.json()
    assert (told["code"], told["status"], told["allowed_statuses"]) == (
        "conflict",
        status,
        ["draft"],
    )
    assert f"The job is {status.label}; only a draft can be" in told["detail"]
    row = VideoJob.objects.get()
    assert (row.prompt, row.reference) == ("a lighthouse", "")


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_who_submits_it_meanwhile_has_it_as_it_was(
    client: Visitor, ada: User, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = draft(ada)

    def and_then_it_is_submitted(seen: VideoJob) -> None:
        VideoJob.objects.get(pk=seen.pk).submit()

    meanwhile(monkeypatch, and_then_it_is_submitted)

    assert getattr(client, method)(address(job), {"prompt": "another"}).status_code == 409
    assert VideoJob.objects.get().submissions.get().body["prompt"] == "a lighthouse"


def test_who_submits_a_draft_that_was_changed_meanwhile_looks_again(
    client: Visitor, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = draft(ada)

    def and_then_it_is_changed(seen: VideoJob) -> None:
        VideoJob.objects.update(prompt="another, and a dearer one", duration=10)

    meanwhile(monkeypatch, and_then_it_is_changed)

    answer = client.post(address(job, "submit"))

    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert "status" not in answer.json()
    assert VideoJob.objects.get().status == Status.DRAFT


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_draft_that_was_changed_meanwhile_is_not_overwritten(
    client: Visitor, ada: User, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = draft(ada)

    def and_then_it_is_changed(seen: VideoJob) -> None:
        VideoJob.objects.update(prompt="another", updated_at=timezone.now())

    meanwhile(monkeypatch, and_then_it_is_changed)

    answer = getattr(client, method)(address(job), {"prompt": "a third"})

    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert VideoJob.objects.get().prompt == "another"


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_draft_of_the_same_moment_stays_as_it_is(client: Visitor, ada: User, method: str) -> None:
    job, another = draft(ada), draft(ada)
    VideoJob.objects.update(updated_at=timezone.now())
    assert getattr(client, method)(address(job), {"prompt": "mine"}).status_code in (200, 204)
    assert VideoJob.objects.get(pk=another.pk).prompt == "a lighthouse"


@pytest.mark.parametrize("method", ["patch", "delete", "post"])
def test_who_deletes_it_meanwhile_leaves_nothing(
    client: Visitor, ada: User, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = draft(ada)

    def and_then_it_is_gone(seen: VideoJob) -> None:
        VideoJob.objects.all().delete()

    meanwhile(monkeypatch, and_then_it_is_gone)

    path = address(job, "submit" if method == "post" else "detail")
    answer = getattr(client, method)(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_who_changes_a_draft_that_is_thrown_away_the_moment_after_sees_none(
    client: Visitor, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = draft(ada)
    change = ledger.change_draft

    def and_then_it_is_gone(*args: Any) -> None:
        change(*args)
        VideoJob.objects.all().delete()

    monkeypatch.setattr(ledger, "change_draft", and_then_it_is_gone)
    assert client.patch(address(job), {"duration": 7}).status_code == 404


@pytest.mark.parametrize(
    ("body", "name", "code"),
    [
        ({"prompt": " "}, "prompt", "blank"),
        ({"prompt": None}, "prompt", "null"),
        ({"duration": 6.5}, "duration", "invalid"),
        ({"submit": True}, "submit", "unknown_field"),
        ({"status": "completed"}, "status", "unknown_field"),
        ({"endImage": "https://example.com/b.png"}, "endImage", "retired_field"),
    ],
)
def test_a_wrong_change_is_named_and_changes_nothing(
    client: Visitor, ada: User, body: dict[str, Any], name: str, code: str
) -> None:
    job = draft(ada)
    [(wrong, [(said, _)])] = complaints(client.patch(address(job), body)).items()
    assert (wrong, said) == (name, code)
    assert VideoJob.objects.values().get(pk=job.pk)["updated_at"] == job.updated_at


def test_a_draft_without_a_prompt_is_written_by_nobody(client: Visitor, ada: User) -> None:
    [(name, [(code, _)])] = complaints(client.put(address(draft(ada)), {"duration": 7})).items()
    assert (name, code) == ("prompt", "required")


def test_first_403_then_the_right_is_granted(db: None) -> None:
    owner = person("owner", "add", "submit", "cancel")
    job = draft(owner)
    for method in ("put", "patch", "delete"):
        assert getattr(Visitor(owner), method)(address(job), {"prompt": "x"}).status_code == 403

    boss = Visitor(person("boss", "change", "delete", is_staff=True))
    assert boss.patch(address(job), {"prompt": "by the boss"}).status_code == 200
    assert VideoJob.objects.get().owner == owner
    assert boss.delete(address(job)).status_code == 204
