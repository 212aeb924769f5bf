"""What becomes of a job that a webhook or a person has named: adopted if Krea's answer fits."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from hailuo_django import ledger
from hailuo_django.clock import aware
from hailuo_django.deadlines import lease_seconds
from hailuo_django.krea.wire import JobReport
from hailuo_django.ledger import By
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status

from .evidence import SKEW

OLDER_THAN_ITS_ORDER = timedelta(hours=1)
"""What was made so long before it was ordered is not ours, whatever our hosts' clocks say."""


def weigh_candidate(submission: Submission, news: JobReport, *, by: By = ledger.POLL) -> None:
    """Adopt the job that somebody named, if what is told of it fits the submission.

    A job without a readable time fits: it was named for this one, and it may be paid for.
    """
    earliest = aware(submission.sent_at or submission.created_at) - OLDER_THAN_ITS_ORDER
    chosen = submission.was_named_by_a_person
    # What a person names may be older: rows that a restored site writes anew are younger.
    if not chosen and news.created_at is not None and news.created_at < earliest:
        ledger.reject_candidate(submission, "It is older than the submission.", is_anothers=True)
        return
    if chosen and _is_perhaps_under_way(news):
        due_at = timezone.now() + timedelta(seconds=lease_seconds())
        note = "A request under way may have made the job that was named: its answer comes first."
        ledger.finish_look(submission, due_at=due_at, note=note)
        return
    try:
        # Not where another was named, or is on record, since Krea was asked.
        mine = Q(candidate_id=submission.candidate_id)
        ledger.adopt(submission, news, by=by, where=mine)
    except ledger.KnownJob:
        ledger.reject_candidate(submission, "It belongs to another submission.")


def _is_perhaps_under_way(news: JobReport) -> bool:
    """Tell whether a sender that still waits for its answer may have made this job."""
    rows = Submission.objects.using(VideoJob.database()).filter(status=Status.SUBMITTING)
    claims, created_at = rows.values_list("sent_at", flat=True), news.created_at
    return any(
        created_at is None or sent_at is None or created_at >= aware(sent_at) - SKEW
        for sent_at in claims
    )
