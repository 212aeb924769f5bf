"""What Krea says about a submission: in an answer, in a webhook, or to a look."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from hailuo_django import results, states
from hailuo_django.conf import conf
from hailuo_django.krea.problems import is_about_the_account
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import WITHOUT_VIDEO, Action, FailureCode, Status

from .candidates import note_displaced
from .recipe import POLL, SYSTEM, By, Move, Moved, lock_job, move, result, write_note
from .schedule import first_look, rare_look
from .wishes import HAS_ITS_VIDEO, stop_twins_of_a_video, wish_cancelled


def report(
    job_id: uuid.UUID, number: int, news: JobReport, *, by: By, where: Q = Q(), **fields: Any
) -> bool:
    """Apply Krea's word about the job it recorded; False when it is no news or may not be.

    Only the submission with ``news.krea_job_id`` on record moves, and only forward.
    """
    target = states.known(news.status)
    if target is None:
        return False
    wanted = Move(
        job_id,
        number,
        Action.REPORT,
        target,
        by,
        _flaw(news, target),
        where=where & Q(krea_job_id=news.krea_job_id),
    )
    return move(wanted, then=_stop_twins(job_id), **_facts(news, target), **fields) is not None


class KnownJob(Exception):
    """The job of Krea's is another submission's."""


def confirm_end(
    job_id: uuid.UUID, number: int, news: JobReport, *, by: By, where: Q = Q(), **fields: Any
) -> bool:
    """Put Krea's word in the place of the same end that was assumed here; False where none was."""
    if news.status not in WITHOUT_VIDEO:
        return False
    alias, facts = VideoJob.database(), _facts(news, Status(news.status))
    mine = Submission.objects.using(alias).filter(
        where,
        ~Q(krea_status__in=WITHOUT_VIDEO),
        job_id=job_id,
        number=number,
        krea_job_id=news.krea_job_id,
        status=news.status,
    )
    jobs = VideoJob.objects.using(alias).filter(pk=job_id, status=news.status)
    with transaction.atomic(using=alias):
        lock_job(job_id)
        submission = mine.first()
        if submission is None:
            return False
        mine.update(**facts, **fields)
        follows = jobs.filter(submission_count=number)
        follows.update(failure_code=facts["failure_code"], updated_at=timezone.now())
        said = " ".join(filter(None, [news.status, facts["failure_code"]]))
        write_note(submission, f"Krea says so as well: {said}.", by)
    return True


def adopt(submission: Submission, news: JobReport, *, by: By, where: Q = Q()) -> bool:
    """Record that ``news`` is about this submission, whatever state it is in.

    False when another Krea job is on record already. Raises KnownJob when this one is another
    submission's.
    """
    try:
        return _adopt(submission, news, by, where)
    except IntegrityError:
        others = Submission.objects.using(VideoJob.database()).exclude(pk=submission.pk)
        if others.filter(krea_job_id=news.krea_job_id).exists():
            raise KnownJob from None
        raise  # a receiver of the site's, about rows of its own


def _adopt(submission: Submission, news: JobReport, by: By, where: Q) -> bool:
    target = states.known(news.status) or Status.PROCESSING
    unknown = Q(krea_job_id=None)
    wanted = Move.of(
        submission, Action.ADOPT, target, by, _flaw(news, target), where=unknown & where
    )
    fields = {"due_at": first_look(submission), "lease_expires_at": None, **_facts(news, target)}
    fields |= {"krea_job_id": news.krea_job_id, "candidate_id": ""}
    alias = VideoJob.database()
    with transaction.atomic(using=alias):
        lock_job(submission.job_id)
        mine = Submission.objects.using(alias).filter(where, pk=submission.pk)
        note_displaced(mine, news.krea_job_id, by)
        return (
            move(wanted, then=_stop_twins(submission.job_id), **fields) is not None
            or report(submission.job_id, submission.number, news, by=by)
            or _remember_id(submission, news, by, where)
        )


