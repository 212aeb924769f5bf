"""A site whose list of jobs has filters, orders, a way to count and columns of its own."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin import AdminSite
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import path

from hailuo_django.admin import VideoJobAdmin
from hailuo_django.admin.filters import ClosedFilter
from hailuo_django.models import VideoJob
from hailuo_django.models.querysets import VideoJobQuerySet


class SeasonFilter(ClosedFilter):
    """By what references begin with."""

    title = "season"
    parameter_name = "season"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("spring", "Spring")]

    def narrowed(self, jobs: VideoJobQuerySet, value: str) -> VideoJobQuerySet:
        return jobs.filter(reference__startswith=value)


class OurListAdmin(VideoJobAdmin):
    """Does on a small table what would be slow on a large one."""

    list_display = (*VideoJobAdmin.list_display, "reference")
    list_filter = (*VideoJobAdmin.list_filter, SeasonFilter, "owner")
    list_editable = ("duration",)
    sortable_by = (*VideoJobAdmin.sortable_by, "reference")
    date_hierarchy = "created_at"
    paginator = Paginator
    show_full_result_count = True
    csv_columns: ClassVar[Any] = {**VideoJobAdmin.csv_columns, "season": lambda job: "spring"}


site = AdminSite()
site.register(VideoJob, OurListAdmin)

urlpatterns = [path("lists/", site.urls)]
