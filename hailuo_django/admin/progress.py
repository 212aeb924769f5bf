"""How long something takes, and when it is usually done: in words, and never a promise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from hailuo_django.expectations import Expectations
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import RUNNING, Status

from . import display


def share_expectations(jobs: Iterable[VideoJob]) -> None:
    """Let what is known of the kinds of video that run be asked for once for all of ``jobs``."""
    jobs = list(jobs)
    shared = Expectations((job.resolution, job.duration) for job in jobs if job.status in RUNNING)
    for job in jobs:
        vars(job)["expectations"] = shared


def of_job(job: VideoJob, now: datetime) -> str:
    """Say how long a job has taken and when it is usually done; empty for a draft."""
    submission = _deciding(job)
    if submission is None:
        return ""
    told = (elapsed(submission, now), expected(job, submission, now))
    return "; ".join(filter(None, told))


def _deciding(job: VideoJob) -> Submission | None:
    """Return the submission whose time is the job's: the first completed, else the newest."""
    rows = job.submissions.all() if job.submission_count else ()
    done = [row for row in rows if row.status == Status.COMPLETED]
    return min(done, key=lambda row: row.ended_at or row.created_at, default=job.latest_submission)


def elapsed(submission: Submission, now: datetime) -> str:
    """Say how long it has taken so far, or took; empty where nobody can tell."""
    if submission.status == Status.UNSENT:
        return _("waiting for %s") % display.span(now - submission.created_at)
    if submission.sent_at is None:
        return ""
    if submission.is_live:
        return _("sent %s ago") % display.span(now - submission.sent_at)
    if submission.ended_at is None:
        return ""
    words = _("took %s") if submission.status == Status.COMPLETED else _("after %s")
    return words % display.span(submission.ended_at - submission.sent_at, exact=True)


def expected(job: VideoJob, submission: Submission, now: datetime) -> str:
    """Say when it is usually done, or that it takes longer than usual.

    Empty for what Krea does not work on, and where too few samples tell.
    """
    if submission.status not in RUNNING or submission.sent_at is None:
        return ""
    expectations: Expectations = vars(job).get("expectations") or Expectations()
    usual = expectations.of(job.resolution, job.duration)
    if usual is None:
        return ""
    half, most = _rounded(usual.usual_seconds), _rounded(usual.long_seconds)
    if usual.is_exceeded(submission, now):
        words = _("longer than usual: 9 of 10 took no longer than %s")
        return words % display.span(most)
    if now <= submission.sent_at + half:
        words, span = _("usually done after %(span)s (by %(time)s)"), half
    else:
        words, span = _("9 of 10 are done after %(span)s (by %(time)s)"), most
    return words % {"span": display.span(span), "time": _clock(submission.sent_at + span, now)}


def _rounded(seconds: float) -> timedelta:
    """Return whole seconds below a minute, whole minutes above: later rather than sooner."""
    unit = 1 if seconds <= 60 else 60
    return timedelta(seconds=ceil(seconds / unit) * unit)


def _clock(when: datetime, now: datetime) -> str:
    """Return the minute that it falls in or before, with its date where that is another day's."""
    when += timedelta(seconds=59)
    local, today = (localtime(time) if is_aware(time) else time for time in (when, now))
    same_day = local.date() == today.date()
    return date_format(local, "TIME_FORMAT") if same_day else display.moment(when)
