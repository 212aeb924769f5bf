"""A sign for every state: a word with a character before it, never a colour alone."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import RUNNING, Status

from . import display

ICONS: dict[str, str] = {
    Status.DRAFT: "✎",
    Status.UNSENT: "○",
    Status.SUBMITTING: "○",
    Status.UNCONFIRMED: "?",
    **dict.fromkeys(RUNNING, "◐"),
    Status.COMPLETED: "✓",
    Status.FAILED: "✗",
    Status.CANCELLED: "⊘",
}
ATTENTION = "!"


def job_sign(job: VideoJob) -> SafeString:
    """Return the state of a job and whatever asks for attention, as they are seen."""
    overdue = any(submission.is_overdue for submission in job.submissions.all())
    return _sign(job.status, display.job_status(job), attention=job.is_flagged or overdue)


def submission_sign(submission: Submission) -> SafeString:
    """Return the state of a submission and whatever asks for attention, as they are seen."""
    words = display.submission_status(submission)
    return _sign(submission.status, words, attention=submission.is_overdue)


def _sign(status: str, words: str, *, attention: bool) -> SafeString:
    return format_html(
        '<span class="hailuo-sign" data-hailuo-status="{}">'
        '<span class="hailuo-icon" aria-hidden="true">{}</span> {}</span>',
        "attention" if attention else status,
        ATTENTION if attention else ICONS[status],
        words,
    )
