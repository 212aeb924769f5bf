"""The verbs on the page of a job: saved and submitted, resubmitted, cancelled, looked at again.

From Django 6.1 on these are its own actions on change forms; before, buttons post the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.text import normalize_newlines
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect

from hailuo_django.models import VideoJob
from hailuo_django.states import RESUBMITTABLE, Action, Status

from .actions import ON_PAGES, cancel_selected, resubmit_selected, submit_selected, sync_selected
from .confirming import ConfirmingMixin
from .saving import SavingMixin, back

VERBS = {
    verb.__name__: verb
    for verb in (submit_selected, resubmit_selected, cancel_selected, sync_selected)
}

FIELD = "CHANGE_FORM-action"
"""Where Django posts the name of the action, and so do our buttons."""

SAVING = {"_save", "_continue", "_addanother", "_saveasnew"}
"""The names of the buttons that save."""

SUBMIT_TOO = "_submit"
"""The value of ``_save`` where the draft is saved and its submission proposed."""


class PageActionsMixin(SavingMixin, ConfirmingMixin):
    """Offers on the page of a job what can be done about it, and nothing twice."""

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show and save a job, or do what a verb on its page asks for."""
        if is_to_submit(request) and not self.has_submit_permission(request):
            raise PermissionDenied
        job = self.posted_to(request, object_id) if runs_action(request) else None
        if job is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        if self._differs_from_page(request, job):
            return back(request, _("Nothing was done: save what the form holds first."))
        if not ON_PAGES:
            return self._run_verb(request, job)
        # Django would run it in a transaction that reads before the action writes.
        view: Callable[..., HttpResponse] = getattr(self, "_changeform_view")  # noqa: B009
        return view(request, object_id, form_url, extra_context)

    def response_add(
        self, request: HttpRequest, obj: VideoJob, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to the confirmation where the draft is to be submitted as well."""
        asked = self._ask_to_submit(request, obj)
        return asked or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: VideoJob) -> HttpResponse:
        """Go on to the confirmation where the draft is to be submitted as well."""
        return self._ask_to_submit(request, obj) or super().response_change(request, obj)

    def add_to_page(
        self, request: HttpRequest, context: dict[str, Any], obj: VideoJob | None
    ) -> None:
        """Offer the verbs that can do something about this job."""
        saves = self.has_add_permission(request) if obj is None else False
        if obj is not None:
            saves = self.has_change_permission(request, obj)
            self._offer(request, context, fitting(obj) - ({"submit_selected"} if saves else set()))
        context["save_and_submit"] = saves and self.has_submit_permission(request) and SUBMIT_TOO
        super().add_to_page(request, context, obj)

    def _offer(self, request: HttpRequest, context: dict[str, Any], names: set[str]) -> None:
        if not ON_PAGES:
            allowed = self.get_actions(request)
            offered = [(n, verb.label_for_one) for n, verb in VERBS.items() if n in names]
            context["verbs"] = [(name, label) for name, label in offered if name in allowed]
        elif form := context.get("action_form"):
            others = {*VERBS} - names
            choices = [c for c in form.fields["action"].choices if c[0] not in others]
            form.fields["action"].choices = choices
            if not any(name for name, _label in choices):
                context["action_form"] = None

    def _ask_to_submit(self, request: HttpRequest, job: VideoJob) -> HttpResponse | None:
        if not is_to_submit(request):
            return None
        messages.success(request, _("The draft was saved."))
        jobs = VideoJob.objects.using(VideoJob.database()).filter(pk=job.pk)
        return self.propose(request, Action.SUBMIT, jobs)

    def _run_verb(self, request: HttpRequest, job: VideoJob) -> HttpResponse:
        if not self.has_view_or_change_permission(request, job):
            raise PermissionDenied
        name = request.POST[FIELD]
        answer = None
        if name in VERBS and name in self.get_actions(request):
            answer = VERBS[name](self, request, self.get_queryset(request).filter(pk=job.pk))
        else:
            messages.warning(request, _("No action selected."))
        return answer or HttpResponseRedirect(request.get_full_path())

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


def fitting(job: VideoJob) -> set[str]:
    """Return the names of the verbs that can do something about ``job``."""
    if job.status == Status.DRAFT:
        return {"submit_selected"}
    rows, names = job.submissions.all(), {"sync_selected"}
    if any(row.is_live or row.runs_upstream for row in rows):
        names.add("cancel_selected")
    if job.status in RESUBMITTABLE and not any(row.may_be_billed for row in rows):
        names.add("resubmit_selected")
    return names


def is_to_submit(request: HttpRequest) -> bool:
    """Tell whether a draft is to be saved and its submission proposed."""
    return request.POST.get("_save") == SUBMIT_TOO


def runs_action(request: HttpRequest) -> bool:
    """Tell whether this is a verb on the page of a job, as Django's own view tells it."""
    names = {*request.POST}
    return FIELD in names and not names & SAVING
