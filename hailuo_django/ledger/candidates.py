"""Jobs of Krea's that are named for a submission, by its own webhooks or by a person.

Krea's answer to a GET confirms the last that was named. Until it does, each that a webhook named
stands among the unknown upstream jobs with what was said of it: it may be paid for.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django.clock import site_time
from hailuo_django.conf import conf
from hailuo_django.exceptions import Conflict
from hailuo_django.krea.wire import JobReport, Unreadable, is_job_id, read_job
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.models.submission_querysets import SubmissionQuerySet
from hailuo_django.nudge import nudge_after_commit
from hailuo_django.states import ENDED, WITHOUT_VIDEO, Action, Status

from .conflicts import undecidable
from .recipe import POLL, WEBHOOK, By, lock_job, write_decision, write_note
from .wishes import stop_twins_of_a_video

MAX_NAMED = 10
"""So many jobs are kept for one submission. Krea makes one of it, and a gateway perhaps two."""


def choose(submission: Submission, krea_job_id: str, *, by: By) -> None:
    """Name the upstream job that this submission became; Krea's answer to a GET confirms it.

    Raises Conflict when the answer was not lost although it was sent, a job is on record that
    may still become a video or whose webhooks named no other, or the job named is another's.
    """
    alias = VideoJob.database()
    if not is_job_id(krea_job_id):
        raise Conflict(_("This cannot be the id of a Krea job."), code="invalid_id")
    with transaction.atomic(using=alias):
        lock_job(submission.job_id)
        row = _nameable(submission, krea_job_id)
        if row is None:
            raise undecidable()
        _check_whose(row, krea_job_id)
        note_displaced(_rows().filter(pk=row.pk), krea_job_id, by)
        named: dict[str, Any] = {"candidate_id": krea_job_id, "not_found_since": None}
        if row.krea_job_id:
            _set_aside(row, by)
            # A wish to cancel was about the one that gives way.
            named |= {"krea_job_id": None, "krea_status": "", "written_off_at": None}
            named |= {"cancel_requested_at": None, "cancel_sent_at": None}
        _rows().filter(pk=row.pk).update(**named, due_at=timezone.now())
        write_decision(row, Action.CHOOSE, krea_job_id, by)
        stop_twins_of_a_video(row.job_id, by=by)
        nudge_after_commit(row.job_id, using=alias)


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


def _write_told(submission: Submission, news: JobReport) -> bool:
    """Write it down; return whether the job is named for the first time, or now has a video."""
    strangers = Stranger.objects.using(VideoJob.database())
    mine = strangers.filter(krea_job_id=news.krea_job_id)
    told: dict[str, Any] = {"krea_status": news.status, "raw": readable(news)}
    told["last_seen_at"] = timezone.now()
    anew = {"dismissed_at": None, "dismissed_by": None}
    is_new = mine.filter(named_for=None).update(named_for=submission, **anew) > 0
    if news.status == Status.COMPLETED:
        is_new |= mine.exclude(krea_status=Status.COMPLETED).update(**told, **anew) > 0
    else:
        # A word that comes late does not replace an end.
        mine.exclude(krea_status__in=ENDED).update(**told)
    if is_new or mine.exists() or not _may_be_kept(submission, news):
        return is_new
    told |= {"named_for": submission, "account": submission.account}
    told["krea_created_at"] = site_time(news.created_at) if news.created_at else None
    return strangers.get_or_create(krea_job_id=news.krea_job_id, defaults=told)[1]


def _may_be_kept(submission: Submission, news: JobReport) -> bool:
    """Whether no other submission has the job on record, and there are not too many already."""
    if submission.krea_job_id == news.krea_job_id:
        return True
    named = Stranger.objects.using(VideoJob.database()).filter(named_for=submission)
    known = _rows().filter(krea_job_id=news.krea_job_id)
    return not known.exists() and named[:MAX_NAMED].count() < MAX_NAMED


def readable(news: JobReport) -> str:
    """Return Krea's words as they are kept: its own, or the gist where those had to be cut."""
    try:
        read_job(news.raw)
    except Unreadable:
        gist = {"job_id": news.krea_job_id, "status": news.status}
        return json.dumps({**gist, "result": {"urls": news.urls}})
    return news.raw


