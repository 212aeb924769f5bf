"""The page of a lost answer: what is known of it, and the three verdicts about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hailuo_django import ledger
from hailuo_django.exceptions import HailuoError
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import ENDED
from hailuo_django.transactions import outside_atomic_requests

from . import display
from .base import HailuoAdmin
from .lost_answers import LostAnswer


class ConfirmForm(forms.Form):
    """A verdict that has to be confirmed."""

    sure = forms.BooleanField(
        error_messages={"required": gettext_lazy("Confirm this. Nothing was done.")}
    )


class ChooseForm(ConfirmForm):
    """Names an upstream job: one of the list, or any other by its id."""

    listed = forms.CharField(required=False, max_length=100)
    typed = forms.CharField(required=False, max_length=100)

    def clean(self) -> dict[str, Any]:
        """Ask for exactly one."""
        values: dict[str, Any] = super().clean() or {}
        named = {values.get("listed"), values.get("typed")} - {"", None}
        if len(named) != 1 and not self.errors:
            raise forms.ValidationError(_("Name one upstream job. Nothing was done."))
        values["krea_job_id"] = next(iter(named), "")
        return values


FORMS = {
    "choose": ChooseForm,
    "send_again": ConfirmForm,
    "give_up": ConfirmForm,
    "dismiss": ConfirmForm,
}


class ReconcilingMixin(HailuoAdmin):
    """Lets whoever may decide about lost answers do so, with the evidence on the screen."""

    reconcile_template = "admin/hailuo_django/reconcile.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page of a lost answer, before Django's own that match anything."""
        page = path(
            "<path:object_id>/reconcile/<int:number>/",
            outside_atomic_requests(self.admin_site.admin_view(self.reconcile_view)),
            name=f"{self.opts.app_label}_{self.opts.model_name}_reconcile",
        )
        return [page, *super().get_urls()]

    def reconcile_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """Show what is known, or take a verdict."""
        lost = self._lost_answer(request, object_id, number)
        if request.method != "POST":
            return self._show(request, lost, {})
        verdict = request.POST.get("verdict", "")
        if verdict == "sync":
            return self._look_again(request, lost)
        if verdict not in FORMS or (verdict == "dismiss" and not lost.named):
            messages.error(request, _("Nothing was done."))
            return HttpResponseRedirect(request.path)
        if verdict == "send_again" and not self.has_submit_permission(request):
            raise PermissionDenied
        form = FORMS[verdict](request.POST)
        if not form.is_valid():
            return self._show(request, lost, {verdict: form})
        return self._decide(request, lost, verdict, form.cleaned_data.get("krea_job_id", ""))

    def _lost_answer(self, request: HttpRequest, object_id: str, number: int) -> LostAnswer:
        if not self.has_reconcile_permission(request):
            raise PermissionDenied
        job = self.seen(request, object_id)
        rows = Submission.objects.using(job._state.db)
        submission = rows.filter(job_id=job.pk, number=number).first()
        if submission is None:
            raise Http404
        return LostAnswer(job, submission)

    def _decide(
        self, request: HttpRequest, lost: LostAnswer, verdict: str, krea_job_id: str
    ) -> HttpResponse:
        by = ledger.By(JobEvent.Source.OPERATOR, request.user)  # type: ignore[arg-type]  # staff
        number = {"number": lost.submission.number}
        try:
            if verdict == "choose":
                ledger.choose(lost.submission, krea_job_id, by=by)
                words = _("Krea is asked about the job named for submission %(number)d.") % number
            elif verdict == "send_again":
                again = ledger.send_again(lost.submission, by=by)
                usd = {"usd": display.usd(again.price_usd)}
                words = _("Gave submission %(number)d up and sends again for %(usd)s.") % (
                    number | usd
                )
            elif verdict == "dismiss":
                for stranger in lost.named:
                    ledger.dismiss(stranger, by=by)
                words = _("What was named for submission %(number)d is none of ours.") % number
            else:
                ledger.give_up(lost.submission, by=by)
                words = _("Gave submission %(number)d up.") % number
        except HailuoError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.path)
        self.log_change(request, lost.job, words)
        messages.success(request, words)
        return HttpResponseRedirect(self.address("change", lost.job.pk))

    def _look_again(self, request: HttpRequest, lost: LostAnswer) -> HttpResponse:
        try:
            lost.job.sync(actor=request.user, source=JobEvent.Source.OPERATOR)  # type: ignore[arg-type]
            messages.success(request, _("A worker will look again."))
        except HailuoError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(request.path)

    def _show(
        self, request: HttpRequest, lost: LostAnswer, bound: dict[str, forms.Form]
    ) -> HttpResponse:
        title = _("Overdue submission %d") if lost.never_ends else _("Lost answer of submission %d")
        if lost.is_lost and not lost.submission.lost_at and not lost.never_ends:
            title = _("Upstream jobs of submission %d")
        return self.page(
            request,
            self.reconcile_template,
            title % lost.submission.number,
            (self.address("change", lost.job.pk), display.title(lost.job)),
            lost=lost,
            may_send_again=self.has_submit_permission(request) and lost.can_be_sent_again,
            bound=bound,
        )

    def with_links(self, job: VideoJob, words: str) -> str:
        """Return ``words`` and a link to each submission that the reader may decide about.

        ``get_queryset`` says so of its submissions where its reader has the right.
        """
        rows = job.submissions.all()
        found = [row for row in rows if getattr(row, "may_be_decided", False)]
        links = [(self.address("reconcile", job.pk, row.number), self._label(row)) for row in found]
        if not links:
            return words
        listed = format_html_join("", '<div><a href="{}">{}</a></div>', links)
        return format_html("{} {}", words, listed)

    def _label(self, row: Submission) -> str:
        if row.status in ENDED and not row.is_overdue:
            return _("Name the upstream job of submission %d") % row.number
        return _("Decide about submission %d") % row.number
