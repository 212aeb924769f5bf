"""What a webhook changes that does not decide: it is counted, or a hint to ask Krea now."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from hailuo_django import results, states
from hailuo_django.conf import conf
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Submission, VideoJob
from hailuo_django.models.conditions import HAS_A_NAME
from hailuo_django.nudge import nudge_after_commit
from hailuo_django.states import WITHOUT_VIDEO, Status

from .recipe import WEBHOOK, lock_job, write_note
from .schedule import found_again
from .told import keep_told
from .wishes import stop_twins_of_a_video


def count_webhook(job_id: uuid.UUID, number: int, news: JobReport) -> bool:
    """Count a webhook that repeats what is on record; False when it does not.

    An address is news where the video has none, or none that may be linked.
    """
    said = Submission.objects.using(VideoJob.database()).filter(
        job_id=job_id,
        number=number,
        krea_job_id=news.krea_job_id,
        status=news.status,
        krea_status=news.status,  # what was assumed here is none of Krea's words
    )
    if news.status == Status.COMPLETED and news.urls:
        same = said.filter(result_url=results.best(news.urls, conf.RESULT_HOSTS))
        if same.update(**webhook_seen()):  # in one statement, as nearly always
            return True
        known = said.values_list("result_url", flat=True).first()
        if known is None or results.better(news.urls, known, conf.RESULT_HOSTS):
            return False
    return bool(said.update(**webhook_seen()))


def make_due(job_id: uuid.UUID, number: int, news: JobReport | None = None) -> None:
    """Have Krea itself asked now, and keep what a webhook said, should Krea have no answer."""
    alias = VideoJob.database()
    rows = Submission.objects.using(alias).filter(job_id=job_id, number=number)
    with transaction.atomic(using=alias):
        lock_job(job_id)
        if news:
            for row in rows:
                if keep_told(row, news):
                    rows.filter(krea_job_id=None).update(candidate_id=news.krea_job_id)
                _doubt_its_end(row, news)
        # What has ended without a name is nothing that Krea could be asked for.
        can_be_asked_for = Q(status__in=states.LIVE) | HAS_A_NAME
        due_at = Case(When(can_be_asked_for, then=Value(timezone.now())))
        if rows.update(due_at=due_at, **found_again(), **webhook_seen()):
            stop_twins_of_a_video(job_id, by=WEBHOOK)
            nudge_after_commit(job_id, using=alias)


def webhook_seen() -> dict[str, Any]:
    """Return the counters of one more webhook."""
    return {"webhook_count": F("webhook_count") + 1, "last_webhook_at": timezone.now()}


def _doubt_its_end(submission: Submission, news: JobReport) -> None:
    """Where Krea told of an end without a video, and now tells of one, it is in doubt again."""
    mine = Submission.objects.using(VideoJob.database()).filter(
        pk=submission.pk,
        krea_job_id=news.krea_job_id,
        krea_status__in=WITHOUT_VIDEO,
        status__in=WITHOUT_VIDEO,
    )
    if news.status == Status.COMPLETED and mine.update(krea_status=news.status):
        detail = f"A webhook says {news.status}, against {submission.status}: Krea is asked."
        write_note(submission, detail, WEBHOOK)
