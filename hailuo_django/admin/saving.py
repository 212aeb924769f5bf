"""Saving a draft, while anybody may submit it at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect

from hailuo_django.exceptions import Conflict
from hailuo_django.models import VideoJob
from hailuo_django.states import Status

from . import display

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[VideoJob]
else:
    ModelAdmin = admin.ModelAdmin  # Django's own class takes no parameters


class SavingMixin(ModelAdmin):
    """Drafts can be changed, what was submitted cannot; price and advice follow each saving."""

    def has_change_permission(self, request: HttpRequest, obj: VideoJob | None = None) -> bool:
        """Ask for the permission, and of a single job that it is a draft."""
        allowed = super().has_change_permission(request, obj)
        return allowed and not (obj and obj.status != Status.DRAFT)

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show and save a job; whatever became of it meanwhile is said in a message."""
        job = self.posted_to(request, object_id)
        if job and job.status != Status.DRAFT and self.has_change_permission(request):
            return back(request, _("This job was submitted meanwhile. Nothing was saved."))
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Conflict as conflict:
            return back(request, conflict.message)

    def response_add(
        self, request: HttpRequest, obj: VideoJob, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Tell the price along."""
        response = super().response_add(request, obj, post_url_continue)
        tell_price(request, obj)
        return response

    def response_change(self, request: HttpRequest, obj: VideoJob) -> HttpResponse:
        """Tell the price along."""
        response = super().response_change(request, obj)
        tell_price(request, obj)
        return response

    def posted_to(self, request: HttpRequest, object_id: str | None) -> VideoJob | None:
        """Return the job that something is posted to, if there is one."""
        if request.method != "POST" or not object_id:
            return None
        return self.get_object(request, unquote(object_id))


def tell_price(request: HttpRequest, job: VideoJob) -> None:
    """Say what the draft would cost, and what is worth knowing before."""
    price = display.usd(job.price_usd)
    messages.info(request, _("Submitting this job would cost %s.") % price)
    for item in job.advice():
        messages.warning(request, item.message)


def back(request: HttpRequest, words: str) -> HttpResponse:
    """Go back to the page as it is now, with a message."""
    messages.error(request, words)
    return HttpResponseRedirect(request.get_full_path())
