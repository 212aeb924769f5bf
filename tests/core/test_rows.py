"""What the rows refuse: wrong values, foreign writers, and being deleted while alive."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.exceptions import Conflict
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import Status

from .rows import change, fresh, only, submitted

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "wrong",
    [
        {"resolution": "720p"},
        {"duration": 5},
        {"duration": 11},
        {"status": "done"},
        {"failure_code": "bad luck"},
    ],
)
def test_the_database_refuses_a_job_that_makes_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(using=VideoJob.database()):
        VideoJob.objects.bulk_create([VideoJob(**{"prompt": "x", **wrong})])


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "draft"},
        {"status": "lost"},
        {"number": 1},
        {"krea_job_id": "known"},
        {"price_usd": Decimal(-1)},
        {"failure_code": "bad luck"},
    ],
)
def test_the_database_refuses_a_submission_that_makes_no_sense(wrong: dict[str, Any]) -> None:
    job = submitted()
    change(job, krea_job_id="known")
    fields = {"job": job, "number": 2, "body": {}, "price_usd": Decimal(1)}
    with pytest.raises(IntegrityError), transaction.atomic(using=VideoJob.database()):
        Submission.objects.create(**{**fields, **wrong})


def test_the_database_refuses_an_event_from_nowhere() -> None:
    job = submitted()
    with pytest.raises(IntegrityError), transaction.atomic(using=VideoJob.database()):
        JobEvent.objects.create(job=job, source="gossip", action="note")


def test_submissions_without_a_krea_id_do_not_collide() -> None:
    assert only(submitted()).krea_job_id is only(submitted()).krea_job_id is None


@pytest.mark.parametrize("duration", [6.5, "6.50", Decimal("6.5"), float("nan")])
def test_a_fraction_of_a_second_is_refused_and_never_rounded(duration: Any) -> None:
    job = VideoJob(prompt="x", duration=duration)

    with pytest.raises(ValidationError, match="whole number of seconds"):
        job.submit()
    with (
        pytest.raises(ValidationError, match="whole number of seconds"),
        transaction.atomic(using=VideoJob.database()),
    ):
        job.save()
    assert not VideoJob.objects.exists()


def test_whole_seconds_may_be_written_as_a_float() -> None:
    job = VideoJob(prompt="x", duration=10.0)  # type: ignore[misc]
    job.submit()
    assert only(job).body["duration"] == 10


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", " \n"),
        ("prompt", "a\x00b"),
        ("prompt", "a\ud800b"),
        ("prompt", None),
        ("reference", "a\x00b"),
        ("reference", None),
        ("start_image", None),
        ("start_image", "ftp://example.com/a.png"),
        ("start_image", "javascript:alert(1)"),
        ("end_image", "/local.png"),
        ("end_image", "https://example.com/" + "a" * 2048),
        ("resolution", "4k"),
        ("duration", 5),
        ("duration", "six"),
        ("duration", None),
    ],
)
def test_a_wrong_request_is_named_and_nothing_is_bought(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        VideoJob(**{"prompt": "x", field: value}).submit()

    assert list(caught.value.message_dict) == [field]
    assert not VideoJob.objects.exists()


def test_a_wrong_prompt_is_named_once() -> None:
    with pytest.raises(ValidationError) as caught:
        VideoJob(prompt="").full_clean()

    assert len(caught.value.message_dict["prompt"]) == 1


def test_a_site_saves_its_own_fields_without_touching_the_state() -> None:
    job = submitted()
    stale = fresh(job)
    VideoJob.objects.filter(pk=job.pk).update(status=Status.PROCESSING)

    stale.reference = "order 7"
    stale.save()

    assert (fresh(job).reference, fresh(job).status) == ("order 7", Status.PROCESSING)


def test_the_state_cannot_be_saved_from_outside() -> None:
    job = submitted()
    with pytest.raises(ValueError, match="Only the ledger writes status"):
        job.save(update_fields=["status"])


def test_a_new_job_is_a_draft_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="only the ledger writes status, result_url"):
        VideoJob.objects.create(prompt="x", status="completed", result_url="https://e.com/v.mp4")
    assert not VideoJob.objects.exists()


def test_a_copy_of_a_draft_is_a_draft_of_its_own() -> None:
    job = VideoJob.objects.create(prompt="x")
    job.pk = None
    job._state.adding = True
    job.id = uuid.uuid4()
    job.save()
    assert VideoJob.objects.filter(status=Status.DRAFT).count() == 2


def test_a_draft_can_be_changed() -> None:
    job = VideoJob.objects.create(prompt="a lighthouse")
    job.prompt = "a windmill"
    job.save()
    assert fresh(job).prompt == "a windmill"


def test_the_request_of_a_submitted_job_can_no_longer_change() -> None:
    job = VideoJob.objects.create(prompt="a lighthouse")
    before = fresh(job)
    job.submit()

    before.prompt = "a windmill"
    with pytest.raises(Conflict, match="can no longer change: prompt"):
        before.save()
    assert fresh(job).prompt == "a lighthouse"


def test_drafts_and_settled_jobs_can_be_deleted() -> None:
    VideoJob.objects.create(prompt="x").delete()
    settled = submitted()
    settled.cancel()
    settled.delete()
    assert not VideoJob.objects.exists()
    assert not Submission.objects.exists()
    assert not JobEvent.objects.exists()


@pytest.mark.parametrize("status", ["unsent", "submitting", "unconfirmed", "processing"])
def test_a_live_submission_protects_its_job_from_every_deletion(status: str) -> None:
    job = submitted()
    change(job, status=status)

    with pytest.raises(ProtectedError):
        fresh(job).delete()
    with pytest.raises(ProtectedError):
        VideoJob.objects.all().delete()
    assert VideoJob.objects.filter(pk=job.pk).exists()


@pytest.mark.parametrize("status", ["unsent", "submitting", "unconfirmed", "processing"])
def test_a_live_submission_cannot_be_deleted_by_itself(status: str) -> None:
    job = submitted()
    change(job, status=status)

    with pytest.raises(ProtectedError):
        only(job).delete()
    with pytest.raises(ProtectedError):
        job.submissions.all().delete()
    assert only(job).status == status


@pytest.mark.parametrize("delete", ["row", "rows"])
def test_a_submission_is_judged_as_it_is_and_not_as_it_was_read(delete: str) -> None:
    """A clean-up had read it as given up; its webhook has named its job since."""
    job = submitted()
    change(job, status=Status.FAILED, due_at=None)
    read = only(job)
    change(job, krea_job_id="named", due_at=timezone.now())
    with pytest.raises(ProtectedError):
        read.delete() if delete == "row" else Submission.objects.filter(pk=read.pk).delete()
    assert job.events.exists()
    assert only(job).krea_job_id == "named"


def test_a_settled_submission_can_be_deleted() -> None:
    job, other = submitted(), submitted()
    change(job, status="failed")
    change(other, status="failed")
    only(job).delete()
    other.submissions.all().delete()
    assert not Submission.objects.exists()


def test_a_job_outlives_its_owner_and_its_actors() -> None:
    user = get_user_model().objects.create_user("maria")
    job = VideoJob(prompt="x", owner=user)
    job.submit(actor=user)

    user.delete()

    assert fresh(job).owner is None
    assert job.events.get().actor is None


def test_rows_have_readable_names() -> None:
    job = submitted(prompt="a lighthouse")
    assert str(job) == "a lighthouse (768p, 6 s)"
    assert str(only(job)) == "#1 (unsent)"
    assert str(job.events.get()) == "submit: draft > unsent"


@pytest.mark.proves("W9")
def test_a_video_is_linked_only_on_the_hosts_that_the_site_named() -> None:
    job = VideoJob(prompt="x", status=Status.COMPLETED, result_url="https://gen.krea.ai/v/1.mp4")
    assert job.video_url == "https://gen.krea.ai/v/1.mp4"
    assert not job.is_flagged

    for elsewhere in (
        "https://evil.example/v/1.mp4",
        "http://gen.krea.ai/v/1.mp4",
        "https://gen.krea.ai:8443/v/1.mp4",
        "https://gen.krea.ai@evil.example/v/1.mp4",
        "https://gen.krea.ai\\@evil.example/v/1.mp4",
        'https://gen.krea.ai/v"><script>alert(1)</script>.mp4',
        "https://gen.krea.ai/v/1.mp4' onerror='alert(1)",
        "javascript:alert(1)",
        "https://gen.krea.ai:99999/v/1.mp4",
        "https://gen.krea.ai/" + "v" * 2048,
    ):
        job.result_url = elsewhere
        assert job.video_url == ""
        assert job.is_flagged


def test_nobody_owns_the_jobs_without_an_owner() -> None:
    VideoJob.objects.create(prompt="x")
    assert not VideoJob.objects.all().owned_by(AnonymousUser()).exists()


def test_another_scheme_gets_a_sentence_that_says_what_would_be_right() -> None:
    with pytest.raises(ValidationError, match="Enter an http or https address"):
        VideoJob(prompt="x", start_image="ftp://example.com/a.png").clean_request()


def test_on_this_machine_a_video_may_be_linked_without_tls(settings: Settings) -> None:
    settings.HAILUO = {"RESULT_HOSTS": ["localhost", "127.0.0.1", "videos.example"]}
    job = VideoJob(prompt="x", status=Status.COMPLETED)
    for address, linked in {
        "http://localhost:8765/v.mp4": True,
        "http://127.0.0.1:8765/v.mp4": True,
        "http://videos.example/v.mp4": False,
        "https://videos.example/v.mp4": True,
    }.items():
        job.result_url = address
        assert bool(job.video_url) is linked
