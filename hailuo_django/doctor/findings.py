"""What an examination says: how bad it is, what was found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django.clock import aware
from hailuo_django.krea.text import REDACTED
from hailuo_django.tokens import PATTERN

MAX_FOREIGN = 200


class Level(StrEnum):
    """How bad it is; these words are printed, and do not change."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line. ``code`` is the examination, a dot and what was found; it does not change."""

    code: str
    level: Level
    found: str
    fix: str = ""

    @property
    def examination(self) -> str:
        """The part of the code before the dot."""
        return self.code.partition(".")[0]

    def __str__(self) -> str:
        line = f"{self.level:8}{self.code}: {self.found}"
        return f"{line} {_('Fix:')} {self.fix}" if self.fix else line


def ok(code: str, found: str) -> Finding:
    """Nothing is to be done."""
    return Finding(code, Level.OK, found)


def warning(code: str, found: str, fix: str) -> Finding:
    """Somebody should look at it."""
    return Finding(code, Level.WARNING, found, fix)


def problem(code: str, found: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(code, Level.PROBLEM, found, fix)


def foreign(text: str) -> str:
    """A text of others made fit for one line of a terminal: short, inert, without our tokens."""
    plain = PATTERN.sub(REDACTED, " ".join(text.split()))
    return "".join(letter if letter.isprintable() else "?" for letter in plain)[:MAX_FOREIGN]


def shown(moment: datetime | None) -> str:
    """A time as it is printed: in the site's time zone, with its offset."""
    return timezone.localtime(aware(moment)).isoformat(" ", "seconds") if moment else "-"
