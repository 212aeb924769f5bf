"""What Krea's list says about a lost answer. Pure, and all times are by Krea's clock.

Krea never repeats a prompt, so all there is to go by is when a job was made and that nobody
here has it on record. A job of ours may be any stranger made since its sender began: there is
no time from which on a request that is still on its way cannot arrive. What ends the doubt is
proof of absence: a list that goes back far enough, shows no such stranger, and does show a
known job made after the end of the window, so that it is not a list that lags.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hailuo_django.krea.wire import JobReport

SKEW = timedelta(minutes=5)
"""Between the clocks of our hosts: what was made longer before the claim is not ours."""

DRIFT = timedelta(minutes=2)
"""Between the clock of a host that works and the database's. Of two hosts one may be ahead and the
other behind: twice this is less than ``SKEW``."""

CLOSE = timedelta(minutes=1)
"""How far apart the clocks of our hosts may be for an adoption of which nobody is asked.

What is adopted was made at most so long before the claim; ``hailuo_doctor`` tells of clocks.
"""


@dataclass(frozen=True)
class Window:
    """When Krea may have taken a request whose answer was lost."""

    claimed: datetime
    """When its sender began."""
    until: datetime
    """The end of the attempt, the grace and ``SKEW``: a list is proof only from here on."""

    @property
    def since(self) -> datetime:
        """The earliest time at which its job may have been made."""
        return self.claimed - SKEW

    def may_hold(self, job: JobReport) -> bool:
        """Whether ``job`` may be what became of it; one without a readable time always may."""
        return job.created_at is None or job.created_at >= self.since


@dataclass(frozen=True)
class Listing:
    """An answer of Krea's list, split by what is known here."""

    listed_at: datetime
    since: datetime | None
    """From when on every job is in it; ``None`` where that is not known."""
    known: Sequence[JobReport]
    """Jobs of this account on record here."""
    strangers: Sequence[JobReport]
    """Jobs nobody here knows, less those that were dismissed."""
    named: Collection[str] = ()
    """Ids of strangers that somebody named for a submission, rightly or not."""


@dataclass(frozen=True)
class Finding:
    """What one listing shows about one submission."""

    window: Window
    listing: Listing
    strangers: tuple[JobReport, ...]
    control: str
    """A known job made after the window: the list does not lag behind it."""

    @property
    def reaches_back(self) -> bool:
        """Whether the list is whole back to the beginning of the window."""
        return self.listing.since is not None and self.listing.since <= self.window.since

    @property
    def is_absent(self) -> bool:
        """Whether it provably never reached Krea."""
        return self.reaches_back and bool(self.control) and not self.strangers

    @property
    def lone_stranger(self) -> JobReport | None:
        """The only job that may be its own, if it fits; the list came after the window."""
        if (
            not self.reaches_back
            or len(self.strangers) != 1
            or self.listing.listed_at < self.window.until
        ):
            return None
        job = self.strangers[0]
        if job.krea_job_id in self.listing.named:
            return None
        fits = job.created_at is not None and job.created_at >= self.window.claimed - CLOSE
        return job if fits else None

    def as_json(self) -> dict[str, Any]:
        """Return what is kept on the row for a person to see."""
        return {
            "listed_at": self.listing.listed_at.isoformat(),
            "since": self.window.since.isoformat(),
            "until": self.window.until.isoformat(),
            "strangers": [job.krea_job_id for job in self.strangers[:MAX_NAMED]],
            "control": self.control,
            "absent": self.is_absent,
            "whole": self.reaches_back,
            "jobs": len(self.listing.known) + len(self.listing.strangers),
        }


MAX_NAMED = 50


def examine(window: Window, listing: Listing) -> Finding:
    """Say what ``listing`` shows about the submission of ``window``."""
    strangers = tuple(job for job in listing.strangers if window.may_hold(job))
    later = (j for j in listing.known if j.created_at is not None and j.created_at > window.until)
    control = next((job.krea_job_id for job in later), "")
    return Finding(window, listing, strangers, control)


def rivals(job: JobReport, windows: Mapping[int, Window], closed: Collection[int]) -> set[int]:
    """Return whose job this may be, by the keys of ``windows``.

    The window of a submission that somebody decided about is ``closed`` at its end; any other
    is open until its absence is proved.
    """
    return {
        key
        for key, window in windows.items()
        if window.may_hold(job)
        and not (key in closed and job.created_at and job.created_at > window.until + SKEW)
    }
