"""Saving a draft, while anybody may submit it at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.text import normalize_newlines
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect

from hailuo_django.exceptions import Conflict
from hailuo_django.models import VideoJob
from hailuo_django.states import Status

from . import display
from .actions import ON_PAGES

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[VideoJob]
else:
    ModelAdmin = admin.ModelAdmin  # Django's own class takes no parameters

SAVING = {"_save", "_continue", "_addanother", "_saveasnew"}
"""The names of Django's buttons that save."""


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
        job = self._posted_to(request, object_id)
        if job and runs_action(request):
            if self._differs_from_page(request, job):
                return back(request, _("Nothing was done: save what the form holds first."))
            # Django would run it in a transaction that reads before the action writes.
            view: Callable[..., HttpResponse] = getattr(self, "_changeform_view")  # noqa: B009
            return view(request, object_id, form_url, extra_context)
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

    def _posted_to(self, request: HttpRequest, object_id: str | None) -> VideoJob | None:
        if request.method != "POST" or not object_id:
            return None
        return self.get_object(request, unquote(object_id))

    def _differs_from_page(self, request: HttpRequest, job: VideoJob) -> bool:
        """Tell whether the form holds something else than the row that an action would act on.

        Typed and not saved, or saved by somebody else meanwhile: what is paid for must be
        what stands on the screen.
        """
        if not self.has_change_permission(request, job):
            return False
        form = self.get_form(request, job, change=True)(request.POST, instance=job)
        typed = normalize_newlines(request.POST.get("prompt", "")).strip()
        same = {"prompt"} if typed == normalize_newlines(job.prompt).strip() else set()
        return bool({*form.changed_data} - same)


def runs_action(request: HttpRequest) -> bool:
    """Tell whether this is an action on the page of a job, as Django's own view tells it."""
    names = {*request.POST}
    return ON_PAGES and "CHANGE_FORM-action" in names and not names & SAVING


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
