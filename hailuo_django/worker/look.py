"""Looking: asks Krea what became of a submission, and cancels what is to be cancelled."""

from __future__ import annotations

import contextlib
import uuid
from collections import deque
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from hailuo_django import ledger, pacing
from hailuo_django.clock import aware
from hailuo_django.deadlines import call_seconds, lease_seconds
from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.wire import JobReport
from hailuo_django.ledger import next_look, rare_look
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import ENDED, WITHOUT_VIDEO, Status

from .absence import awaits_address, has_better_address, write_absence
from .candidates import weigh_candidate
from .lanes import Outcome, in_words

BATCH = 50


class LookLane:
    """Takes what is due, asks over kept-alive connections, and records what Krea says."""

    width = 8

    def __init__(self, client: KreaClient, only: uuid.UUID | None = None) -> None:
        self.client = client
        self.only = only
        self.batch: deque[Submission] = deque()
        self.waits = False

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
                # What was just cancelled is due again at once.
                self.waits = self.waits or _is_first_cancel(taken)
                return taken
        return None

    def _next(self) -> Submission | None:
        if not self.batch:
            rows = Submission.objects.using(VideoJob.database()).to_look_at(timezone.now())
            self.batch.extend((rows.filter(job=self.only) if self.only else rows)[:BATCH])
        return self.batch.popleft() if self.batch else None

    def call(self, item: Submission) -> JobReport:
        """GET it, and DELETE it where it is to be cancelled and still runs.

        Whether a DELETE takes a finished video away is not documented: it is never tried.
        """
        krea_job_id = item.krea_job_id or item.candidate_id
        news = self.client.get(krea_job_id)
        if item.is_to_cancel and news.status not in ENDED:
            # In which states Krea cancels is not documented either: the next GET tells.
            with contextlib.suppress(errors.NotFound, errors.Refused, errors.Temporary):
                self.client.cancel(krea_job_id)
        # What is on record keeps its spelling; what was only named gets Krea's.
        return replace(news, krea_job_id=item.krea_job_id) if item.krea_job_id else news

    def record(self, item: Submission, outcome: Outcome) -> None:
        """Write down what Krea said; trouble with asking changes no state."""
        if isinstance(outcome, JobReport | errors.NotFound):
            # Also for what waits to be sent: Krea answers.
            pacing.answered(aware(item.last_polled_at or timezone.now()))
        match outcome:
            case JobReport() if item.krea_job_id is None:
                weigh_candidate(item, outcome)
            case JobReport():
                _write_news(item, outcome)
            case errors.NotFound():
                write_absence(item, **_unmark(item))
            case errors.Refused(status=400 | 410 | 422) if item.krea_job_id is None:
                # What was named may be no id at all.
                write_absence(item)
            case errors.RateLimited():
                due_at = pacing.slow_looking(outcome)
                ledger.finish_look(item, due_at=due_at, **_unmark(item))
            case _:
                # Whoever stumbles has not said that it does not know the job.
                note, changes = in_words(outcome), _unmark(item)
                changes["due_at"] = next_look(item)
                if item.status not in ENDED:
                    changes["not_found_since"] = None
                elif isinstance(outcome, errors.Refused):
                    changes["due_at"] = _due_though_ended(item)
                ledger.finish_look(item, note=note, **changes)


def _unmark(item: Submission) -> dict[str, Any]:
    """Take back that a DELETE was sent: the GET before it failed, so none was."""
    return {"cancel_sent_at": None} if _is_first_cancel(item) else {}


def _write_news(submission: Submission, news: JobReport) -> None:
    # What is as it was needs no lock; most looks find nothing new.
    job_id, number = submission.job_id, submission.number
    changed = news.status != submission.status
    assumed = submission.status in WITHOUT_VIDEO and submission.krea_status not in WITHOUT_VIDEO
    # An end without a video is no answer to what a webhook has told of since Krea was asked.
    unheard = Q(due_at=submission.due_at) if news.status in WITHOUT_VIDEO else Q()
    if changed and ledger.report(job_id, number, news, by=ledger.POLL, where=unheard):
        # An end is no longer due; a row that runs on is given back like any other.
        ledger.finish_look(submission, due_at=_due_after(submission, news))
    elif assumed and ledger.confirm_end(job_id, number, news, by=ledger.POLL, where=unheard):
        return
    elif has_better_address(submission, news):
        ledger.fill_result(submission, news)
    else:
        due_at = _due_after(submission, news)
        ledger.finish_look(submission, due_at=due_at, seen=news, note="")


def _due_after(submission: Submission, news: JobReport) -> datetime | None:
    if _is_first_cancel(submission):
        return timezone.now()  # to see what became of the DELETE
    if news.status in ENDED or submission.status in ENDED:
        return _due_though_ended(submission, is_over=news.status in ENDED)
    return next_look(submission)


def _due_though_ended(submission: Submission, *, is_over: bool = False) -> datetime | None:
    """Return when to look again at what has ended: here alone, or without its address."""
    if submission.status == Status.COMPLETED:
        return next_look(submission) if awaits_address(submission) else None
    return None if is_over else rare_look(submission.ended_at or timezone.now())


def _is_first_cancel(taken: Submission) -> bool:
    """Tell whether this very look is the first to send a DELETE."""
    return taken.is_to_cancel and taken.cancel_sent_at == taken.last_polled_at
