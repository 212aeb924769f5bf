"""A site where everybody sees their own jobs, on pages that refresh nothing by themselves."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path

from hailuo_django.admin import VideoJobAdmin
from hailuo_django.models import VideoJob


class OwnJobAdmin(VideoJobAdmin):
    """Narrows what there is; ``locked`` jobs are listed, and may not be looked at.

    The last name of those who may spend nothing for now is ``frozen``.
    """

    live_seconds = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[VideoJob]:
        return super().get_queryset(request).filter(owner=request.user.pk)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        locked = obj is not None and obj.reference == "locked"
        return super().has_view_permission(request, obj) and not locked

    def has_submit_permission(self, request: HttpRequest) -> bool:
        frozen = getattr(request.user, "last_name", "") == "frozen"
        return super().has_submit_permission(request) and not frozen


site = AdminSite()
site.register(VideoJob, OwnJobAdmin)

urlpatterns = [path("desk/", site.urls)]
