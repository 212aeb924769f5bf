"""What a person decides with ``hailuo_doctor``, after seeing the evidence."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from hailuo_django import pacing
from hailuo_django.doctor.krea import client
from hailuo_django.krea.errors import AccountProblem
from hailuo_django.models import JobEvent, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, FailureCode, Status
from hailuo_django.testing import make_submitted_job, sandbox, work
from hailuo_django.worker.sweep import sweep
from tests.krea.conftest import BODY

from .doctor import said

pytestmark = pytest.mark.django_db


@pytest.fixture
def krea() -> Iterator[Sandbox]:
    with sandbox(manual=True, hailuo={"UNCONFIRMED_GRACE_SECONDS": 0}) as krea:
        yield krea


@pytest.fixture
def lost(krea: Sandbox) -> VideoJob:
    """A job that Krea took and whose answer was lost; its list was looked at."""
    krea.misbehave("lost_answer", on="generate")
    job = make_submitted_job()
    sweep()
    work()
    assert only(job).status == Status.UNCONFIRMED
    return job


@pytest.fixture
def ada() -> str:
    return str(get_user_model()._default_manager.create(username="ada").get_username())


def only(job: VideoJob) -> Submission:
    return Submission.objects.get(job=job, number=1)


def decide(*arguments: str) -> str:
    """Decide without being asked."""
    out = StringIO()
    call_command("hailuo_doctor", *arguments, "--yes", stdout=out, no_color=True)
    return out.getvalue()


def event(job: VideoJob, action: Action) -> JobEvent:
    return JobEvent.objects.get(job=job, action=action)


def test_the_evidence_about_a_job_is_shown(krea: Sandbox, lost: VideoJob) -> None:
    text, code = said("show", str(lost.pk))
    assert code == 0
    assert f"Job {lost.pk}: unconfirmed" in text
    assert "Submission 1: unconfirmed, 0.2835 USD, sent 20" in text
    assert ": 1 jobs since 20" in text
    assert "It shows no job of this site made after the answer was lost: it may lag." in text
    assert f"It may be: Krea job {krea.jobs[0].id}: backlogged, created 20" in text


def test_before_krea_was_asked_there_is_no_evidence(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    job = make_submitted_job()
    sweep()
    Submission.objects.filter(job=job).update(evidence={})
    assert "Krea's list was not looked at yet." in said("show", str(job.pk))[0]


def test_the_upstream_job_is_named_and_a_worker_adopts_it(
    krea: Sandbox, lost: VideoJob, ada: str
) -> None:
    text = decide("adopt", str(lost.pk), krea.jobs[0].id, "--actor", ada)
    assert "It may be: " in text
    chosen = event(lost, Action.CHOOSE)
    assert (chosen.source, str(chosen.actor)) == (JobEvent.Source.OPERATOR, "ada")
    assert krea.jobs[0].id in said("show", str(lost.pk))[0]
    work()
    assert only(lost).krea_job_id == krea.jobs[0].id
    assert len(krea.posts) == 1


def test_a_job_that_another_submission_has_is_refused(krea: Sandbox, lost: VideoJob) -> None:
    other = make_submitted_job()
    work()
    with pytest.raises(CommandError, match=f"belongs to submission 1 of job {other.pk}"):
        decide("adopt", str(lost.pk), str(only(other).krea_job_id))


def test_it_is_sent_again_for_its_price_once_more(krea: Sandbox, lost: VideoJob, ada: str) -> None:
    text = decide("send-again", str(lost.pk), "--actor", ada)
    assert "Submission 2 is to be sent, for 0.2835 USD." in text
    assert (only(lost).status, only(lost).failure_code) == (Status.FAILED, FailureCode.GIVEN_UP)
    assert str(event(lost, Action.GIVE_UP).actor) == "ada"
    work()
    assert len(krea.posts) == 2


def test_it_is_given_up_and_counts_as_failed(krea: Sandbox, lost: VideoJob) -> None:
    assert "Given up." in decide("give-up", str(lost.pk))
    assert only(lost).failure_code == FailureCode.GIVEN_UP
    given_up = event(lost, Action.GIVE_UP)
    assert (given_up.source, given_up.actor) == (JobEvent.Source.OPERATOR, None)
    assert "given_up" in said("show", str(lost.pk))[0]


def test_what_is_given_up_can_be_adopted_by_its_number(krea: Sandbox, lost: VideoJob) -> None:
    decide("give-up", str(lost.pk))
    with pytest.raises(CommandError, match="waits to be decided about: name one with --number"):
        decide("adopt", str(lost.pk), krea.jobs[0].id)
    decide("adopt", str(lost.pk), krea.jobs[0].id, "--number", "1")
    work()
    assert only(lost).krea_job_id == krea.jobs[0].id


def test_nothing_is_decided_about_what_krea_has_on_record(krea: Sandbox) -> None:
    job = make_submitted_job()
    sweep()
    with pytest.raises(CommandError, match="Nothing is to be decided"):
        decide("give-up", str(job.pk), "--number", "1")
    assert only(job).status == Status.BACKLOGGED


def test_a_stranger_is_dismissed(krea: Sandbox, lost: VideoJob, ada: str) -> None:
    assert "Dismissed." in decide("dismiss", krea.jobs[0].id, "--actor", ada)
    stranger = Stranger.objects.get()
    assert stranger.dismissed_at is not None
    assert str(stranger.dismissed_by) == "ada"
    with pytest.raises(CommandError, match="dismissed already"):
        decide("dismiss", krea.jobs[0].id)


def test_a_stranger_that_no_worker_saw_yet_is_asked_for(krea: Sandbox) -> None:
    with client() as other:
        krea_job_id = other.generate(BODY).krea_job_id
    decide("dismiss", krea_job_id)
    assert Stranger.objects.get(krea_job_id=krea_job_id).dismissed_at is not None


def test_a_job_that_krea_does_not_know_is_not_dismissed(krea: Sandbox) -> None:
    with pytest.raises(CommandError, match="Krea does not know a job"):
        decide("dismiss", str(uuid.uuid4()))
    assert not Stranger.objects.exists()


def test_a_job_of_ours_is_not_dismissed(krea: Sandbox) -> None:
    job = make_submitted_job()
    sweep()
    with pytest.raises(CommandError, match=f"belongs to submission 1 of job {job.pk}"):
        decide("dismiss", str(only(job).krea_job_id))


def test_a_failure_is_shown_with_kreas_own_words(krea: Sandbox) -> None:
    job = make_submitted_job(prompt="[moderation]")
    sweep()
    krea.move(krea.jobs[0].id, "failed")
    Submission.objects.update(due_at=timezone.now())
    sweep()
    error = only(job).error_message
    assert error
    shown = said("show", str(job.pk))[0]
    assert "    moderation\n" in shown
    assert error in shown


def test_what_is_wished_and_what_krea_says_is_shown(krea: Sandbox) -> None:
    job = make_submitted_job()
    sweep()
    job.cancel()
    assert "    Somebody wants it cancelled, since " in said("show", str(job.pk))[0]
    Submission.objects.update(krea_status="polishing\x1b")
    assert "    In Krea's words: polishing" in said("show", str(job.pk))[0]
    assert "\x1b" not in said("show", str(job.pk))[0]


def test_a_pause_is_lifted(krea: Sandbox) -> None:
    pacing.slow_sending(AccountProblem("empty", status=402))
    job = make_submitted_job()
    sweep()
    assert krea.posts == []
    told = decide("resume")
    assert "Sending is paused until" in told, "before it is resumed"
    assert "HTTP 402: empty" in told
    assert "Submissions to be sent: 1." in told
    assert "lifted" in told
    sweep()
    assert [post.job_id for post in krea.posts] == [only(job).krea_job_id]
    assert "Nothing held back" in decide("resume")


@pytest.mark.parametrize("reply", ["no", "", "y", EOFError])
def test_without_a_yes_nothing_is_changed(
    lost: VideoJob, monkeypatch: pytest.MonkeyPatch, reply: str | type[EOFError]
) -> None:
    def answered(prompt: str) -> str:
        if isinstance(reply, str):
            return reply
        raise reply

    monkeypatch.setattr(builtins, "input", answered)
    for action in ("give-up", "send-again"):
        text, code = said(action, str(lost.pk))
        assert "It may be: " in text
        assert code == 1
    assert only(lost).status == Status.UNCONFIRMED
    assert Submission.objects.count() == 1


def test_a_yes_is_enough(lost: VideoJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "input", lambda prompt: " Yes ")
    assert said("give-up", str(lost.pk))[1] == 0
    assert only(lost).status == Status.FAILED


@pytest.mark.parametrize("job", ["not-an-id", str(uuid.UUID(int=7))])
def test_a_job_that_does_not_exist_is_told(db: None, job: str) -> None:
    with pytest.raises(CommandError, match=f"There is no job {job}"):
        call_command("hailuo_doctor", "show", job)


def test_a_submission_or_a_user_that_does_not_exist_is_told(lost: VideoJob) -> None:
    with pytest.raises(CommandError, match="The job has no submission 9"):
        decide("give-up", str(lost.pk), "--number", "9")
    with pytest.raises(CommandError, match="There is no user nobody"):
        decide("give-up", str(lost.pk), "--actor", "nobody")


def test_proven_absence_is_shown(krea: Sandbox) -> None:
    krea.misbehave("lost_request", on="generate")
    job = make_submitted_job()
    sweep()
    early = timezone.now() - timedelta(minutes=30)
    Submission.objects.filter(job=job).update(sent_at=early, lost_at=early)
    known = make_submitted_job()
    work()
    work()
    text, _ = said("show", str(job.pk))
    assert f"It shows job {only(known).krea_job_id} of this site, made after" in text
    assert "So this submission never reached Krea." in text
