"""How a comparison with Krea's list is printed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.utils.translation import gettext as _

from hailuo_django.models import Stranger, Submission

from .findings import foreign, shown
from .orphans import Orphans


def as_lines(found: Orphans) -> Iterator[str]:
    """Yield the lines for people."""
    values = {"jobs": found.jobs, "since": shown(found.since)}
    yield _("Krea lists %(jobs)d jobs since %(since)s.") % values
    if not found.complete:
        yield _(
            "The list is not complete, so nothing is said to be missing from it: try fewer --days."
        )
    yield _("Krea's jobs that nobody here knows: %(count)d") % {"count": len(found.strangers)}
    for job in found.strangers:
        yield (
            f"  {foreign(job.krea_job_id)}  {foreign(job.status) or '-'}  {shown(job.created_at)}"
        )
    if found.named:
        yield _("Krea's jobs that a webhook named and no submission has: %(count)d") % {
            "count": len(found.named)
        }
        for stranger in found.named:
            row = stranger.named_for
            yield (
                f"  {foreign(stranger.krea_job_id)}  {foreign(stranger.krea_status) or '-'}"
                + (f"  {row.job_id} #{row.number}" if row else "")
            )
    yield from _rows(_("Submissions whose answer was lost: %(count)d"), found.unconfirmed)
    if found.overdue:
        yield from _rows(_("Submissions of which Krea tells of no end: %(count)d"), found.overdue)
    if found.unsent:
        words = _(
            "Submissions not sent yet, as far as this database knows: %(count)d. After a restore"
            " a job above may be theirs."
        )
        yield from _rows(words, found.unsent)
    yield from _rows(_("Submissions that Krea does not list: %(count)d"), found.missing)
    if found.strangers or found.named or found.unconfirmed or found.overdue:
        yield _(
            "Decide with “hailuo_doctor show JOB”, then adopt, send-again or give-up; “dismiss”"
            " what is none of ours."
        )


def _rows(words: str, submissions: Collection[Submission]) -> Iterator[str]:
    yield words % {"count": len(submissions)}
    for row in submissions:
        yield (
            f"  {row.job_id} #{row.number}  {row.status}  {shown(row.sent_at or row.created_at)}"
            f"  {row.krea_job_id or '-'}"
        )


def as_json(found: Orphans) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "since": shown(found.since),
        "jobs": found.jobs,
        "complete": found.complete,
        "strangers": [
            {
                "krea_job_id": job.krea_job_id,
                "status": job.status,
                "created_at": shown(job.created_at),
            }
            for job in found.strangers
        ],
        "named": [_named(stranger) for stranger in found.named],
        "unconfirmed": [_row(row) for row in found.unconfirmed],
        "overdue": [_row(row) for row in found.overdue],
        "unsent": [_row(row) for row in found.unsent],
        "missing": [_row(row) for row in found.missing],
    }


def _named(stranger: Stranger) -> dict[str, Any]:
    row = stranger.named_for
    return {
        "krea_job_id": stranger.krea_job_id,
        "status": stranger.krea_status,
        "job": str(row.job_id) if row else None,
        "number": row.number if row else None,
    }


def _row(row: Submission) -> dict[str, Any]:
    return {
        "job": str(row.job_id),
        "number": row.number,
        "status": row.status,
        "created_at": shown(row.created_at),
        "sent_at": shown(row.sent_at),
        "krea_job_id": row.krea_job_id,
        "account": row.account,
    }