def _remember_id(submission: Submission, news: JobReport, by: By, where: Q) -> bool:
    """Keep the id on a row that may not move: an ended one may still turn out completed."""
    mine = Submission.objects.using(VideoJob.database()).filter(pk=submission.pk)
    with transaction.atomic(using=VideoJob.database()):
        lock_job(submission.job_id)
        if mine.filter(where, krea_job_id=None, status__in=states.ENDED).update(
            krea_job_id=news.krea_job_id,
            krea_status="",
            candidate_id="",
            written_off_at=None,  # Krea may bill it, and can be asked
            due_at=timezone.now(),
        ):
            detail = f"Krea's job id became known late: {news.krea_job_id}"
            write_note(submission, detail, SYSTEM)
            if not confirm_end(submission.job_id, submission.number, news, by=by):
                mine.update(krea_status=news.status)
            stop_twins_of_a_video(submission.job_id, by=SYSTEM)
    return mine.filter(krea_job_id=news.krea_job_id).exists()


def fill_result(submission: Submission, news: JobReport) -> None:
    """Add the address that was missing, or may not be linked, since the submission completed."""
    if results.linkable(submission.result_url, conf.RESULT_HOSTS):
        return
    alias, url = VideoJob.database(), results.best(news.urls, conf.RESULT_HOSTS)
    with transaction.atomic(using=alias):
        lock_job(submission.job_id)
        jobs = VideoJob.objects.using(alias).filter(pk=submission.job_id)
        # Not where it shows the video of a twin.
        jobs.filter(result_url=submission.result_url).update(
            **result(url), updated_at=timezone.now()
        )
        mine = Submission.objects.using(alias).filter(
            pk=submission.pk, result_url=submission.result_url
        )
        if mine.update(result_url=url, raw=news.raw, due_at=None):
            write_note(submission, f"The result address became known: {url}", POLL)


def miss(submission: Submission, *, not_found_since: datetime, cancelled: bool) -> None:
    """Krea does not know the job: ``cancelled`` if that was our wish, else not found.

    It goes on being asked for: Krea may have been wrong, and never said that it has ended.
    """
    asked: dict[str, Any] = {"due_at": rare_look(not_found_since), "note": ""}
    asked["not_found_since"] = not_found_since
    # Not where a webhook has told of it since Krea was asked.
    unheard = Q(due_at=submission.due_at, not_found_since=submission.not_found_since)
    if cancelled:
        move(Move.of(submission, Action.CANCEL, Status.CANCELLED, POLL, where=unheard), **asked)
    else:
        wanted = Move.of(submission, Action.MISS, Status.FAILED, POLL, where=unheard)
        move(wanted, **asked, failure_code=FailureCode.NOT_FOUND)


def _flaw(news: JobReport, target: Status) -> str:
    if target != Status.COMPLETED:
        return ""
    if not news.urls:
        return "Completed without a result address."
    url = results.best(news.urls, conf.RESULT_HOSTS)
    if not results.linkable(url, conf.RESULT_HOSTS):
        return f"The result is not linked, its host is not in RESULT_HOSTS: {url}"
    return ""


def _facts(news: JobReport, target: Status) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "krea_status": news.status,
        "raw": news.raw,
        "result_url": results.best(news.urls, conf.RESULT_HOSTS),
        "not_found_since": None,
        "failure_code": "",
        "error_code": "",
        "error_message": "",
        "note": "",
    }
    if target in states.ENDED:
        # A video without its address is asked for again.
        missing = target == Status.COMPLETED and not news.urls
        facts["due_at"] = timezone.now() + timedelta(seconds=60) if missing else None
    if target == Status.FAILED:
        facts["failure_code"] = news.failure_code
        if is_about_the_account(news.error_code, news.error_message):
            facts["note"] = news.error_message or news.error_code
        else:
            facts["error_code"], facts["error_message"] = news.error_code, news.error_message
    return facts


def _stop_twins(job_id: uuid.UUID) -> Callable[[Moved], None]:
    """Return what ends the other submissions of a job that has its video."""

    def stop(moved: Moved) -> None:
        if moved.job_to_status == Status.COMPLETED and moved.submission_count > 1:
            wish_cancelled(job_id, by=SYSTEM, detail=HAS_ITS_VIDEO)

    return stop
