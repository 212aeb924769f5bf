"""The list of batches: what operators confirmed at once, each leading to its own page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from hailuo_django.models import Batch, VideoJob

from . import display
from .base import ReadOnlyAdmin
from .confirming import may_see_all


class BatchAdmin(ReadOnlyAdmin):
    """An operator's own batches; all of them for whoever may view batches."""

    list_display = ("title", "action", "actor", "created_at", "state", "usd")
    list_display_links = None
    list_filter = ("action",)
    list_select_related = ("actor",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        """Return what this reader may see, from where it is written: it changes by the second."""
        rows = super().get_queryset(request).using(VideoJob.database())
        return rows if may_see_all(request) else rows.filter(actor=request.user.pk)

    def has_view_permission(self, request: HttpRequest, obj: Batch | None = None) -> bool:
        """Ask for the permission to view batches, or to spend, which makes one's own."""
        if may_see_all(request):
            return True
        mine = obj is None or obj.actor_id == request.user.pk
        return mine and request.user.has_perm("hailuo_django.submit_videojob")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Lead to the page of the batch."""
        batch = self.get_object(request, object_id)
        if batch is None or not self.admin_site.is_registered(VideoJob):
            return super().change_view(request, object_id, form_url, extra_context)
        return HttpResponseRedirect(self._page_of(batch))

    @admin.display(description=gettext_lazy("batch"))
    def title(self, batch: Batch) -> str:
        """What was selected, as a link to its page."""
        words = ngettext("%s job", "%s jobs", batch.job_count) % display.count(batch.job_count)
        if not self.admin_site.is_registered(VideoJob):
            return words
        return format_html('<a href="{}">{}</a>', self._page_of(batch), words)

    @admin.display(description=gettext_lazy("state"))
    def state(self, batch: Batch) -> str:
        """How far it is."""
        if batch.is_proposal:
            return _("not confirmed")
        if batch.is_under_way:
            return _("under way")
        numbers = {"n": display.count(batch.done_count), "all": display.count(batch.job_count)}
        return _("%(n)s of %(all)s done") % numbers

    @admin.display(description=gettext_lazy("in all"))
    def usd(self, batch: Batch) -> str:
        """What was asked for in the end, in USD."""
        return display.usd(batch.done_usd) if batch.finished_at else self.get_empty_value_display()

    def _page_of(self, batch: Batch) -> str:
        name = "admin:hailuo_django_videojob_batch"
        return reverse(name, args=[batch.pk], current_app=self.admin_site.name)
