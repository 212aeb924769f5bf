"""What may hold for a submission, as conditions on its row."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from hailuo_django.states import LIVE, RUNNING, WITHOUT_VIDEO, FailureCode, Status

NOT_FOUND_AFTER = timedelta(minutes=15)
"""A job that Krea does not know for so long is gone; just after its POST it may be late."""

ABSENT = (FailureCode.GIVEN_UP, FailureCode.NOT_FOUND)
"""Failures that we assumed and Krea never said."""


def lost_for_good(now: datetime) -> Q:
    """Return the condition of a lost answer that a person may decide about.

    Nobody has named a job of Krea's for it; or Krea does not know that job, or has told nothing
    of it for so long that the submission is overdue.
    """
    untold = Q(not_found_since__lte=now - NOT_FOUND_AFTER) | Q(overdue_at__isnull=False)
    return Q(Q(candidate_id="") | untold, status=Status.UNCONFIRMED)


# By the one that has an index and few rows; a constraint says that both are the same.
IS_LIVE = Q(ended_at=None, status__in=LIVE)

HAS_A_NAME = Q(krea_job_id__isnull=False) | ~Q(candidate_id="")
"""There is a job of Krea's to ask for: on record, or named and not confirmed yet."""

ENDED_HERE_ALONE = (
    Q(
        status__in=WITHOUT_VIDEO,
        due_at__isnull=False,  # it is asked for as long as Krea may answer otherwise
    )
    & HAS_A_NAME
    & ~Q(krea_status__in=WITHOUT_VIDEO)
)
"""Ended by a verdict, a refusal, or since Krea did not find it; Krea never said that it has.

Or it did, and a webhook has told of a video since.
"""

UNSETTLED = ENDED_HERE_ALONE & Q(written_off_at=None)
"""Of these those that nobody has written off: their money is reserved."""

NEVER_ENDING = Q(overdue_at__isnull=False) & (Q(status__in=RUNNING) | UNSETTLED)
"""Krea may work on it, and takes longer than it ever should to tell of an end."""
