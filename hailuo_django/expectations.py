"""When a video may be expected: from this site's own history, never a promise.

Only what was completed counts, by resolution and duration, since these decide how long Krea
takes. A few samples say nothing, and old ones little: the newest hundred are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from statistics import quantiles
from typing import Any, TypeAlias

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from .clock import beginning_of
from .models import Submission, VideoJob
from .states import Status

SAMPLES_NEEDED = 20
SAMPLES_LOOKED_AT = 100

EVER = date(2000, 1, 1)
"""Before any video was made."""

Kind: TypeAlias = tuple[str, int]
"""Resolution and duration."""


@dataclass(frozen=True)
class Expectation:
    """How long videos of one resolution and duration took, from being sent to their end."""

    samples: int
    usual_seconds: float
    """Half of them took no longer."""
    long_seconds: float
    """Nine of ten took no longer."""

    def end_of(self, submission: Submission) -> datetime | None:
        """Return when ``submission`` is usually done; None for one that was not sent."""
        if submission.sent_at is None:
            return None
        return submission.sent_at + timedelta(seconds=self.usual_seconds)

    def is_exceeded(self, submission: Submission, now: datetime) -> bool:
        """Tell whether ``submission`` takes longer than nine of ten did."""
        if submission.sent_at is None:
            return False
        return (now - submission.sent_at).total_seconds() > self.long_seconds


class Expectations:
    """What may be expected, asked once for all ``kinds`` together, and once for any other kind."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds = {*kinds}
        self._known: dict[Kind, Expectation | None] = {}

    def of(self, resolution: str, duration: int) -> Expectation | None:
        """Return what may be expected; None below ``SAMPLES_NEEDED`` completed ones."""
        kind = (resolution, duration)
        if kind not in self._known:
            asked = {kind, *self._kinds} - {*self._known}
            seconds = _seconds(asked)
            self._known |= {one: _expectation(seconds[one]) for one in asked}
        return self._known[kind]


def _seconds(kinds: Iterable[Kind]) -> dict[Kind, list[float]]:
    """Return how long the newest of each kind took. So many jobs are read, however many exist."""
    first, *others = map(_newest, sorted(kinds))
    rows = first.union(*others, all=True).order_by() if others else first
    found: dict[Kind, list[float]] = {kind: [] for kind in kinds}
    for resolution, duration, _at, sent, end in sorted(rows, key=itemgetter(2), reverse=True):
        if sent and end:
            found[resolution, duration].append(max((end - sent).total_seconds(), 0.0))
    return {kind: seconds[:SAMPLES_LOOKED_AT] for kind, seconds in found.items()}


def _newest(kind: Kind) -> Any:
    """Return the newest of a kind, which an index has in one range: from the hundredth on."""
    resolution, duration = kind
    jobs = VideoJob.objects.using(VideoJob.database()).filter(
        status=Status.COMPLETED, resolution=resolution, duration=duration
    )
    hundredth = slice(SAMPLES_LOOKED_AT - 1, SAMPLES_LOOKED_AT)
    begin = Subquery(jobs.order_by("-completed_at").values("completed_at")[hundredth])
    made = Submission.objects.filter(
        job=OuterRef("pk"), status=Status.COMPLETED, sent_at__isnull=False
    ).order_by("number")
    # Not a join: SQLite would begin with the submissions, and read all that were ever completed.
    times = (Subquery(made.values(name)[:1]) for name in ("sent_at", "ended_at"))
    newest = jobs.order_by().filter(completed_at__gte=Coalesce(begin, Value(beginning_of(EVER))))
    return newest.values_list("resolution", "duration", "completed_at", *times)


def _expectation(seconds: list[float]) -> Expectation | None:
    if len(seconds) < SAMPLES_NEEDED:
        return None
    tenths = quantiles(seconds, n=10, method="inclusive")
    return Expectation(len(seconds), usual_seconds=tenths[4], long_seconds=tenths[8])
