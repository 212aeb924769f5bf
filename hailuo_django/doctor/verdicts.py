"""What a person decides about a lost answer, and the evidence that is shown before."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q
from django.utils.translation import gettext as _

from hailuo_django import ledger, pacing
from hailuo_django.exceptions import Conflict, HailuoError
from hailuo_django.krea.errors import NotFound
from hailuo_django.ledger import By
from hailuo_django.models import JobEvent, Stranger, Submission, VideoJob
from hailuo_django.models.conditions import NEVER_ENDING
from hailuo_django.models.submission_querysets import SubmissionQuerySet
from hailuo_django.states import Status

from .findings import foreign, shown
from .krea import client
from .rows import examine_account


class Unknown(HailuoError):
    """No such job, submission, upstream job or user."""

    code = "unknown"


def find_job(text: str) -> VideoJob:
    """Return the job with this id. Raises Unknown."""
    try:
        return VideoJob.objects.using(VideoJob.database()).get(pk=uuid.UUID(text))
    except (ValueError, VideoJob.DoesNotExist):
        raise Unknown(_("There is no job %(id)s.") % {"id": foreign(text)}) from None


def find_submission(job: VideoJob, number: int | None, *, unsent: bool = False) -> Submission:
    """Return the submission of that number, or the only one to decide about. Raises Unknown.

    ``unsent``: or the only one that is still to be sent.
    """
    wanted = Q(status=Status.UNCONFIRMED) | NEVER_ENDING
    if unsent:
        wanted |= Q(status=Status.UNSENT)
    if number is not None:
        wanted = Q(number=number)
    found = list(_submissions(job).filter(wanted))
    if len(found) == 1:
        return found[0]
    if number is not None:
        raise Unknown(_("The job has no submission %(number)d.") % {"number": number})
    if not found:
        raise Unknown(
            _("No submission of this job waits to be decided about: name one with --number.")
        )
    raise Unknown(
        _("The job has %(count)d submissions to decide about: name one with --number.")
        % {"count": len(found)}
    )


def find_stranger(krea_job_id: str) -> Stranger:
    """Return an upstream job that nobody here knows; Krea is asked where it was not seen yet.

    Raises Unknown, KreaError, or Conflict where a submission has it on record.
    """
    ours = Submission.objects.using(VideoJob.database()).filter(krea_job_id=krea_job_id)
    if (owner := ours.first()) is not None:
        message = _("This Krea job belongs to submission %(number)d of job %(job)s.")
        raise Conflict(message % {"number": owner.number, "job": owner.job_id}, code="known_job")
    rows = Stranger.objects.using(ours.db).filter(krea_job_id=krea_job_id)
    if (known := rows.first()) is not None:
        return known
    try:
        with client() as krea:
            found = krea.get(krea_job_id)
    except NotFound:
        name = {"id": foreign(krea_job_id)}
        raise Unknown(_("Krea does not know a job %(id)s, nor does this site.") % name) from None
    ledger.remember_strangers(pacing.account(), [found])
    return Stranger.objects.using(rows.db).get(krea_job_id=found.krea_job_id)  # as Krea spells it


def operator(username: str | None) -> By:
    """Return who decides; without a name, nobody in particular. Raises Unknown."""
    if not username:
        return By(JobEvent.Source.OPERATOR)
    try:
        user = get_user_model()._default_manager.get_by_natural_key(username)
    except ObjectDoesNotExist:
        raise Unknown(_("There is no user %(name)s.") % {"name": foreign(username)}) from None
    return By(JobEvent.Source.OPERATOR, user)


def told(job: VideoJob) -> Iterator[str]:
    """Yield lines about a job, each of its submissions and the evidence about it."""
    yield _("Job %(id)s: %(status)s") % {"id": job.pk, "status": job.status}
    for submission in _submissions(job):
        yield told_briefly(submission)
        error = ": ".join(filter(None, (submission.error_code, submission.error_message)))
        for said in filter(None, (submission.failure_code, error, submission.note)):
            yield f"    {foreign(said)}"
        if submission.krea_status not in ("", submission.status):
            yield _("    In Krea's words: %(said)s") % {"said": foreign(submission.krea_status)}
        if submission.cancel_requested_at and not submission.ended_at:
            since = {"since": shown(submission.cancel_requested_at)}
            yield _("    Somebody wants it cancelled, since %(since)s.") % since
        if submission.candidate_id:
            yield _("    Krea is asked about %(id)s.") % {"id": foreign(submission.candidate_id)}
        for stranger in _named(submission):
            named = {"stranger": told_stranger(stranger)}
            yield _("    Named for this submission: %(stranger)s") % named
        if submission.status == Status.UNCONFIRMED:
            yield from _evidence(submission)


def told_account() -> Iterator[str]:
    """Yield lines about what holds back the account in use, and how much waits to be sent."""
    yield from (finding.found for finding in examine_account())
    unsent = Submission.objects.using(VideoJob.database()).filter(status=Status.UNSENT)
    yield _("Submissions to be sent: %(count)d.") % {"count": unsent.count()}


def told_briefly(submission: Submission) -> str:
    """Return one line about a submission."""
    return _(
        "  Submission %(number)d: %(status)s, %(price)s USD, sent %(sent)s, Krea job %(id)s"
    ) % {
        "number": submission.number,
        "status": submission.status,
        "price": submission.price_usd,
        "sent": shown(submission.sent_at),
        "id": submission.krea_job_id or "-",
    }


def told_stranger(stranger: Stranger) -> str:
    """Return one line about an upstream job that nobody here knows."""
    return _("Krea job %(id)s: %(status)s, created %(created)s") % {
        "id": foreign(stranger.krea_job_id),
        "status": foreign(stranger.krea_status) or "-",
        "created": shown(stranger.krea_created_at),
    }


def _evidence(submission: Submission) -> Iterator[str]:
    """Yield what Krea's list showed about a lost answer, by Krea's clock."""
    seen = submission.evidence
    if not seen:
        yield _("    Krea's list was not looked at yet.")
        return
    yield _("    Krea's list of %(listed_at)s: %(jobs)s jobs since %(since)s.") % {
        "listed_at": shown(submission.evidence_time("listed_at")),
        "jobs": seen.get("jobs", "-"),
        "since": shown(submission.evidence_time("since")),
    }
    if not seen.get("whole"):
        yield _("    It was not complete.")
    if seen.get("control"):
        yield _("    It shows job %(id)s of this site, made after the answer was lost.") % {
            "id": foreign(seen["control"])
        }
    else:
        yield _("    It shows no job of this site made after the answer was lost: it may lag.")
    if seen.get("absent") and not _named(submission):
        yield _("    So this submission never reached Krea.")
    ids = seen.get("strangers", ())
    for stranger in Stranger.objects.using(VideoJob.database()).open().filter(krea_job_id__in=ids):
        yield _("    It may be: %(stranger)s") % {"stranger": told_stranger(stranger)}


def _named(submission: Submission) -> list[Stranger]:
    strangers = Stranger.objects.using(VideoJob.database())
    return list(strangers.open().filter(named_for=submission))


def _submissions(job: VideoJob) -> SubmissionQuerySet:
    rows: SubmissionQuerySet = Submission.objects.using(VideoJob.database())
    return rows.filter(job=job).order_by("number")
