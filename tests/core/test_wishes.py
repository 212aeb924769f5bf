"""Submit, resubmit, cancel, sync: they only write what somebody wants."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from pytest_django import Settings

from hailuo_django.exceptions import Conflict, TooSoon
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import LIVE, Status
from hailuo_django.worker.sweep import sweep

from .rows import ago, change, fresh, history, look_again, only, sent, submitted

pytestmark = pytest.mark.django_db


def test_submitting_writes_the_exact_request_its_price_and_who_asked() -> None:
    operator = get_user_model().objects.create_user("maria")
    job = VideoJob.objects.create(
        prompt="a lighthouse", start_image="https://example.com/a.png", resolution="512p"
    )

    submission = job.submit(actor=operator, source="operator")

    assert job.status == Status.UNSENT
    assert job.submitted_at is not None
    assert submission.number == 1
    assert submission.endpoint == "/generate/video/minimax/hailuo-02"
    assert submission.body == {
        "prompt": "a lighthouse",
        "start_image": "https://example.com/a.png",
        "expand_prompt": True,
        "resolution": "512p",
        "duration": 6,
    }
    assert (submission.price_usd, job.price_usd) == (Decimal("0.1050"), Decimal("0.1050"))
    assert job.spent_usd == 0
    event = job.events.get()
    assert (event.source, event.actor, event.detail) == ("operator", operator, "0.105 USD")


def test_no_request_leaves_the_process_while_submitting(krea: Sandbox) -> None:
    submitted()
    assert krea.requests == []


def test_a_job_is_submitted_once() -> None:
    job = VideoJob.objects.create(prompt="x")
    other_window = fresh(job)
    job.submit()

    with pytest.raises(Conflict, match="The job is unsent; only a draft can be submitted"):
        other_window.submit()
    assert job.submissions.count() == 1


def test_what_is_paid_for_is_what_the_caller_looked_at() -> None:
    job = VideoJob.objects.create(prompt="x")
    seen = fresh(job)
    job.resolution = "1080p"
    job.save()

    with pytest.raises(Conflict) as refused:
        seen.submit()
    assert refused.value.message == (
        "The job in the database differs from this one: save it, or read it again."
    )
    assert fresh(job).status == Status.DRAFT
    assert not Submission.objects.exists()


def test_a_new_job_with_the_id_of_another_takes_nothing_from_it() -> None:
    other = VideoJob.objects.create(prompt="a lighthouse")
    with pytest.raises(IntegrityError), transaction.atomic(using=VideoJob.database()):
        VideoJob(pk=other.pk, prompt="a harbour").submit()
    assert (fresh(other).prompt, fresh(other).status) == ("a lighthouse", Status.DRAFT)


def test_a_job_that_was_deleted_meanwhile_is_not_bought() -> None:
    job = VideoJob.objects.create(prompt="x")
    fresh(job).delete()
    with pytest.raises(Conflict, match="does not exist"):
        job.submit()


def test_the_site_may_still_change_its_mind_within_its_own_transaction() -> None:
    class ChangedMind(Exception):
        pass

    with pytest.raises(ChangedMind), transaction.atomic(using=VideoJob.database()):
        submitted()
        raise ChangedMind
    assert not VideoJob.objects.exists()


def failed_job() -> VideoJob:
    job = submitted()
    change(job, status=Status.FAILED, failure_code="upstream_error", due_at=None)
    VideoJob.objects.filter(pk=job.pk).update(status="failed", failure_code="upstream_error")
    return fresh(job)


def test_resubmitting_adds_a_submission_and_keeps_the_old_one() -> None:
    job = failed_job()

    newer = job.resubmit()

    assert (job.status, job.failure_code, newer.number) == (Status.UNSENT, "", 2)
    assert list(job.submissions.values_list("number", "status")) == [(1, "failed"), (2, "unsent")]
    assert history(job)[-1] == ("resubmit", "failed", "unsent")


def test_a_draft_that_was_one_by_force_is_not_bought_beside_what_runs() -> None:
    job = submitted()
    change(job, status=Status.PROCESSING, krea_job_id="one")
    VideoJob.objects.filter(pk=job.pk).update(status=Status.DRAFT)
    with pytest.raises(Conflict):
        fresh(job).submit()
    assert job.submissions.count() == 1


def test_what_is_replaced_unsent_makes_room_in_the_budget(settings: Settings) -> None:
    settings.HAILUO = {"BUDGET": {"day": "0.3"}}
    job = submitted()
    job.resubmit(force=True)
    assert list(job.submissions.values_list("status", flat=True)) == ["cancelled", "unsent"]


def test_what_was_given_up_and_runs_after_all_is_alive_for_every_wish() -> None:
    job = submitted()
    running = {"krea_job_id": "one", "krea_status": "upscaling", "due_at": ago(seconds=1)}
    change(job, status=Status.FAILED, failure_code="given_up", ended_at=ago(hours=1), **running)
    VideoJob.objects.filter(pk=job.pk).update(status="failed", failure_code="given_up")

    with pytest.raises(Conflict, match="may still become a video"):
        fresh(job).resubmit()
    with pytest.raises(ProtectedError):
        fresh(job).delete()
    with pytest.raises(ProtectedError):
        VideoJob.objects.filter(pk=job.pk).delete()
    fresh(job).cancel()
    assert only(job).is_to_cancel

    newer = fresh(job).resubmit(force=True)
    assert "may be alive" in newer.events.get().detail


def test_two_windows_resubmit_once() -> None:
    job = failed_job()
    other_window = fresh(job)
    job.resubmit()

    with pytest.raises(Conflict, match="The job is unsent"):
        other_window.resubmit()
    assert job.submissions.count() == 2


@pytest.mark.parametrize("status", sorted(LIVE))
def test_resubmitting_refuses_while_a_submission_may_be_alive(status: str) -> None:
    job = submitted()
    change(job, status=status)
    VideoJob.objects.filter(pk=job.pk).update(status=status)

    with pytest.raises(Conflict, match="only a failed or cancelled job"):
        fresh(job).resubmit()


def test_resubmitting_refuses_while_an_older_submission_may_be_alive() -> None:
    job = submitted()
    change(job, status=Status.PROCESSING, krea_job_id="older")
    job.resubmit(force=True)
    newest = Submission.objects.filter(job=job, number=2)
    newest.update(status=Status.FAILED)
    VideoJob.objects.filter(pk=job.pk).update(status=Status.FAILED)

    with pytest.raises(Conflict):
        fresh(job).resubmit()


@pytest.mark.parametrize("force", [False, True])
def test_drafts_and_completed_jobs_are_not_resubmitted(force: bool) -> None:
    draft = VideoJob.objects.create(prompt="x")
    with pytest.raises(Conflict, match="The job is draft"):
        draft.resubmit(force=force)
    done = submitted()
    VideoJob.objects.filter(pk=done.pk).update(status=Status.COMPLETED)
    with pytest.raises(Conflict, match="The job is completed"):
        fresh(done).resubmit(force=force)


def test_forcing_withdraws_what_was_not_sent_yet() -> None:
    job = submitted()
    job.resubmit(force=True)

    assert list(job.submissions.values_list("number", "status")) == [
        (1, "cancelled"),
        (2, "unsent"),
    ]
    assert fresh(job).status == Status.UNSENT


def test_cancelling_before_sending_costs_nothing(krea: Sandbox) -> None:
    job = submitted()
    job.cancel()

    assert job.status == Status.CANCELLED
    assert history(job)[-1] == ("withdraw", "unsent", "cancelled")
    assert look_again(job).status == Status.CANCELLED
    assert krea.posts == []


def test_cancelling_a_running_job_is_a_wish_until_krea_agrees(krea: Sandbox) -> None:
    job = sent()
    job.cancel()
    assert job.status == Status.BACKLOGGED
    assert only(job).cancel_requested_at is not None

    assert look_again(job).status == Status.CANCELLED
    assert ("DELETE", f"/jobs/{only(job).krea_job_id}", 200) in krea.requests
    assert krea.paid == []


def test_cancelling_twice_is_one_wish(krea: Sandbox) -> None:
    job = sent()
    job.cancel()
    job.cancel()
    assert [action for action, *_ in history(job)].count("request_cancel") == 1


def test_cancelling_covers_every_live_submission(krea: Sandbox) -> None:
    job = sent()
    job.resubmit(force=True)
    job.cancel()

    older, newer = job.submissions.order_by("number")
    assert older.cancel_requested_at is not None
    assert newer.status == Status.CANCELLED


@pytest.mark.parametrize("status", ["draft", "completed", "failed", "cancelled"])
def test_where_nothing_runs_there_is_nothing_to_cancel(status: str) -> None:
    [job] = VideoJob.objects.bulk_create([VideoJob(prompt="x", status=status)])
    with pytest.raises(Conflict, match=f"The job is {status}; there is nothing to cancel"):
        job.cancel()
    assert not JobEvent.objects.exists()


def test_syncing_makes_the_next_look_due_now(krea: Sandbox) -> None:
    job = sent()
    krea.move(str(only(job).krea_job_id), "processing", deliver=False)

    job.sync()

    assert look_again(job).status == Status.PROCESSING


def test_syncing_asks_for_nothing_where_the_video_is_there(krea: Sandbox) -> None:
    job = sent()
    krea.move(str(only(job).krea_job_id), "completed")
    look_again(job)
    asked = len(krea.requests)

    job.sync()
    sweep()

    assert len(krea.requests) == asked


def test_syncing_asks_for_the_address_that_a_twin_still_lacks(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    job.resubmit(force=True)
    sweep()
    for made in krea.jobs:
        krea.move(made.id, "completed")
    krea.jobs[1].result = {"urls": [f"{krea.url}/videos/twin.mp4"]}
    assert look_again(job).video_url
    change(job, due_at=None)

    job.sync()

    lacking, whole = job.submissions.order_by("number")
    assert (lacking.result_url, lacking.due_at is not None) == ("", True)
    assert whole.due_at is None


def test_syncing_a_draft_is_refused() -> None:
    with pytest.raises(Conflict, match="nothing to look for"):
        VideoJob.objects.create(prompt="x").sync()


def test_who_looks_again_too_soon_hears_when_it_is_time() -> None:
    job = submitted()
    job.sync(cooldown_seconds=30)
    VideoJob.objects.update(sync_asked_at=ago(seconds=20))
    with pytest.raises(TooSoon) as caught:
        job.sync(cooldown_seconds=30)
    assert 9 < caught.value.wait_seconds <= 10
