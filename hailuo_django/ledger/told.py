"""What webhooks, and answers to requests, have said of a job: the word that is kept.

Each job that a submission's own webhook named stands among the unknown upstream jobs with what
was said of it: it may be paid for, whatever Krea answers later. So does the word about a video of
the one on record.
"""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Exists, Q
from django.utils import timezone

from hailuo_django import results
from hailuo_django.clock import site_time
from hailuo_django.conf import conf
from hailuo_django.krea.wire import JobReport, Unreadable, read_job
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.states import ENDED, Status

from .recipe import WEBHOOK, By, write_note

MAX_NAMED = 10
"""So many jobs are kept for one submission, and so many more that are told to have a video.

Krea makes one of it, and a gateway perhaps two.
"""


def keep_told(submission: Submission, news: JobReport, *, by: By = WEBHOOK) -> bool:
    """Keep what a submission's own webhook, or the answer to its own request, says of a job.

    Of the one on record a word about a video, should Krea not know it: whatever Krea says
    meanwhile, the word is not lost. Return whether Krea is to be asked about it: not where a
    person has dismissed it, unless the webhook tells of a video since; and without one, not in
    the place of another that has.
    """
    is_its_own = submission.krea_job_id == news.krea_job_id
    if is_its_own and (conf.WEBHOOK_CONFIRM or news.status != Status.COMPLETED):
        return True
    is_new = _write_told(submission, news)
    beside = submission.krea_job_id or submission.candidate_id
    if is_new and beside not in (None, "", news.krea_job_id):
        teller = "A webhook" if by == WEBHOOK else "Krea's answer"
        detail = f"{teller} names Krea job {news.krea_job_id} beside {beside}: both may be billed."
        write_note(submission, detail, by)
    strangers = Stranger.objects.using(VideoJob.database())
    dismissed = strangers.filter(krea_job_id=news.krea_job_id, dismissed_at__isnull=False)
    asked = strangers.unrecorded().filter(krea_job_id=submission.candidate_id)
    better = asked.filter(named_for=submission, krea_status=Status.COMPLETED)
    gives_way = news.status == Status.COMPLETED or not better.exists()
    return gives_way and not dismissed.exists()


def what_was_told(submission: Submission) -> str:
    """Return a webhook's words about the job on record, else about the candidate, or nothing."""
    strangers = Stranger.objects.using(VideoJob.database()).filter(named_for=submission)
    krea_job_id = submission.krea_job_id or submission.candidate_id
    told = strangers.filter(krea_job_id=krea_job_id).first()
    return told.raw if told else ""


def is_told_of(krea_job_id: str) -> Q:
    """Return the condition that a webhook, or an answer, told of a video of this job's."""
    told = Stranger.objects.using(VideoJob.database()).filter(named_for__isnull=False)
    return Q(Exists(told.filter(krea_job_id=krea_job_id, krea_status=Status.COMPLETED)))


def told_beside(rejected: Submission) -> str:
    """Return a job of whose video a webhook told before another was named that is none."""
    unknown = Stranger.objects.using(VideoJob.database()).unrecorded()
    told = unknown.filter(named_for=rejected, krea_status=Status.COMPLETED)
    # Else two of which Krea knows neither would be asked for in turn, for ever.
    if told.filter(krea_job_id=rejected.candidate_id).exists():
        return ""
    best = told.order_by("-last_seen_at", "-pk").first()
    return best.krea_job_id if best else ""


def readable(news: JobReport) -> str:
    """Return Krea's words as they are kept: its own, or the gist where those had to be cut."""
    try:
        read_job(news.raw)
    except Unreadable:
        gist = {"job_id": news.krea_job_id, "status": news.status}
        return json.dumps({**gist, "result": {"urls": news.urls}})
    return news.raw


def _write_told(submission: Submission, news: JobReport) -> bool:
    """Write it down; return whether the job is named for the first time, or now has a video."""
    strangers = Stranger.objects.using(VideoJob.database())
    mine = strangers.filter(krea_job_id=news.krea_job_id)
    told: dict[str, Any] = {"krea_status": news.status, "raw": readable(news)}
    told["last_seen_at"] = timezone.now()
    anew = {"dismissed_at": None, "dismissed_by": None}
    if submission.krea_job_id == news.krea_job_id:
        mine.update(named_for=submission)  # whatever it was named for before
    is_new = mine.filter(named_for=None).update(named_for=submission, **anew) > 0
    if news.status == Status.COMPLETED:
        is_new |= mine.exclude(krea_status=Status.COMPLETED).update(**told, **anew) > 0
        kept = mine.first()
        if kept and results.better(news.urls, _address_in(kept.raw), conf.RESULT_HOSTS):
            mine.update(**told)
    else:
        # A word that comes late does not replace an end.
        mine.exclude(krea_status__in=ENDED).update(**told)
    if is_new or mine.exists() or not _may_be_kept(submission, news):
        return is_new
    told |= {"named_for": submission, "account": submission.account}
    told["krea_created_at"] = site_time(news.created_at) if news.created_at else None
    return strangers.get_or_create(krea_job_id=news.krea_job_id, defaults=told)[1]


def _address_in(raw: str) -> str:
    try:
        return results.best(read_job(raw).urls, conf.RESULT_HOSTS)
    except Unreadable:
        return ""


def _may_be_kept(submission: Submission, news: JobReport) -> bool:
    """Whether no other submission has the job on record, and there are not too many already."""
    if submission.krea_job_id == news.krea_job_id:
        return True
    named = Stranger.objects.using(VideoJob.database()).filter(named_for=submission)
    if news.status == Status.COMPLETED:
        # Ten that may be lies do not keep a video out.
        named = named.filter(krea_status=Status.COMPLETED)
    known = Submission.objects.using(named.db).filter(krea_job_id=news.krea_job_id)
    return not known.exists() and named[:MAX_NAMED].count() < MAX_NAMED
