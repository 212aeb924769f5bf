"""A worker for tests: what is due later is done now."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from hailuo_django import ledger
from hailuo_django.models import JobEvent, KreaAccount, Submission, VideoJob
from hailuo_django.states import ENDED, Status
from hailuo_django.worker.sweep import sweep

from .site import running_sandbox


def work() -> int:
    """Let every waiting time pass and do what is due; return how many requests that took.

    Raises NoSandbox outside of ``sandbox()``.
    """
    running_sandbox()
    _let_time_pass()
    return sweep()


def finish(job: VideoJob, *, timeout: float = 10.0) -> VideoJob:
    """Work until the job has ended, announce that, and return the job as it is now.

    Raises TimeoutError when it has not ended after ``timeout`` seconds, NoSandbox outside of
    ``sandbox()``.
    """
    jobs = VideoJob.objects.using(VideoJob.database())

    def ended() -> bool:
        work()
        return jobs.filter(pk=job.pk, status__in=ENDED).exists()

    running_sandbox().wait(ended, timeout=timeout)
    # Signals are sent after commit, which never comes in a TestCase.
    _let_time_pass()
    ledger.announce_owed()
    return jobs.get(pk=job.pk)


def _let_time_pass() -> None:
    alias = VideoJob.database()
    now = timezone.now()
    waiting = Submission.objects.using(alias).exclude(status=Status.SUBMITTING)
    waiting.filter(due_at__gt=now).update(due_at=now)
    KreaAccount.objects.using(alias).update(send_after=None, look_after=None, trial_until=None)
    owed = JobEvent.objects.using(alias).filter(announce_after__gt=now)
    owed.update(announce_after=now - timedelta(seconds=1))
