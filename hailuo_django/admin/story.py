"""What stands below the fields of a job: its submissions side by side, and what happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone

from hailuo_django.models import Submission, VideoJob

from .base import HailuoAdmin
from .cards import Card, submissions_of
from .progress import share_expectations
from .timeline import Entry, Timeline, entries_of


class StoryMixin(HailuoAdmin):
    """Tells on the page of a submitted job what became of it."""

    card_class: ClassVar[type[Card]] = Card
    """What is shown of a submission."""

    def get_entries(
        self, request: HttpRequest, job: VideoJob, rows: list[Submission]
    ) -> Iterable[Entry]:
        """Return what happened, in any order. Add what the site itself knows of."""
        return entries_of(job, rows)

    def add_to_page(
        self, request: HttpRequest, context: dict[str, Any], obj: VideoJob | None
    ) -> None:
        """Add the story; a draft has none."""
        if obj and obj.submission_count:
            share_expectations([obj])
            rows = list(submissions_of(obj))
            now, several = timezone.now(), len(rows) > 1
            context["cards"] = [self.card_class(obj, row, now, several) for row in rows]
            context["timeline"] = Timeline.of(self.get_entries(request, obj, rows))
        super().add_to_page(request, context, obj)
