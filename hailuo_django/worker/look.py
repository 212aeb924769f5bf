"""Looking: asks Krea what became of a submission, and cancels what is to be cancelled."""

from __future__ import annotations

import contextlib
import uuid
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from hailuo_django import ledger, pacing, results
from hailuo_django.clock import aware
from hailuo_django.conf import conf
from hailuo_django.deadlines import call_seconds, lease_seconds
from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.wire import JobReport, Unreadable, read_job
from hailuo_django.ledger import next_look, rare_look
from hailuo_django.models import Submission, VideoJob
from hailuo_django.models.querysets import NOT_FOUND_AFTER
from hailuo_django.states import ENDED, RUNNING, Action, Status

from .evidence import SKEW
from .lanes import Outcome, in_words

BATCH = 50

ASKED_AFTER_ITS_END = timedelta(days=1)
"""For so long one that ended here is asked for that Krea does not find; cancelled ones less."""

OLDER_THAN_ITS_ORDER = timedelta(hours=1)
"""What was made so long before it was ordered is not ours, whatever our hosts' clocks say."""

PATIENCE_WITHOUT_ADDRESS = timedelta(hours=1)
"""For so long a completed job without a result address is asked for it again."""


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
        return news

    def record(self, item: Submission, outcome: Outcome) -> None:
        """Write down what Krea said; trouble with asking changes no state."""
        match outcome:
            case JobReport() if item.krea_job_id is None:
                _weigh_candidate(item, outcome)
            case JobReport():
                _write_news(item, outcome)
            case errors.NotFound():
                _write_absence(item)
            case errors.RateLimited():
                ledger.finish_look(item, due_at=pacing.slow_looking(outcome))
            case _:
                # Whoever stumbles has not said that it does not know the job.
                note = in_words(outcome)
                ledger.finish_look(item, due_at=next_look(item), note=note, not_found_since=None)


def _write_news(submission: Submission, news: JobReport) -> None:
    # What is as it was needs no lock; most looks find nothing new.
    changed = news.status != submission.status
    if changed and ledger.report(submission.job_id, submission.number, news, by=ledger.POLL):
        # An end is no longer due; a row that runs on is given back like any other.
        ledger.finish_look(submission, due_at=_due_after(submission, news))
    elif _lacks_address(submission) and _has_another(submission, news):
        ledger.fill_result(submission, news)
    else:
        due_at = _due_after(submission, news)
        ledger.finish_look(submission, due_at=due_at, seen=news, note="")


def _due_after(submission: Submission, news: JobReport) -> datetime | None:
    ended_at = submission.ended_at or timezone.now()
    if _is_first_cancel(submission):
        return timezone.now()  # to see what became of the DELETE
    if news.status not in ENDED:
        # Also where we had taken it for ended.
        return rare_look(ended_at) if submission.status in ENDED else next_look(submission)
    has_none = submission.status == Status.COMPLETED and not submission.result_url
    is_young = timezone.now() - ended_at < PATIENCE_WITHOUT_ADDRESS
    return next_look(submission) if has_none and is_young else None


def _is_first_cancel(taken: Submission) -> bool:
    """Tell whether this very look is the first to send a DELETE."""
    return taken.is_to_cancel and taken.cancel_sent_at == taken.last_polled_at


def _lacks_address(submission: Submission) -> bool:
    url, completed = submission.result_url, submission.status == Status.COMPLETED
    return completed and not results.linkable(url, conf.RESULT_HOSTS)


def _has_another(submission: Submission, news: JobReport) -> bool:
    """Tell whether Krea names an address that is better than the one on record."""
    url = results.best(news.urls, conf.RESULT_HOSTS)
    return bool(url) and (not submission.result_url or results.linkable(url, conf.RESULT_HOSTS))


def _write_absence(submission: Submission) -> None:
    now = timezone.now()
    since = submission.not_found_since or now
    # Krea was asked after this: whoever was held up since has learned nothing from that.
    absent_for = (submission.last_polled_at or now) - since
    is_gone = absent_for >= NOT_FOUND_AFTER
    changes: dict[str, Any] = {"due_at": _due_although_absent(submission, since)}
    changes["not_found_since"] = since
    nothing_sent = _is_first_cancel(submission)  # the GET came first
    if nothing_sent:
        changes["cancel_sent_at"] = None
    cancelled = submission.cancel_sent_at is not None and not nothing_sent
    if submission.account not in ("", pacing.account()):
        note = "Not found, but it was sent with another API token."
        ledger.finish_look(submission, note=note, **changes)
    elif submission.krea_job_id is None and is_gone:
        ledger.reject_candidate(submission, "Krea does not know it.")
    elif submission.status in RUNNING and (is_gone or cancelled):
        if not (is_gone and _report_what_was_told(submission)):
            ledger.miss(submission, not_found_since=since, cancelled=cancelled)
    elif submission.status in ENDED and not _may_go_on(submission, absent_for):
        ledger.finish_look(submission, due_at=None)
    else:
        ledger.finish_look(submission, **changes)


def _report_what_was_told(submission: Submission) -> bool:
    """Take a webhook's word for a video that Krea has no answer about; False where is none."""
    if conf.WEBHOOK_CONFIRM:
        return False
    try:
        told = read_job(submission.raw)
    except Unreadable:
        return False
    completed = told.status == Status.COMPLETED and bool(told.urls)
    return completed and ledger.report(
        submission.job_id, submission.number, told, by=ledger.WEBHOOK
    )


def _due_although_absent(submission: Submission, since: datetime) -> datetime:
    return rare_look(since) if submission.status in ENDED else next_look(submission)


def _may_go_on(ended: Submission, absent_for: timedelta) -> bool:
    """Tell whether Krea may yet complete one that ended here, and does not know it for so long."""
    cancelled = ended.status == Status.CANCELLED
    patience = NOT_FOUND_AFTER if cancelled else ASKED_AFTER_ITS_END
    return ended.runs_upstream and absent_for < patience


def _weigh_candidate(submission: Submission, news: JobReport) -> None:
    """Adopt the job that somebody named, if Krea's own answer fits the submission.

    A job without a readable time fits: it was named for this one, and it may be paid for.
    """
    earliest = aware(submission.sent_at or submission.created_at) - OLDER_THAN_ITS_ORDER
    chosen = _was_chosen(submission)
    # What a person names may be older: rows that a restored site writes anew are younger.
    if not chosen and news.created_at is not None and news.created_at < earliest:
        ledger.reject_candidate(submission, "It is older than the submission.")
        return
    if chosen and _is_perhaps_under_way(submission, news):
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
