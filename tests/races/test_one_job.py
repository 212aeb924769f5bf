"""Whoever wants the same of one job at the same time: one of them does it, and nobody fails."""

from __future__ import annotations

from functools import partial

import pytest
from django.utils import timezone

from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.webhooks.rows import look, running

from .crowd import SIZE, Crowd, succeeded
from .stories import deliver, happened, names

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def the_same(job: VideoJob) -> list[VideoJob]:
    """The job as each of a crowd read it."""
    return [VideoJob.objects.get(pk=job.pk) for _ in range(SIZE)]


@pytest.mark.proves("R1", "R5", "W6")
def test_deliveries_at_the_same_time_are_one_change_and_one_announcement(
    krea: Sandbox, crowd: Crowd, announced: list[JobEvent]
) -> None:
    for number in range(effort.RACES):
        pair = running(krea, f"video {number}")
        body = pair.news("completed")
        announced.clear()

        answers = crowd.at_once(*[partial(deliver, pair.path, body)] * SIZE)

        assert answers == [200] * SIZE
        assert happened(pair.job)["report", "completed"] == 1
        assert pair.submission.webhook_count == SIZE
        assert names(announced) == ["job_completed"]


@pytest.mark.proves("R1", "R2")
def test_different_words_at_the_same_time_never_lose_the_video(krea: Sandbox, crowd: Crowd) -> None:
    words = ["processing", "completed", "sampling", "failed", "cancelled", "queued"]
    for number in range(effort.RACES):
        pair = running(krea, f"video {number}")
        krea.move(pair.upstream.id, "completed", deliver=False)

        bodies = [pair.news(word) for word in words]
        answers = crowd.at_once(*[partial(deliver, pair.path, body) for body in bodies])

        assert set(answers) <= {200, 202}
        look()
        assert pair.row.status == Status.COMPLETED
        assert happened(pair.job)["report", "completed"] == 1


@pytest.mark.proves("M1")
def test_a_draft_submitted_by_many_is_submitted_once(krea: Sandbox, crowd: Crowd) -> None:
    job = VideoJob(prompt="a lighthouse at dusk")
    job.save()

    outcomes = crowd.at_once(*[each.submit for each in the_same(job)])

    assert len(succeeded(outcomes)) == 1
    assert Submission.objects.get(job=job).number == 1
    sweep()
    assert len(krea.posts) == 1


@pytest.mark.proves("M1")
def test_a_job_resubmitted_by_many_is_resubmitted_once(krea: Sandbox, crowd: Crowd) -> None:
    pair = running(krea)
    krea.move(pair.upstream.id, "failed", deliver=False)
    look()

    outcomes = crowd.at_once(*[each.resubmit for each in the_same(pair.job)])

    assert len(succeeded(outcomes)) == 1
    assert [row.number for row in Submission.objects.filter(job=pair.job)] == [1, 2]
    sweep()
    assert len(krea.posts) == 2


def test_a_cancellation_and_a_claim_leave_nothing_running(krea: Sandbox, crowd: Crowd) -> None:
    for number in range(effort.RACES):
        job = VideoJob(prompt=f"video {number}")
        job.submit()
        before = len(krea.posts)

        outcomes = crowd.at_once(VideoJob.objects.get(pk=job.pk).cancel, sweep)

        assert len(succeeded(outcomes)) == 2
        look()
        look()
        assert VideoJob.objects.get(pk=job.pk).status == Status.CANCELLED
        sent = krea.posts[before:]
        assert len(sent) <= 1
        upstream = {one.id: one.status for one in krea.jobs}
        assert [upstream[str(one.job_id)] for one in sent] == ["cancelled"] * len(sent)


@pytest.mark.proves("R1", "R5")
def test_a_webhook_a_poll_and_a_cancellation_make_one_end(
    krea: Sandbox, crowd: Crowd, announced: list[JobEvent]
) -> None:
    for number in range(effort.RACES):
        pair = running(krea, f"video {number}")
        krea.move(pair.upstream.id, "completed", deliver=False)
        Submission.objects.filter(job=pair.job).update(due_at=timezone.now())
        body = pair.news("completed")
        announced.clear()

        webhook = partial(deliver, pair.path, body)
        answers = crowd.at_once(webhook, webhook, sweep, sweep, pair.row.cancel)

        assert set(answers[:2]) == {200}
        look()
        assert pair.row.status == Status.COMPLETED
        assert pair.row.video_url
        assert happened(pair.job)["report", "completed"] == 1
        assert names(announced) == ["job_completed"]
