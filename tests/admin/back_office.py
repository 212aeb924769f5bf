"""A site whose admin stands elsewhere, bears another name, and shows jobs in its own way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import path

from hailuo_django.admin import KreaAccountAdmin, StrangerAdmin, VideoJobAdmin
from hailuo_django.admin.cards import Card, Facts
from hailuo_django.admin.timeline import Entry
from hailuo_django.models import KreaAccount, Stranger, Submission, VideoJob


class OurCard(Card):
    """Tells where Krea took the order."""

    def facts(self) -> Facts:
        yield from super().facts()
        yield "Endpoint", self.submission.endpoint


class OurVideoJobAdmin(VideoJobAdmin):
    """With columns, a search and knowledge of its own."""

    list_display = (*VideoJobAdmin.list_display, "reference", "size")
    live_columns = (*VideoJobAdmin.live_columns, "size")
    search_fields = ("owner__username",)
    card_class = OurCard

    def size(self, job: VideoJob) -> str:
        return self.part(job, "size", "<large>" if job.resolution == "1080p" else "small")

    def get_entries(
        self, request: HttpRequest, job: VideoJob, rows: list[Submission]
    ) -> Iterable[Entry]:
        yield from super().get_entries(request, job, rows)
        yield Entry(job.created_at, "ordered", detail=f"<b>{job.reference}</b>")

    def get_ticket(self, request: HttpRequest, job: VideoJob) -> dict[str, Any]:
        return {"shop": "ours", **super().get_ticket(request, job)}


site = AdminSite(name="back-office")
site.disable_action("delete_selected")
site.register(VideoJob, OurVideoJobAdmin)
site.register(Stranger, StrangerAdmin)
site.register(KreaAccount, KreaAccountAdmin)

urlpatterns = [path("staff/", site.urls)]
