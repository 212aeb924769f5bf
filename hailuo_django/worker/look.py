"""Looking: asks Krea what became of a submission, and cancels what is to be cancelled."""

from __future__ import annotations

import contextlib
import uuid
from collections import deque
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from hailuo_django import ledger, pacing
from hailuo_django.clock import aware
from hailuo_django.deadlines import call_seconds, lease_seconds
from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.wire import JobReport
from hailuo_django.ledger import next_look
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import ENDED, RUNNING, Action, Status

from .evidence import SKEW
from .lanes import Outcome, in_words

BATCH = 50

PATIENCE_WITH_404 = timedelta(minutes=15)
"""A job that Krea does not know for so long is gone; just after its POST it may be late."""

PATIENCE_WITHOUT_ADDRESS = timedelta(hours=1)
"""For so long a completed job without a result address is asked for it again."""


class _Gone(errors.NotFound):
    """Krea took our DELETE and knows the job no more."""


class LookLane:
    """Takes what is due, asks over kept-alive connections, and records what Krea says."""

    width = 8
    waits = False

    def __init__(self, client: KreaClient, only: uuid.UUID | None = None) -> None:
        self.client = client
        self.only = only
        self.batch: deque[Submission] = deque()

    def take(self, seconds_left: float) -> Submission | None:
        """Lease the next row that is due."""
        while pacing.may_look():
            submission = self._next()
            if submission is None:
                break
            calls = 2 if submission.is_to_cancel else 1
            if seconds_left < calls * call_seconds():
                break
            taken = ledger.take_look(submission, lease_seconds=lease_seconds(calls))
            if taken:
                return taken
        return None

    def _next(self) -> Submission | None:
        if not self.batch:
            rows = Submission.objects.using(VideoJob.database()).to_look_at(timezone.now())
            self.batch.extend((rows.filter(job=self.only) if self.only else rows)[:BATCH])
        return self.batch.popleft() if self.batch else None

    def call(self, item: Submission) -> JobReport:
        """GET it, after a DELETE where it is to be cancelled."""
        krea_job_id = item.krea_job_id or item.candidate_id
        cancelled = item.is_to_cancel and self._cancel(krea_job_id)
        try:
            return self.client.get(krea_job_id)
        except errors.NotFound as error:
            if cancelled:
                raise _Gone(error.message, status=error.status) from error
            raise  # one that the DELETE did not find either may be so young that Krea is late

    def _cancel(self, krea_job_id: str) -> bool:
        # Which states Krea cancels in is not documented: the GET tells what came of it.
        with contextlib.suppress(errors.NotFound, errors.Refused, errors.Temporary):
            self.client.cancel(krea_job_id)
            return True
        return False

    def record(self, item: Submission, outcome: Outcome) -> None:
        """Write down what Krea said; trouble with asking changes no state."""
        match outcome:
            case JobReport() if item.krea_job_id is None:
                _weigh_candidate(item, outcome)
            case JobReport():
                _write_news(item, outcome)
            case errors.NotFound():
                _write_absence(item, gone=isinstance(outcome, _Gone))
            case errors.RateLimited():
                ledger.finish_look(item, due_at=pacing.slow_looking(outcome))
            case _:
                ledger.finish_look(item, due_at=next_look(item), note=in_words(outcome))


def _write_news(submission: Submission, news: JobReport) -> None:
    # What is as it was needs no lock; most looks find nothing new.
    changed = news.status != submission.status
    if changed and ledger.report(submission.job_id, submission.number, news, by=ledger.POLL):
        # An end is no longer due; a row that runs on is given back like any other.
        ledger.finish_look(submission, due_at=next_look(submission))
    elif _lacks_address(submission) and news.urls:
        ledger.fill_result(submission, news)
    else:
        due_at = _due_after(submission, news)
        ledger.finish_look(submission, due_at=due_at, seen=news, note="")


def _due_after(submission: Submission, news: JobReport) -> datetime | None:
    if news.status not in ENDED:
        return next_look(submission)  # also where we had taken it for ended
    ended_at = submission.ended_at or timezone.now()
    if _lacks_address(submission) and timezone.now() - ended_at < PATIENCE_WITHOUT_ADDRESS:
        return next_look(submission)
    return None


def _lacks_address(submission: Submission) -> bool:
    return submission.status == Status.COMPLETED and not submission.result_url


def _write_absence(submission: Submission, *, gone: bool) -> None:
    now = timezone.now()
    since = submission.not_found_since or now
    # Krea was asked after this: whoever was held up since has learned nothing from that.
    asked_at = submission.last_polled_at or now
    patience_is_over = asked_at - since >= PATIENCE_WITH_404
    later = next_look(submission)
    if submission.krea_job_id and submission.status not in RUNNING:
        ledger.finish_look(submission, due_at=None)
    elif submission.account not in ("", pacing.account()):
        note = "Not found, but it was sent with another API token."
        ledger.finish_look(submission, due_at=later, note=note)
    elif submission.krea_job_id is None and patience_is_over:
        ledger.reject_candidate(submission, "Krea does not know it.")
    elif gone or patience_is_over:
        ledger.miss(submission)
    else:
        ledger.finish_look(submission, due_at=later, not_found_since=since)


def _weigh_candidate(submission: Submission, news: JobReport) -> None:
    """Adopt the job that somebody named, if Krea's own answer fits the submission.

    A job without a readable time fits: it was named for this one, and it may be paid for.
    """
    earliest = aware(submission.sent_at or submission.created_at) - SKEW
    if news.created_at is not None and news.created_at < earliest:
        ledger.reject_candidate(submission, "It is older than the submission.")
        return
    if _was_chosen(submission) and _is_perhaps_under_way(submission, news):
        due_at = timezone.now() + timedelta(seconds=lease_seconds())
        note = "A request under way may have made the job that was named: its answer comes first."
        ledger.finish_look(submission, due_at=due_at, note=note)
        return
    try:
        mine = Q(candidate_id=submission.candidate_id)
        if not ledger.adopt(submission, news, by=ledger.POLL, where=mine):
            ledger.reject_candidate(submission, "Another job id is on record.")
    except IntegrityError:
        ledger.reject_candidate(submission, "It belongs to another submission.")


def _was_chosen(submission: Submission) -> bool:
    """Tell whether a person named the candidate; a webhook's own token is better evidence."""
    choices = submission.events.using(VideoJob.database()).filter(action=Action.CHOOSE)
    return choices.filter(detail=submission.candidate_id).exists()


def _is_perhaps_under_way(submission: Submission, news: JobReport) -> bool:
    """Tell whether a sender that still waits for its answer may have made this job."""
    rows = Submission.objects.using(VideoJob.database()).filter(status=Status.SUBMITTING)
    claims = rows.exclude(pk=submission.pk).values_list("sent_at", flat=True)
    created_at = news.created_at
    return any(
        created_at is None or sent_at is None or created_at >= aware(sent_at) - SKEW
        for sent_at in claims
    )
