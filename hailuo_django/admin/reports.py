"""Acting on many rows: each in a transaction of its own, and one message for each outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django.exceptions import HailuoError
from hailuo_django.models import VideoJob

from . import display

logger = logging.getLogger(__name__)

MAX_NAMED = 10
"""How many jobs a message names: messages may travel in a cookie."""


Act = Callable[[VideoJob], None]
"""What to do with one row."""

Say = Callable[[int], str]
"""The words for so many rows done."""


def act_on_each(request: HttpRequest, queryset: QuerySet[VideoJob], act: Act, say: Say) -> None:
    """Let ``act`` change one row after the other, the oldest first, and tell what became of them.

    A row that is in no state for it stops none of the others. What nobody expected goes on
    as an exception, and the messages still tell what was done before.
    """
    report = Report()
    try:
        report.run(queryset, act)
    finally:
        report.tell(request, say(report.done))


@dataclass
class Report:
    """What became of each row."""

    done: int = 0
    skipped: list[tuple[SafeString, str]] = field(default_factory=list)
    failed: list[tuple[SafeString, str]] = field(default_factory=list)

    def run(self, queryset: QuerySet[VideoJob], act: Act) -> None:
        """Act on each row in a transaction that begins with the verb's own write."""
        for job in queryset.order_by("created_at", "pk"):
            try:
                with transaction.atomic(using=VideoJob.database()):
                    act(job)
            except HailuoError as error:
                self.skipped.append((display.title(job), error.message))
            except ValidationError as error:
                self.skipped.append((display.title(job), " ".join(error.messages)))
            except DatabaseError:
                # What was asked of the other rows still holds, and hangs on other locks.
                logger.exception("The database refused what was asked of job %s.", job.pk)
                reason = _("The database refused; look at the job before you try again.")
                self.failed.append((display.title(job), reason))
            else:
                self.done += 1

    def tell(self, request: HttpRequest, done: str) -> None:
        """Write one message for each kind of outcome that there was."""
        if self.done:
            messages.success(request, done)
        if count := len(self.skipped):
            words = ngettext("%d job skipped:", "%d jobs skipped:", count) % count
            messages.warning(request, lines(words, self.skipped))
        if count := len(self.failed):
            words = ngettext("%d job failed:", "%d jobs failed:", count) % count
            messages.error(request, lines(words, self.failed))


def lines(words: str, rows: list[tuple[SafeString, str]]) -> SafeString:
    """Return ``words`` and, each on its line, the first of the rows and why."""
    named = format_html_join("", "<br>{}: {}", rows[:MAX_NAMED])
    more = len(rows) - MAX_NAMED
    rest = ngettext("and %d more", "and %d more", more) % more if more > 0 else ""
    return format_html("{}{}{}", words, named, format_html("<br>{}", rest) if rest else "")
