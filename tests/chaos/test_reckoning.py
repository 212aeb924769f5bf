"""The reckoning of the chaos finds what must never be: else its silence would prove nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from pytest_django import Settings

from hailuo_django.models import Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.sandbox.contract import GENERATE_PATH
from hailuo_django.tokens import Addressee, make_webhook_url
from hailuo_django.worker.sweep import sweep
from tests.site import configure

from .reckoning import Reckoning

pytestmark = pytest.mark.django_db(transaction=True)

ELSEWHERE = "http://127.0.0.1:9"
"""Nobody listens there: every webhook is lost."""


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox(manual=True) as sandbox:
        configure(settings, sandbox, WEBHOOK_BASE_URL=ELSEWHERE)
        yield sandbox


def completed(krea: Sandbox, prompt: str = "Chaos 1.") -> VideoJob:
    """Return a job whose video is paid for and, unless its answer was lost, on its row."""
    job = VideoJob(prompt=prompt)
    job.submit()
    sweep()
    for upstream in krea.jobs:
        krea.move(upstream.id, "completed")
    job.sync()
    sweep()
    return job


def post(krea: Sandbox, job: VideoJob, number: int = 1) -> None:
    """Buy once more what a submission has bought."""
    url = make_webhook_url(Addressee(job.pk, number))
    headers = {"Authorization": f"Bearer {krea.token}", "X-Webhook-URL": str(url)}
    body = {"prompt": job.prompt}
    requests.post(krea.url + GENERATE_PATH, json=body, headers=headers, timeout=10)


def test_a_job_with_its_video_is_as_it_should_be(krea: Sandbox) -> None:
    completed(krea)
    reckoning = Reckoning(krea)
    assert reckoning.offences == []
    assert (reckoning.figures["jobs"], reckoning.figures["POSTs"]) == (1, 1)
    assert reckoning.figures["upstream jobs"] == 1


def test_an_answer_lost_without_a_webhook_may_stay_in_doubt(krea: Sandbox) -> None:
    completed(krea, "Chaos 1. [lost_answer]")
    reckoning = Reckoning(krea)
    assert reckoning.offences == []
    assert reckoning.figures["unconfirmed"] == 1
    assert reckoning.figures["lost answers without webhook"] == 1


def test_a_submission_that_was_sent_twice(krea: Sandbox) -> None:
    job = completed(krea)
    post(krea, job)
    twins, again = Reckoning(krea).paid_twice
    assert "2 upstream jobs" in twins
    assert "POSTed again" in again


def test_a_job_with_two_videos_unless_somebody_forced_that(krea: Sandbox) -> None:
    job = completed(krea)
    post(krea, job, number=2)
    krea.move(krea.jobs[-1].id, "completed")
    [twice] = Reckoning(krea).paid_twice
    assert "2 paid videos" in twice
    assert Reckoning(krea, forced={job.pk}).paid_twice == []


def test_a_video_that_is_on_no_row(krea: Sandbox) -> None:
    job = completed(krea)
    Submission.objects.filter(job=job).update(status="failed", krea_job_id=None)
    reckoning = Reckoning(krea)
    assert len(reckoning.without_row) == 1
    assert any("ended and Krea has a job for it" in line for line in reckoning.wrong)


def test_a_video_that_is_on_its_row_under_an_id_that_krea_does_not_know(krea: Sandbox) -> None:
    job = completed(krea, "Chaos 1. [webhook_other_job]")
    row = Submission.objects.filter(job=job)
    row.update(krea_job_id="invented")
    assert Reckoning(krea).offences == []

    row.update(result_url=f"{krea.url}/videos/of-another.mp4")
    assert len(Reckoning(krea).without_row) == 1
    assert any("not its own" in line for line in Reckoning(krea).wrong)


def lose(job: VideoJob) -> None:
    """Forget what became of a submission."""
    lost = {"status": "unconfirmed", "krea_job_id": None, "ended_at": None}
    Submission.objects.filter(job=job).update(**lost)


def test_a_doubt_that_nothing_explains(krea: Sandbox) -> None:
    job = completed(krea)
    lose(job)
    reckoning = Reckoning(krea)
    assert len(reckoning.without_row) == len(reckoning.unfinished) == 1


def test_a_doubt_in_spite_of_a_webhook(krea: Sandbox, settings: Settings, live_server: str) -> None:
    settings.HAILUO["WEBHOOK_BASE_URL"] = str(live_server)
    job = completed(krea, "Chaos 1. [lost_answer]")
    assert Reckoning(krea).offences == [], "the webhook told"
    lose(job)
    assert len(Reckoning(krea).unfinished) == 1


def test_a_submission_that_was_left_running(krea: Sandbox) -> None:
    VideoJob(prompt="Chaos 1.").submit()
    sweep()
    [unfinished] = Reckoning(krea).unfinished
    assert "backlogged" in unfinished


def test_rows_that_hold_the_job_of_another(krea: Sandbox) -> None:
    completed(krea)
    completed(krea)
    first, second = Submission.objects.order_by("pk")
    Submission.objects.filter(pk=first.pk).update(krea_job_id="kept")
    Submission.objects.filter(pk=second.pk).update(krea_job_id=first.krea_job_id)
    wrong = Reckoning(krea).wrong
    assert len([line for line in wrong if "not its own" in line]) == 2


def test_a_job_that_differs_from_its_submissions(krea: Sandbox) -> None:
    job = completed(krea)
    VideoJob.objects.filter(pk=job.pk).update(status="failed")
    assert Reckoning(krea).wrong == [f"job {job.pk} is failed, and not completed"]
