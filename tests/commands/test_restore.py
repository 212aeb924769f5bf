"""What ``docs/restore.md`` says: a restored backup sends nothing a second time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from hailuo_django import pacing
from hailuo_django.models import JobEvent, KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.testing import make_submitted_job, sandbox, work
from hailuo_django.tokens import Addressee, make_token
from hailuo_django.worker.sweep import sweep

from .doctor import finding, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def krea() -> Iterator[Sandbox]:
    with sandbox(manual=True, hailuo={"UNCONFIRMED_GRACE_SECONDS": 0}) as krea:
        yield krea


def backup() -> Callable[[], None]:
    """Keep the rows as they are; what is returned puts them back."""
    rows = [(model, list(model.objects.values())) for model in (VideoJob, Submission)]
    events = set(JobEvent.objects.values_list("pk", flat=True))

    def restore() -> None:
        for model, kept in rows:
            for row in kept:
                model.objects.filter(pk=row["id"]).update(**row)
        JobEvent.objects.exclude(pk__in=events).delete()
        KreaAccount.objects.all().delete()

    return restore


def status(job: VideoJob) -> str:
    return VideoJob.objects.get(pk=job.pk).status


@pytest.fixture
def restored(krea: Sandbox) -> VideoJob:
    """A job that was sent after the backup was made which has been restored."""
    job = make_submitted_job()
    restore = backup()
    sweep()
    assert len(krea.posts) == 1
    restore()
    assert status(job) == Status.UNSENT
    return job


def test_it_is_held_compared_adopted_and_resumed(krea: Sandbox, restored: VideoJob) -> None:
    assert "Nothing is sent until" in said("pause")[0]
    work()
    assert len(krea.posts) == 1, "and looks go on"

    [upstream] = krea.jobs
    text, _ = said("orphans")
    assert f"  {upstream.id}  " in text
    assert "Submissions not sent yet, as far as this database knows: 1. After a restore" in text
    assert f"  {restored.pk} #1  unsent  20" in text

    said("adopt", str(restored.pk), upstream.id, "--yes")
    work()
    assert status(restored) == Status.BACKLOGGED
    assert "lifted" in said("resume", "--yes")[0]
    work()
    assert len(krea.posts) == 1
    krea.move(upstream.id, "completed")
    work()
    assert status(restored) == Status.COMPLETED


def test_a_late_webhook_names_the_job_by_itself(
    krea: Sandbox, restored: VideoJob, client: Client
) -> None:
    said("pause")
    [upstream] = krea.jobs
    krea.move(upstream.id, "completed")
    token = make_token(Addressee(restored.pk, 1))
    address = reverse("hailuo_django:webhook", args=[token])
    told = client.post(address, upstream.as_json(), content_type="application/json")
    assert told.status_code == 202
    work()
    assert (status(restored), len(krea.posts)) == (Status.COMPLETED, 1)


def test_what_is_younger_than_every_unknown_job_is_none_of_them(
    krea: Sandbox, restored: VideoJob
) -> None:
    krea.jobs[0].created_at -= timedelta(hours=1)
    text, _ = said("orphans")
    assert f"  {krea.jobs[0].id}  " in text
    assert str(restored.pk) not in text


def test_while_it_is_held_a_younger_one_may_have_been_written_anew_and_is_adopted(
    krea: Sandbox, restored: VideoJob
) -> None:
    """As by a batch that was confirmed before the backup and goes on after the restore."""
    said("pause")
    krea.jobs[0].created_at -= timedelta(hours=3)
    text, _ = said("orphans")
    assert str(restored.pk) in text
    said("adopt", str(restored.pk), krea.jobs[0].id, "--yes")
    work()
    krea.move(krea.jobs[0].id, "completed")
    work()
    assert (status(restored), len(krea.posts)) == (Status.COMPLETED, 1)


def test_an_id_that_krea_does_not_know_is_forgotten_and_nothing_else(
    krea: Sandbox, restored: VideoJob
) -> None:
    said("pause")
    said("adopt", str(restored.pk), "not-this-one", "--yes")
    Submission.objects.update(not_found_since="2026-01-01T00:00Z")
    work()
    assert Submission.objects.get().candidate_id == ""
    assert (status(restored), len(krea.posts)) == (Status.UNSENT, 1)


def test_who_holds_it_is_said(krea: Sandbox) -> None:
    ada = get_user_model()._default_manager.create(username="ada")
    said("pause", "--actor", str(ada.get_username()))
    assert finding("account")["code"] == "account.held"
    assert ", by ada: nothing is sent." in finding("account")["found"]
    assert "This account is held already." in said("pause")[0]
    assert KreaAccount.objects.get().held_by == "ada"
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("hailuo_doctor", "pause", "--actor", "nobody")


def test_without_a_token_there_is_nothing_to_hold(settings: Settings) -> None:
    settings.HAILUO = {}
    with pytest.raises(CommandError, match=r'HAILUO\["KREA_API_TOKEN"\] is empty'):
        call_command("hailuo_doctor", "pause")
    assert not KreaAccount.objects.exists()


def test_another_token_is_another_account(krea: Sandbox, settings: Settings) -> None:
    said("pause")
    settings.HAILUO = {**settings.HAILUO, "KREA_API_TOKEN": "another"}
    assert pacing.take_turn() is not None
