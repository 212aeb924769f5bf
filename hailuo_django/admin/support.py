"""For whoever helps with a job: all that is known to take along, and the raw payloads to see."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from hailuo_django.models import VideoJob

from .base import HailuoAdmin
from .raw import as_json, payloads_of
from .ticket import ticket


class SupportMixin(HailuoAdmin):
    """Lets whoever sees a job export it, and shows raw payloads to those who may see them."""

    def get_urls(self) -> list[URLPattern]:
        """Add the export, before Django's own that match anything."""
        page = path(
            "<path:object_id>/ticket/",
            self.admin_site.admin_view(self.ticket_view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_ticket",
        )
        return [page, *super().get_urls()]

    def get_ticket(self, request: HttpRequest, job: VideoJob) -> dict[str, Any]:
        """Return what the export tells; add what a host knows, or leave out what it must not."""
        return ticket(job, with_raw=self.has_view_raw_permission(request))

    @method_decorator(require_safe)
    def ticket_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with all that is known of a job, to be saved as a file."""
        job = self.seen(request, object_id)
        headers = {
            "Content-Disposition": f'attachment; filename="hailuo-{job.pk}.json"',
            "X-Content-Type-Options": "nosniff",
        }
        told = as_json(self.get_ticket(request, job))
        return HttpResponse(f"{told}\n", content_type="application/json", headers=headers)

    def add_to_page(
        self, request: HttpRequest, context: dict[str, Any], obj: VideoJob | None
    ) -> None:
        """Add the raw payloads for those who may see them."""
        if obj and obj.submission_count and self.has_view_raw_permission(request):
            context["payloads"] = payloads_of(obj)
        super().add_to_page(request, context, obj)
