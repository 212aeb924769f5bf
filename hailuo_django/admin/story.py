"""What stands below the fields of a job: its submissions side by side, and what happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
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

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: VideoJob | None = None,
    ) -> HttpResponse:
        """Add the story; a draft has none."""
        if obj and obj.submission_count:
            share_expectations([obj])
            rows = list(submissions_of(obj))
            now, several = timezone.now(), len(rows) > 1
            context["cards"] = [self.card_class(obj, row, now, several) for row in rows]
            context["timeline"] = Timeline.of(self.get_entries(request, obj, rows))
        return super().render_change_form(request, context, add, change, form_url, obj)
