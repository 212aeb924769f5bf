"""What somebody should look at, and the rows that say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, QuerySet
from django.db.models.functions import Substr
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from hailuo_django.admin import display
from hailuo_django.models import VideoJob

from .ways import Button, Link

MAX_COUNTED = 1000
"""Who has more of them knows enough."""

MAX_NAMED = 5


@dataclass(frozen=True)
class Concern:
    """One thing that needs attention."""

    name: str
    words: str
    """What is so, with its count."""
    advice: str
    """What to do about it."""
    links: list[Link] = field(default_factory=list)
    """Where to do it."""
    detail: str = ""
    """What Krea said of it."""
    button: Button | None = None
    """What does it at once."""


@dataclass(frozen=True)
class Found:
    """A job that was found, or one submission of it."""

    job: VideoJob
    """Its id and the beginning of its prompt."""
    number: int | None
    """The submission's; None where it does not matter."""


@dataclass(frozen=True)
class Findings:
    """All that were found, up to one more than are counted."""

    rows: list[Found]

    @classmethod
    def of(cls, rows: QuerySet[Any], number: str | Case = "number") -> Findings:
        """Read rows that belong to jobs; ``number`` is that of the submission."""
        return cls._read(rows.values_list("job_id", _beginning("job__prompt"), number))

    @classmethod
    def of_jobs(cls, jobs: QuerySet[Any]) -> Findings:
        """Read jobs."""
        return cls._read(jobs.values_list("pk", _beginning("prompt"), "submission_count"))

    @classmethod
    def _read(cls, rows: QuerySet[Any, Any]) -> Findings:
        found = rows[: MAX_COUNTED + 1]
        return cls([Found(VideoJob(pk=pk, prompt=prompt), number) for pk, prompt, number in found])

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def count(self) -> str:
        """How many, in words."""
        return counted(len(self))

    def links(self, address: Callable[[Found], str], words: Callable[[Found], str]) -> list[Link]:
        """Return links to the first of them."""
        return [Link(address(row), words(row)) for row in self.rows[:MAX_NAMED]]


def counted(number: int) -> str:
    """Return a count in words, also where nobody counted to its end."""
    shown = number_format(min(number, MAX_COUNTED), force_grouping=True)
    return _("more than %s") % shown if number > MAX_COUNTED else shown


def _beginning(field: str) -> Substr:
    """Return as much of a prompt as a link needs: some are long."""
    return Substr(field, 1, 2 * display.TITLE_LENGTH)
