"""What a webhook has named and nobody has on record is decided on the page of its submission."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from hailuo_django import ledger
from hailuo_django.krea.wire import JobReport, generate_body
from hailuo_django.models import KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.testing import make_submitted_job
from hailuo_django.worker.sweep import sweep
from tests.core.rows import client

from .pages import Browser, grant, page_of, person
from .test_reconcile import address, decide, fresh

pytestmark = pytest.mark.django_db


def forgotten(krea: Sandbox, job: VideoJob) -> None:
    """A webhook of the job names one that Krea has not known for a quarter of an hour."""
    ledger.make_due(job.pk, 1, JobReport("forgotten", Status.PROCESSING))
    krea.misbehave("missing", on="get", times=None)
    sweep()
    Submission.objects.update(
        not_found_since=timezone.now() - timedelta(minutes=16), due_at=timezone.now()
    )
    sweep()
    krea.behave()


@pytest.fixture
def held_up(krea: Sandbox) -> VideoJob:
    """A job that was refused for a lack of money, and whose webhook names a job all the same."""
    krea.misbehave("payment_required", on="generate")
    job = make_submitted_job(prompt="A lighthouse at dusk.")
    sweep()
    forgotten(krea, job)
    KreaAccount.objects.update(send_after=None)
    return job


def test_what_waits_to_be_sent_and_was_named_is_shown_with_its_way_out(
    krea: Sandbox, held_up: VideoJob, judge: User
) -> None:
    sweep()
    assert fresh(held_up).status == Status.UNSENT
    assert address(held_up) in Browser(judge).open(page_of(held_up)).html
    overview = Browser(judge).open(reverse("admin:hailuo_django_videojob_overview"))
    assert "A webhook named a Krea job for 1 submission" in overview.text

    page = Browser(judge).open(address(held_up))
    assert "Nothing is left to decide" not in page.text
    assert "A webhook of this submission has named: forgotten" in page.text
    decide(Browser(judge), held_up, "dismiss")
    sweep()

    assert fresh(held_up).status == Status.BACKLOGGED
    assert Stranger.objects.get().dismissed_by == judge


def test_its_list_is_not_needed_for_that(held_up: VideoJob) -> None:
    user = person("eve", "view", "reconcile")
    overview = Browser(user).open(reverse("admin:hailuo_django_videojob_overview"))
    assert "A webhook named a Krea job for 1 submission" in overview.text
    decide(Browser(user), held_up, "dismiss")
    assert not Stranger.objects.open().exists()


def test_a_proof_is_none_against_the_word_of_a_webhook(
    krea: Sandbox, lost: VideoJob, judge: User
) -> None:
    forgotten(krea, lost)
    Submission.objects.update(evidence={"absent": True, "whole": True, "strangers": []})
    page = grant(judge, "submit_videojob").open(address(lost))
    assert "never arrived" not in page.text.replace("Nothing proves that this never arrived", "")
    assert "I know that this video may be billed twice." in page.text


def test_the_job_that_krea_is_being_asked_about_says_so(
    krea: Sandbox, lost: VideoJob, judge: User
) -> None:
    ledger.make_due(lost.pk, 1, JobReport(krea.jobs[0].id, Status.PROCESSING))
    assert "Krea is being asked about it" in Browser(judge).open(address(lost)).text


def test_the_second_of_two_that_one_request_made_is_taken_when_the_first_has_failed(
    krea: Sandbox, lost: VideoJob, judge: User
) -> None:
    body = generate_body(prompt="a lighthouse", resolution="768p", duration=6)
    second = client(krea).generate(body).krea_job_id
    for krea_job_id, end in ((krea.jobs[0].id, "failed"), (second, "completed")):
        krea.move(krea_job_id, end)
        ledger.make_due(lost.pk, 1, client(krea).get(krea_job_id))
        sweep()
    assert fresh(lost).status == Status.FAILED

    page = Browser(judge).open(address(lost))
    assert "a webhook of this submission named it" in page.text
    assert "another submission has it on record" not in page.text
    decide(Browser(judge), lost, "choose", listed=second)
    sweep()

    assert fresh(lost).status == Status.COMPLETED


def test_its_own_come_first_among_many(krea: Sandbox, lost: VideoJob, judge: User) -> None:
    [row] = Submission.objects.all()
    Stranger.objects.bulk_create(
        Stranger(krea_job_id=f"another-{n}", account=row.account) for n in range(60)
    )
    forgotten(krea, lost)
    assert "forgotten" in Browser(judge).open(address(lost)).text


def test_the_doctor_names_it_and_its_way_out(
    held_up: VideoJob, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("hailuo_doctor", "orphans")
    told = capsys.readouterr().out
    assert "Krea's jobs that a webhook named and no submission has: 1" in told
    assert f"forgotten  processing  {held_up.pk} #1" in told

    call_command("hailuo_doctor", "show", str(held_up.pk))
    assert "Named for this submission: Krea job forgotten" in capsys.readouterr().out
    call_command("hailuo_doctor", "dismiss", "forgotten", "--yes")
    sweep()
    assert fresh(held_up).status == Status.BACKLOGGED


def test_what_is_named_beside_a_video_is_dismissed_before_its_job_is_deleted(
    krea: Sandbox,
) -> None:
    job = make_submitted_job(prompt="A lighthouse at dusk.")
    sweep()
    krea.move(krea.jobs[0].id, "completed")
    Submission.objects.update(due_at=timezone.now())
    ledger.make_due(job.pk, 1, JobReport("forgotten", Status.PROCESSING))
    sweep()
    eve = person("eve", "view", "change", "delete", "reconcile")

    page = Browser(eve).open(page_of(job, "delete"))
    assert "or say whose the job is that a webhook named" in page.text
    page = Browser(eve).open(address(job))
    assert "Nothing is left to decide" not in page.text
    assert "what was named may be billed beside it" in page.text
    assert "resubmitted by force only" not in page.text
    decide(Browser(eve), job, "dismiss")

    browser = Browser(eve)
    page = browser.post_form(browser.open(page_of(job, "delete")), "")
    assert "was deleted successfully" in page.text
