"""Paying in two steps: a proposal with its prices first, then one confirmation, obeyed once."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from hailuo_django import ledger
from hailuo_django.exceptions import Conflict
from hailuo_django.models import REQUEST_FIELDS, Batch, VideoJob
from hailuo_django.states import Action
from hailuo_django.transactions import outside_atomic_requests

from .base import HailuoAdmin
from .outcomes import Outcomes
from .outlook import Outlook, look_ahead

AT_ONCE = 20
"""So many jobs are done while the operator waits; more are the workers'."""

SECONDS_AT_ONCE = 10.0


class ConfirmingMixin(HailuoAdmin):
    """Lets whoever may spend see what it costs, confirm it, and see what became of it."""

    proposal_template = "admin/hailuo_django/proposal.html"
    batch_template = "admin/hailuo_django/batch.html"
    rows_per_page = 100

    def get_urls(self) -> list[URLPattern]:
        """Add the page of a batch, before Django's own that match anything."""
        page = path(
            "batch/<uuid:batch_id>/",
            outside_atomic_requests(self.admin_site.admin_view(self.batch_view)),
            name=f"{self.opts.app_label}_{self.opts.model_name}_batch",
        )
        return [page, *super().get_urls()]

    def propose(
        self, request: HttpRequest, action: Action, jobs: QuerySet[VideoJob]
    ) -> HttpResponse | None:
        """Keep what was selected and lead to its confirmation; None when it is too much."""
        if not self.has_submit_permission(request):
            raise PermissionDenied
        selected = jobs.select_related(None).prefetch_related(None).only(*REQUEST_FIELDS)
        oldest_first = selected.order_by("created_at", "pk").iterator(self.rows_per_page)
        actor: Any = request.user
        try:
            batch = ledger.propose(action, oldest_first, actor=actor)
        except Conflict as refusal:
            messages.error(request, refusal.message)
            return None
        return self._to_batch(request, batch)

    def batch_view(self, request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
        """Show a proposal and take its confirmation; from then on show what becomes of it."""
        batch = self._batch(request, batch_id)
        if request.method != "POST":
            return self._show_batch(request, batch)
        if not self.has_submit_permission(request):
            raise PermissionDenied
        if "stop" in request.POST:
            return self._stop(request, batch)
        if batch.actor_id != request.user.pk:
            raise PermissionDenied
        return self._confirm(request, batch)

    def _batch(self, request: HttpRequest, batch_id: uuid.UUID) -> Batch:
        sees_all = may_see_all(request) and self.has_view_permission(request)
        if not (sees_all or self.has_submit_permission(request)):
            raise PermissionDenied
        batches = Batch.objects.using(VideoJob.database()).select_related("actor")
        batch = batches.filter(pk=batch_id).first()
        if batch is None or not (sees_all or batch.actor_id == request.user.pk):
            raise Http404
        return batch

    def _confirm(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        actor: Any = request.user
        outlook = look_ahead(batch, self._visible(request))
        if request.POST.get("shown") != outlook.fingerprint:
            return self._ask_again(request, batch)
        if not ledger.confirm(batch, actor=actor, left_out=outlook.left_out):
            return self._ask_again(request, batch)
        if len(outlook.rows) > AT_ONCE or not ledger.work_on(batch, seconds=SECONDS_AT_ONCE):
            ledger.hand_over(batch)
        outcomes = Outcomes(batch, self._visible(request))
        for level, words in outcomes.messages():
            messages.add_message(request, level, words)
        job_id = outcomes.only_job_done()
        if job_id and self.has_view_permission(request):
            return HttpResponseRedirect(self.address("change", job_id))
        return self._to_batch(request, batch)

    def _ask_again(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        """Say why nothing was done: somebody else was faster, or it is not what was shown."""
        words = _("What can be done has changed since you looked. Nothing was done: look again.")
        batch.refresh_from_db(using=VideoJob.database(), fields=["confirmed_at"])
        if not batch.is_proposal:
            words = _("This was confirmed already. Nothing was done a second time.")
        messages.warning(request, words)
        return self._to_batch(request, batch)

    def _stop(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        if ledger.stop(batch, _("Stopped by %s before its turn came.") % request.user):
            messages.success(request, _("Stopped. What was not submitted yet stays as it was."))
        else:
            messages.warning(request, _("There was nothing left to stop."))
        return self._to_batch(request, batch)

    def _show_batch(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        shown: Outlook | Outcomes
        if batch.is_proposal:
            shown, template = look_ahead(batch, self._visible(request)), self.proposal_template
        else:
            shown, template = Outcomes(batch, self._visible(request)), self.batch_template
        page = shown.page(request.GET.get("page"), self.rows_per_page)
        return self.page(
            request,
            template,
            shown.title,
            *self._batch_list(),
            batch=batch,
            shown=shown,
            page=page,
            pages=page.paginator.get_elided_page_range(page.number),
            number_query=other_parameters(request),
            at_once=AT_ONCE,
            may_submit=self.has_submit_permission(request),
            is_mine=batch.actor_id == request.user.pk,
            preserved_filters=self.get_preserved_filters(request),
        )

    def _batch_list(self) -> list[tuple[str, str]]:
        if not self.admin_site.is_registered(Batch):
            return []
        name = "admin:hailuo_django_batch_changelist"
        address = reverse(name, current_app=self.admin_site.name)
        return [(address, capfirst(str(Batch._meta.verbose_name_plural)))]

    def _visible(self, request: HttpRequest) -> QuerySet[VideoJob]:
        return self.get_queryset(request).order_by().prefetch_related(None)

    def _to_batch(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        kept: dict[str, Any] = {
            "preserved_filters": self.get_preserved_filters(request),
            "opts": self.opts,
        }
        return HttpResponseRedirect(add_preserved_filters(kept, self.address("batch", batch.pk)))


def other_parameters(request: HttpRequest) -> str:
    """Return what a link to another page of a table keeps of the address."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return f"{kept.urlencode()}&" if kept else ""


def may_see_all(request: HttpRequest) -> bool:
    """Tell whether the batches of other operators may be seen as well."""
    return request.user.has_perm("hailuo_django.view_batch")
