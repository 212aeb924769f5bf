"""What became of sending: claimed, held, refused, lost, or answered with a job id."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils import timezone

from hailuo_django.conf import conf
from hailuo_django.krea.errors import Refused
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Action, FailureCode, Status

from .recipe import SYSTEM, Move, lock_job, move, write_note
from .reports import KnownJob, adopt
from .schedule import each_alone
from .told import keep_told
from .verdicts import remember_strangers


def claim(
    submission: Submission,
    *,
    account: str,
    lease_seconds: float,
    with_webhook: bool,
    usual_seconds: float | None = None,
) -> Submission | None:
    """Become the one sender of ``submission``; None when it is not to be sent (any more).

    ``usual_seconds`` is how long such a video takes, where that is known.
    Committed before the POST: whoever dies from here on leaves a row that says so.
    """
    now, rows = timezone.now(), Submission.objects.using(VideoJob.database())
    expires = now + timedelta(seconds=lease_seconds)
    newest = Q(status=Status.UNSENT, submission_count=submission.number)
    wanted = Move.of(submission, Action.CLAIM, Status.SUBMITTING, SYSTEM, job_where=newest)
    with transaction.atomic(using=rows.db):
        lock_job(submission.job_id)
        # Whatever webhooks and looks have told since it was read.
        if not rows.to_send(now).filter(pk=submission.pk).exists():
            return None
        claimed = move(
            wanted,
            account=account,
            lease_token=secrets.token_hex(16),
            lease_expires_at=expires,
            due_at=expires,
            attempts=F("attempts") + 1,
            sent_at=now,
            expected_at=None if usual_seconds is None else now + timedelta(seconds=usual_seconds),
            has_webhook=with_webhook,
            overdue_at=None,  # from here on it is Krea's time
            note="",
        )
    return rows.get(pk=claimed.submission_id) if claimed else None


def hold(claimed: Submission, *, reason: str, behind: bool = False) -> None:
    """It certainly did not reach Krea: it keeps its place, unless nobody wants it any more.

    ``behind`` puts it behind all others instead.
    """
    mine = Q(lease_token=claimed.lease_token)
    held = move(
        Move.of(
            claimed,
            Action.HOLD,
            Status.UNSENT,
            SYSTEM,
            reason,
            where=mine & Q(cancel_requested_at=None),  # as is wished once the job has its video
            job_where=Q(submission_count=claimed.number),
        ),
        due_at=timezone.now() if behind else claimed.created_at,
        lease_expires_at=None,
        sent_at=None,
        expected_at=None,
        note=reason,
    )
    # Written twice, when a commit was not acknowledged, it must not withdraw what was held.
    mine &= Q(status=Status.SUBMITTING)
    withdrawal = Move.of(claimed, Action.WITHDRAW, Status.CANCELLED, SYSTEM, reason, where=mine)
    if held or move(withdrawal):
        return
    detail = f"Certainly not sent, learned after the lease had run out: {reason}"
    write_note(claimed, detail, SYSTEM)


def refuse(claimed: Submission, error: Refused) -> None:
    """Krea said no for good; nothing was bought."""
    wanted = Move.of(
        claimed,
        Action.REFUSE,
        Status.FAILED,
        SYSTEM,
        f"HTTP {error.status}",
        where=Q(lease_token=claimed.lease_token),
    )
    ours = error.is_about_the_account
    move(
        wanted,
        failure_code=FailureCode(error.failure_code),
        error_code="" if ours else error.code,
        error_message="" if ours else error.message,
        raw=error.raw,
        note=error.message if ours else "",
    )


def lose(claimed: Submission, *, reason: str, raw: str = "") -> None:
    """The POST's outcome is unknown: never sent again, resolved by what Krea says later."""
    wanted = Move.of(
        claimed,
        Action.LOSE,
        Status.UNCONFIRMED,
        SYSTEM,
        reason,
        where=Q(lease_token=claimed.lease_token),
    )
    move(wanted, **_lost(reason), raw=raw)


def lose_abandoned(limit: int = 100) -> int:
    """Mark every submission whose sender's lease ran out as unconfirmed; return how many."""
    now = timezone.now()
    abandoned = Submission.objects.using(VideoJob.database()).abandoned(now)
    reason = "The sender stopped before it knew the outcome."
    lost = 0
    for submission in abandoned[:limit]:
        expired = Q(lease_token=submission.lease_token, lease_expires_at__lte=now)
        wanted = Move.of(submission, Action.LOSE, Status.UNCONFIRMED, SYSTEM, reason, where=expired)
        with each_alone(submission):
            lost += move(wanted, **_lost(reason)) is not None
    return lost


def record_answer(claimed: Submission, answer: JobReport) -> None:
    """Krea answered the POST with a job id: recorded always, lease or not."""
    try:
        recorded = adopt(claimed, answer, by=SYSTEM)
    except KnownJob:
        reason = f"Krea answered with the id of another submission: {answer.krea_job_id}"
        lose(claimed, reason=reason, raw=answer.raw)
        return
    except Exception:
        # A receiver of the site's may have raised. The id was paid for: a look will try again.
        unnamed = Submission.objects.using(VideoJob.database()).filter(krea_job_id=None)
        unnamed.filter(pk=claimed.pk).update(candidate_id=answer.krea_job_id)
        raise
    if not recorded:
        rows = Submission.objects.using(VideoJob.database())
        with transaction.atomic(using=rows.db):
            lock_job(claimed.job_id)
            if row := rows.filter(pk=claimed.pk).first():
                keep_told(row, answer, by=SYSTEM)
            else:
                remember_strangers(claimed.account, [answer])  # deleted meanwhile


def _lost(reason: str) -> dict[str, Any]:
    now = timezone.now()
    # Krea's list is asked after the grace; a job that a webhook named already, at once.
    listed = now + timedelta(seconds=conf.UNCONFIRMED_GRACE_SECONDS)
    due_at = Case(
        When(~Q(candidate_id=""), then=Value(now)),
        default=Value(listed),
        output_field=DateTimeField(),
    )
    return {"due_at": due_at, "lease_expires_at": None, "lost_at": now, "note": reason}
