"""Pages that refresh themselves while something runs: what ``live.js`` finds and asks for.

Each part of a page that may change bears a name of its own. A job that may still become a
video carries an address besides, where all that is followed is asked for in one small request;
the answer is those parts as the page would show them now.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.forms import Script
from django.forms.utils import flatatt
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.http import quote_etag
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hailuo_django.models import VideoJob

from . import display, progress
from .base import HailuoAdmin

MAX_FOLLOWED = 100
"""How many jobs one request asks for: as many ids as an address of 4 kB holds."""


class LiveMixin(HailuoAdmin):
    """Refreshes the list and the page of a job while something runs."""

    live_seconds: float | None = 5
    """Between two requests of a page, at first; None switches refreshing off."""
    live_columns: ClassVar[tuple[str, ...]] = ("state", "spent")
    """The columns that a list refreshes: methods that return what ``part`` returned them."""
    live_page_template = "admin/hailuo_django/videojob/live_page.html"

    class Media:
        js = (Script("hailuo_django/live.js", type="module"),)

    def get_urls(self) -> list[URLPattern]:
        """Add what pages ask for by themselves, before Django's own that match anything."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_live"
        wrap = self.admin_site.admin_view
        return [
            path("live/", wrap(self.live_view), name=name),
            path("<path:object_id>/live/", wrap(self.live_page_view), name=f"{name}_page"),
            *super().get_urls(),
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Let the rows of a list share what is known of how long a video takes."""
        changelist = super().get_changelist_instance(request)
        if request.method == "GET":
            progress.share_expectations(changelist.result_list)
        return changelist

    def part(self, job: VideoJob, name: str, shown: str, /, **data: str) -> SafeString:
        """Return what is ``shown`` of a job under a name, so that it can be refreshed."""
        marks = {f"data-hailuo-{key}": value for key, value in data.items()}
        marks["data-hailuo-part"] = f"{name}-{job.pk.hex}"
        return format_html("<div{}>{}</div>", flatatt(marks), shown)

    def followed(self, job: VideoJob, shown: str) -> SafeString:
        """Return what is ``shown`` of the state of a job, its time, and what follows both."""
        told = progress.of_job(job, timezone.now())
        data = {
            "version": f"{job.status} {job.submission_count} {job.updated_at.isoformat()}",
            "said": f"{display.name(job)}: {display.job_status(job)}",
        }
        if self.live_seconds and is_live(job):
            data |= {"follow": self.address("live"), "job": job.pk.hex}
            data["seconds"] = str(self.live_seconds)
        time = format_html('<div class="hailuo-time">{}</div>', told) if told else ""
        return self.part(job, "state", format_html("{}{}", shown, time), **data)

    def add_to_page(
        self, request: HttpRequest, context: dict[str, Any], obj: VideoJob | None
    ) -> None:
        """Tell the page of a job that is followed where its other parts are to be had."""
        if obj and self.live_seconds and is_live(obj):
            context["live_page"] = self.address("live_page", obj.pk)
        super().add_to_page(request, context, obj)

    @method_decorator(require_safe)
    def live_view(self, request: HttpRequest) -> HttpResponse:
        """Answer with what lists refresh of the jobs named, as far as the reader may see them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            keys = _keys(request.GET.get("ids", ""))
        except ValueError:
            words = _("Name 1 to %d jobs in ?ids= by their ids, with dots between them.")
            return HttpResponseBadRequest(words % MAX_FOLLOWED, content_type="text/plain")
        jobs = list(self.get_queryset(request).filter(pk__in=keys))
        progress.share_expectations(jobs)
        seen = [job for job in jobs if self.has_view_permission(request, job)]
        html = "".join(getattr(self, name)(job) for job in seen for name in self.live_columns)
        etag = quote_etag(hashlib.sha256(html.encode()).hexdigest())
        response = HttpResponse(html, headers={"ETag": etag})
        return get_conditional_response(request, etag=etag, response=response) or response

    @method_decorator(require_safe)
    def live_page_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with what can change of a job's page, as that page would show it now."""
        response = self.changeform_view(request, object_id)
        if not isinstance(response, TemplateResponse):  # back to the index: there is no such job
            raise Http404
        response.template_name = self.live_page_template
        return response


def is_live(job: VideoJob) -> bool:
    """Tell whether the end of any submission of ``job`` is still to come."""
    return any(submission.is_live for submission in job.submissions.all())


def _keys(text: str) -> list[uuid.UUID]:
    """Return the ids in an address. Raises ValueError for none, too many, and what is no id."""
    keys = [uuid.UUID(hex=key) for key in text.split(".", MAX_FOLLOWED)]
    if len(keys) > MAX_FOLLOWED:
        raise ValueError
    return keys
