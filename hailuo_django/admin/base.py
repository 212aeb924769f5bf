"""What every admin of this app keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern

from hailuo_django.models import VideoJob
from hailuo_django.transactions import outside_atomic_requests

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin  # Django's own class takes no parameters


class HailuoAdmin(ModelAdmin):
    """Commits by itself, and changes rows where they are written."""

    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        """Return Django's own, out of the reach of ``ATOMIC_REQUESTS``."""
        urls = super().get_urls()
        for url in urls:
            outside_atomic_requests(url.callback)
        return urls

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return rows from where they are written, if they may be changed."""
        rows = super().get_queryset(request)
        return rows.using(VideoJob.database()) if request.method == "POST" else rows

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to decide about lost answers and what hangs on them."""
        return request.user.has_perm(f"{self.opts.app_label}.reconcile_videojob")


class ReadOnlyAdmin(HailuoAdmin):
    """Shows rows that only workers write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one by hand."""
        return False
