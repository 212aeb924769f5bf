"""Deleting: drafts and settled jobs only, whatever happens between the page and the click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from hailuo_django.models import VideoJob

from .base import HailuoAdmin


class DeletionMixin(HailuoAdmin):
    """Refuses in plain words what the models protect: a job that may still become a paid video."""

    def has_delete_permission(self, request: HttpRequest, obj: VideoJob | None = None) -> bool:
        """Ask for the permission, and of a single job that Krea cannot bill it any more."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj and may_be_billed(obj))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """Do not call a protected job one that a permission is missing for."""
        deleted, count, missing, protected = super().get_deleted_objects(objs, request)
        if self.has_delete_permission(request):
            missing.discard(self.opts.verbose_name)
        return deleted, count, missing, protected

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask and delete; a live job is refused with words instead of a bare 403."""
        job = self.get_object(request, unquote(object_id))
        # The permission is asked for on every page, and looks for what was named on none.
        protected = job and job.submissions.using(job._state.db).protected().exists()
        if job and protected and self.has_delete_permission(request):
            return self._refuse(request, self.address("change", job.pk))
        view = super().delete_view
        return self._unless_protected(request, lambda: view(request, object_id, extra_context))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list and run its actions; a confirmed deletion happens as a whole or not."""
        view = super().changelist_view
        if "post" not in request.POST:  # Django's confirmation page sends it
            return view(request, extra_context)
        return self._unless_protected(request, lambda: view(request, extra_context))

    def _unless_protected(
        self, request: HttpRequest, delete: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """Delete in one transaction with the log of it; nothing stays when a row is protected."""
        if request.method != "POST":
            return delete()
        try:
            with transaction.atomic(using=VideoJob.database()):
                return delete()
        except ProtectedError:
            return self._refuse(request, request.get_full_path())

    def _refuse(self, request: HttpRequest, address: str) -> HttpResponse:
        words = _(
            "Nothing was deleted: a job that may still become a paid video cannot be. Cancel it"
            " first, or wait until it has ended, or say whose the job is that a webhook named."
        )
        messages.error(request, words)
        return HttpResponseRedirect(address)


def may_be_billed(job: VideoJob) -> bool:
    """Tell whether Krea may still bill any submission of ``job``, which then is protected."""
    return any(submission.may_be_billed for submission in job.submissions.all())
