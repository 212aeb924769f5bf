"""The one locking recipe.

Every transaction that changes state begins with a write: a conditional UPDATE whose row
count says who won. No read comes before it, since a SQLite transaction that reads first
fails with "database is locked" as soon as another one has written. Locks are taken job
first, then submission, everywhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, TextField, Value, When
from django.utils import timezone

from hailuo_django import results, states
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import Action, Status

from .announcements import announce_after_commit, patience

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

ANNOUNCEMENTS: dict[str, str] = {
    Status.COMPLETED: "job_completed",
    Status.FAILED: "job_failed",
    Status.CANCELLED: "job_cancelled",
}

MAX_DETAIL_LENGTH = 4000


@dataclass(frozen=True)
class By:
    """Who changes something: one of ``JobEvent.Source``, and the person where there is one."""

    source: str
    actor: AbstractBaseUser | None = None


SYSTEM = By(JobEvent.Source.SYSTEM)
POLL = By(JobEvent.Source.POLL)
WEBHOOK = By(JobEvent.Source.WEBHOOK)


class _Overtaken(Exception):
    """The submission is not where it could be moved from; undo the write that locked its job."""


@dataclass(frozen=True)
class Move:
    """One move of one submission, and what has to hold for it."""

    job_id: uuid.UUID
    number: int
    action: Action
    target: Status
    by: By
    detail: str = ""
    where: Q = Q()
    """On the submission, besides the states that the transition table allows."""
    job_where: Q = Q()
    """On the job."""

    @classmethod
    def of(
        cls,
        submission: Submission,
        action: Action,
        target: Status,
        by: By,
        detail: str = "",
        *,
        where: Q = Q(),
        job_where: Q = Q(),
    ) -> Move:
        """Return a move of a submission that the caller has at hand."""
        job_id, number = submission.job_id, submission.number
        return cls(job_id, number, action, target, by, detail, where, job_where)


class Moved(NamedTuple):
    """A move that was made: both rows, before and after."""

    submission_id: int
    from_status: str
    to_status: str
    job_from_status: str
    job_to_status: str
    submission_count: int
    price_usd: Decimal


def move(
    wanted: Move, *, then: Callable[[Moved], None] | None = None, **fields: Any
) -> Moved | None:
    """Make the move and write its event; ``fields`` go onto the submission.

    ``then`` runs last in the same transaction. Returns None when the rows had moved on: then
    nothing was changed.
    """
    alias = VideoJob.database()
    now = timezone.now()
    mine = Submission.objects.using(alias).filter(job_id=wanted.job_id, number=wanted.number)
    movable = mine.filter(wanted.where, status__in=states.sources(wanted.action, wanted.target))
    fields = _end(wanted.target, fields, now)
    try:
        with transaction.atomic(using=alias):
            if not _move_job(wanted, fields, now):
                return None
            # previous_status first: MySQL evaluates assignments from left to right.
            if not movable.update(previous_status=F("status"), status=wanted.target, **fields):
                raise _Overtaken
            moved = Moved(*mine.values_list(*_MOVED).get())
            _write_down(wanted, moved)
            if then:
                then(moved)
            return moved
    except _Overtaken:
        return None


_MOVED = (
    "pk",
    "previous_status",
    "status",
    "job__previous_status",
    "job__status",
    "job__submission_count",
    "price_usd",
)


def _end(target: Status, fields: dict[str, Any], now: datetime) -> dict[str, Any]:
    if target not in states.ENDED:
        return fields
    # A job of Krea's that somebody named meanwhile may be its own, and paid for: it is asked for.
    named = When(~Q(candidate_id=""), then=Value(now))
    due_at = Case(named, default=None, output_field=DateTimeField())
    return {"due_at": due_at, "ended_at": now, "lease_expires_at": None, **fields}


def _move_job(wanted: Move, fields: dict[str, Any], now: datetime) -> int:
    """Lock the job, keep its former state, and let it follow the submission where it does.

    A job is completed if any of its submissions is; else it follows the newest.
    """
    jobs = VideoJob.objects.using(VideoJob.database()).filter(wanted.job_where, pk=wanted.job_id)
    touch: dict[str, Any] = {"previous_status": F("status"), "updated_at": now}
    changes = {"failure_code": fields.get("failure_code", ""), "status": wanted.target}
    follows = ~Q(status=Status.COMPLETED)
    other = touch.copy()
    if wanted.target == Status.COMPLETED:
        found = result(fields["result_url"])
        changes |= {**found, "completed_at": now}
        # Its first video may still lack an address.
        for name, value in found.items():
            lacking = When(result_url="", then=Value(value))
            other[name] = Case(lacking, default=F(name), output_field=TextField())
    else:
        follows &= Q(submission_count=wanted.number)
    # What began to follow between the two is left for another time: it was not changed.
    return jobs.filter(follows).update(**touch, **changes) or jobs.exclude(follows).update(**other)


def result(url: str) -> dict[str, str]:
    """Return what a job keeps of the address of its video."""
    # The address last: MySQL evaluates assignments from left to right, and conditions read it.
    return {"result_host": results.link_host(url), "result_url": url}


def lock_job(job_id: uuid.UUID) -> None:
    """Take the job's lock, by a write that changes nothing, before that of its submission."""
    VideoJob.objects.using(VideoJob.database()).lock([job_id])


def _write_down(wanted: Move, moved: Moved) -> None:
    changed = moved.job_to_status != moved.job_from_status
    event = JobEvent(
        job_id=wanted.job_id,
        submission_id=moved.submission_id,
        action=wanted.action,
        from_status=moved.from_status,
        to_status=moved.to_status,
        detail=" ".join(filter(None, [_money(moved), wanted.detail])),
        announcement=ANNOUNCEMENTS.get(moved.job_to_status, "") if changed else "",
    )
    write_event(event, wanted.by)


def _money(moved: Moved) -> str:
    """Return what a move cost or saved where nobody would expect it."""
    usd = f"{moved.price_usd} USD"
    had_video = moved.job_from_status == Status.COMPLETED
    if moved.to_status == Status.COMPLETED and had_video:
        return f"A second video of this job: it cost {usd} more."
    if moved.to_status == Status.COMPLETED and moved.from_status in states.ENDED:
        return f"Completed after all: it cost {usd}."
    if moved.to_status == Status.CANCELLED and had_video:
        return f"Cancelled in time, the job has its video: {usd} saved."
    return ""


def write_event(event: JobEvent, by: By) -> None:
    """Append one line to the history, and see to its announcement after commit."""
    alias = VideoJob.database()
    event.source, event.actor_id = by.source, by.actor.pk if by.actor else None
    event.detail = event.detail[:MAX_DETAIL_LENGTH]
    if event.announcement:
        event.announce_after = timezone.now() + patience()
    event.save(using=alias, force_insert=True)
    if event.announcement:
        announce_after_commit(event, using=alias)


def write_decision(submission: Submission, action: Action, detail: str, by: By) -> None:
    """Append a decision that moved nothing."""
    event = JobEvent(
        job_id=submission.job_id,
        submission=submission,
        action=action,
        from_status=submission.status,
        to_status=submission.status,
        detail=detail,
    )
    write_event(event, by)


def write_note(submission: Submission, detail: str, by: By) -> None:
    """Append what is worth knowing although nothing moved."""
    event = JobEvent(
        job_id=submission.job_id, submission=submission, action=Action.NOTE, detail=detail
    )
    write_event(event, by)