def what_was_told(submission: Submission) -> str:
    """Return a webhook's words about the job on record, else about the candidate, or nothing."""
    strangers = Stranger.objects.using(VideoJob.database()).filter(named_for=submission)
    krea_job_id = submission.krea_job_id or submission.candidate_id
    told = strangers.filter(krea_job_id=krea_job_id).first()
    return told.raw if told else ""


def note_displaced(rows: QuerySet[Submission], krea_job_id: str, by: By) -> None:
    """Say that a webhook had named a job for a submission before another takes its place."""
    row = rows.filter(krea_job_id=None).exclude(candidate_id__in=("", krea_job_id)).first()
    # What a person named stands in the history.
    if row and not row.was_named_by_a_person:
        detail = f"Krea job {row.candidate_id} was named for it before {krea_job_id}"
        write_note(row, f"{detail}, and may be billed as well.", by)


def reject_candidate(
    submission: Submission, reason: str, *, by: By = POLL, is_anothers: bool = False
) -> None:
    """Forget a candidate that Krea did not confirm; the row waits as before.

    ``is_anothers``: it cannot be this submission's, although its webhook named it.
    """
    mine = _rows().filter(pk=submission.pk, candidate_id=submission.candidate_id)
    with transaction.atomic(using=VideoJob.database()):
        lock_job(submission.job_id)
        # To be sent, or to be looked for in Krea's list; what has ended waits for nothing.
        waits = Q(status__in=[Status.UNSENT, Status.UNCONFIRMED])
        due_at = Case(When(waits, then=Value(timezone.now())))
        detail = f"{submission.candidate_id} was named and not adopted: {reason}"
        if mine.update(candidate_id="", not_found_since=None, due_at=due_at, note=detail):
            write_note(submission, detail, by)
        if is_anothers:
            named = Stranger.objects.using(mine.db).filter(named_for=submission)
            named.filter(krea_job_id=submission.candidate_id).update(named_for=None)


def _nameable(submission: Submission, krea_job_id: str) -> Submission | None:
    mine = _rows().filter(pk=submission.pk)
    named = Q(named_jobs__krea_job_id=krea_job_id)
    return (
        mine.nameable().exclude(candidate_id=krea_job_id).first()
        or mine.replaceable().filter(named).first()
    )


def _check_whose(submission: Submission, krea_job_id: str) -> None:
    """Raise Conflict where a job is another submission's, or was named for another."""
    others = _rows().exclude(pk=submission.pk)
    named = Stranger.objects.using(others.db).open().filter(krea_job_id=krea_job_id)
    its_own = Q(krea_job_id=krea_job_id) | Q(candidate_id=krea_job_id)
    owner = others.filter(its_own | Q(pk__in=named.values("named_for"))).first()
    if owner:
        message = _("This Krea job belongs to submission %(number)d of job %(job)s.")
        names = {"number": owner.number, "job": owner.job_id}
        raise Conflict(message % names, code="known_job")


def _set_aside(submission: Submission, by: By) -> None:
    """Remember the Krea job that gives way to another of the same submission.

    Where Krea never said that it has ended it may be billed yet, and stays in question.
    """
    is_over = submission.krea_status in WITHOUT_VIDEO or submission.due_at is None
    told = {"krea_status": submission.krea_status, "raw": submission.raw}
    about = {"named_for": submission, "dismissed_at": timezone.now() if is_over else None}
    strangers = Stranger.objects.using(VideoJob.database())
    row, is_new = strangers.get_or_create(
        krea_job_id=submission.krea_job_id,
        defaults={"account": submission.account, **about, **told},
    )
    if not is_new:
        mine = strangers.filter(pk=row.pk)
        mine.update(**about)
        if is_over:
            mine.update(**told)
    how = " ".join(filter(None, [submission.status, submission.failure_code]))
    write_note(submission, f"Krea job {submission.krea_job_id} gives way: {how}.", by)


def _rows() -> SubmissionQuerySet:
    rows: SubmissionQuerySet = Submission.objects.using(VideoJob.database())
    return rows
