"""The filters of the list of jobs, each answered by an index.

A value that a filter does not know leads back to the whole list, as everywhere in Django's
admin, before any action that was posted along touches a row.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from hailuo_django.clock import beginning_of, read_moment, site_day
from hailuo_django.models.querysets import VideoJobQuerySet
from hailuo_django.states import LIVE, RUNNING, Status

from . import display

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Choices = list[tuple[str, "str | _StrPromise"]]


class ClosedFilter(admin.SimpleListFilter):
    """Narrows the list by one of the values that it offers, and takes no others."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what fits. Raises IncorrectLookupParameters, which Django handles."""
        value = self.value()
        if value is None:
            return queryset
        if value not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return self.narrowed(cast(VideoJobQuerySet, queryset), value)

    def narrowed(self, jobs: VideoJobQuerySet, value: str) -> VideoJobQuerySet:
        """Return those of ``jobs`` that fit one of the values offered."""
        raise NotImplementedError


class StatusFilter(ClosedFilter):
    """By one status, or by what several have in common."""

    title = _("status")
    parameter_name = "status"
    groups = {"live": LIVE, "running": RUNNING}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer the states in the order of a job's life, each group before its members."""
        labels = {str(status): status.label for status in Status}
        running = {str(s): format_lazy(_("running: {}"), s.label) for s in Status if s in RUNNING}
        groups = {"live": _("in progress"), "running": _("running")}
        order = ["draft", "live", "unsent", "submitting", "unconfirmed", "running", *running]
        order += ["completed", "failed", "cancelled"]
        names = labels | running | groups
        return [(value, names[value]) for value in order]

    def narrowed(self, jobs: VideoJobQuerySet, value: str) -> VideoJobQuerySet:
        """Ask for one state, or for those of a group."""
        group = self.groups.get(value)
        return jobs.in_any(group) if group else jobs.filter(status=value)


class AttentionFilter(ClosedFilter):
    """By why somebody should look at a job. The values are part of the page's address."""

    title = _("need of attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer the reasons."""
        return [
            ("unconfirmed", _("an answer was lost")),
            ("overdue", _("overdue")),
            ("flagged", _("no video to link")),
        ]

    def narrowed(self, jobs: VideoJobQuerySet, value: str) -> VideoJobQuerySet:
        """Ask for one reason."""
        reasons = {
            "unconfirmed": jobs.unconfirmed,
            "overdue": jobs.overdue,
            "flagged": jobs.flagged,
        }
        return reasons[value]()


class CreatedFilter(ClosedFilter):
    """By when a job was created: whole days in the site's time zone."""

    title = _("created")
    parameter_name = "created"
    days = {"today": 0, "7days": 7, "30days": 30, "older": 30}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer some days, and the moment where the list was continued."""
        offered: Choices = [
            ("today", _("Today")),
            ("7days", _("Past 7 days")),
            ("30days", _("Past 30 days")),
            ("older", _("Before that")),
        ]
        if (value := self.value()) and (moment := read_moment(value)):
            offered.append((value, format_lazy(_("Until {}"), display.moment(moment))))
        return offered

    def narrowed(self, jobs: VideoJobQuerySet, value: str) -> VideoJobQuerySet:
        """Ask for what was created since, before or until a moment."""
        if moment := read_moment(value):
            return jobs.filter(created_at__lte=moment)
        since = beginning_of(site_day(timezone.now()) - timedelta(days=self.days[value]))
        if value == "older":
            return jobs.filter(created_at__lt=since)
        return jobs.filter(created_at__gte=since)
