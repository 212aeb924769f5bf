"""What it means that Krea does not find a job: at first nothing, and at last that it is gone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from hailuo_django import ledger, pacing, results
from hailuo_django.conf import conf
from hailuo_django.krea.wire import JobReport, Unreadable, read_job
from hailuo_django.ledger import next_look, rare_look
from hailuo_django.models import Submission
from hailuo_django.models.conditions import NOT_FOUND_AFTER
from hailuo_django.states import ENDED, RUNNING, Status

from .candidates import weigh_candidate

ASKED_AFTER_ITS_END = timedelta(days=1)
"""For so long one that ended here is asked for that Krea does not find; cancelled ones less."""

PATIENCE_WITHOUT_ADDRESS = timedelta(hours=1)
"""For so long a completed job without a result address is asked for it again."""


def write_absence(submission: Submission, **changes: Any) -> None:
    """Write down that Krea does not find it; ``changes`` go onto a row that is given back."""
    now = timezone.now()
    since = min(submission.not_found_since or now, now)  # a clock may have been far ahead
    # Krea was asked after this: whoever was held up since has learned nothing from that.
    absent_for = (submission.last_polled_at or now) - since
    is_gone = absent_for >= NOT_FOUND_AFTER
    changes |= {"due_at": _due_although_absent(submission, since), "not_found_since": since}
    cancelled = changes.get("cancel_sent_at", submission.cancel_sent_at) is not None
    # Where the video is needs no proof that Krea has forgotten it.
    if (is_gone or submission.status == Status.COMPLETED) and _take_what_was_told(submission):
        return
    if submission.account not in ("", pacing.account()):
        if _is_settled(submission):
            changes["due_at"] = None
            if submission.krea_job_id is None:
                ledger.reject_candidate(submission, "Nobody waits for an answer about it.")
                return
        note = "Not found, but it was sent with another API token."
        ledger.finish_look(submission, note=note, **changes)
    elif submission.krea_job_id is None and is_gone:
        ledger.reject_candidate(submission, "Krea does not know it.")
    elif submission.status in RUNNING and (is_gone or cancelled):
        ledger.miss(submission, not_found_since=since, cancelled=cancelled)
    elif submission.status in ENDED and not _may_go_on(submission, absent_for):
        changes["due_at"] = None
        if submission.status != Status.COMPLETED:
            changes["written_off_at"] = submission.written_off_at or now
        ledger.finish_look(submission, **changes)
    else:
        if submission.krea_job_id is None:
            minutes = NOT_FOUND_AFTER // timedelta(minutes=1)
            changes["note"] = f"Krea does not know the job that was named: asked for {minutes} min."
        ledger.finish_look(submission, **changes)


def awaits_address(submission: Submission) -> bool:
    """Tell whether it completed so lately, without a result address, that one may follow."""
    lacks_one = submission.status == Status.COMPLETED and not submission.result_url
    ended_at = submission.ended_at or timezone.now()
    return lacks_one and timezone.now() - ended_at < PATIENCE_WITHOUT_ADDRESS


def has_better_address(submission: Submission, news: JobReport) -> bool:
    """Tell whether a completed one is told of an address that serves better than its own."""
    is_completed = submission.status == Status.COMPLETED
    return is_completed and bool(
        results.better(news.urls, submission.result_url, conf.RESULT_HOSTS)
    )


def _is_settled(submission: Submission) -> bool:
    """Tell whether nobody waits for an answer about it any more, whoever could give one."""
    if submission.status == Status.COMPLETED:
        return not awaits_address(submission)
    return submission.status in ENDED and submission.written_off_at is not None


def _take_what_was_told(submission: Submission) -> bool:
    """Take a webhook's word for a video that Krea has no answer about; False where is none."""
    named = submission.krea_job_id is None
    is_completed = submission.status == Status.COMPLETED
    if conf.WEBHOOK_CONFIRM or not (named or is_completed or submission.runs_upstream):
        return False
    try:
        told = read_job(ledger.what_was_told(submission))
    except Unreadable:
        return False
    if told.status != Status.COMPLETED or not told.urls:
        return False
    if named:
        weigh_candidate(submission, told, by=ledger.WEBHOOK)
        return True
    if is_completed:
        if not has_better_address(submission, told):
            return False
        ledger.fill_result(submission, told)
        return True
    return ledger.report(submission.job_id, submission.number, told, by=ledger.WEBHOOK)


def _due_although_absent(submission: Submission, since: datetime) -> datetime:
    return rare_look(since) if submission.status in ENDED else next_look(submission)


def _may_go_on(ended: Submission, absent_for: timedelta) -> bool:
    """Tell whether Krea may yet complete one that ended here, and does not know it for so long."""
    cancelled = ended.status == Status.CANCELLED
    patience = NOT_FOUND_AFTER if cancelled else ASKED_AFTER_ITS_END
    return awaits_address(ended) or (ended.runs_upstream and absent_for < patience)
