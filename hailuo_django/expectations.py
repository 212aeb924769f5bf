"""When a video may be expected: from this site's own history, never a promise.

Only what was completed counts, by resolution and duration, since these decide how long Krea
takes. A few samples say nothing, and old ones little: the newest hundred are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from django.db.models import OuterRef, Subquery

from .models import Submission, VideoJob
from .states import Status

SAMPLES_NEEDED = 20
SAMPLES_LOOKED_AT = 100


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
    """What may be expected, asked once for each kind of video as long as this object lives."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Expectation | None] = {}

    def of(self, resolution: str, duration: int) -> Expectation | None:
        """Return what may be expected; None below ``SAMPLES_NEEDED`` completed ones."""
        kind = (resolution, duration)
        if kind not in self._known:
            self._known[kind] = _expectation(_seconds(*kind))
        return self._known[kind]


def _seconds(resolution: str, duration: int) -> list[float]:
    """Return how long the newest took. Exactly so many jobs are read, however many there are."""
    jobs = VideoJob.objects.using(VideoJob.database()).filter(
        status=Status.COMPLETED, resolution=resolution, duration=duration
    )
    made = Submission.objects.filter(
        job=OuterRef("pk"), status=Status.COMPLETED, sent_at__isnull=False
    ).order_by("number")
    # Not a join: SQLite would begin with the submissions, and read all that were ever completed.
    times = (Subquery(made.values(name)[:1]) for name in ("sent_at", "ended_at"))
    newest = jobs.order_by("-completed_at").values_list(*times)[:SAMPLES_LOOKED_AT]
    return [max((end - sent).total_seconds(), 0.0) for sent, end in newest if sent and end]


def _expectation(seconds: list[float]) -> Expectation | None:
    if len(seconds) < SAMPLES_NEEDED:
        return None
    tenths = quantiles(seconds, n=10, method="inclusive")
    return Expectation(len(seconds), usual_seconds=tenths[4], long_seconds=tenths[8])
