"""The verbs of VideoJob for the selected jobs: what costs money asks first, the rest is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import django
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from hailuo_django.models import JobEvent, VideoJob
from hailuo_django.states import Action

from .reports import act_on_each

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from .confirming import ConfirmingMixin

    ModelAdmin = admin.ModelAdmin[VideoJob]

Jobs = QuerySet[VideoJob]

ON_PAGES = django.VERSION >= (6, 1)
"""Whether this Django offers actions on the page of a single job; else buttons of ours do."""


def job_action(permission: str, one: _StrPromise, many: _StrPromise) -> Callable[[Any], Any]:
    """Return ``admin.action`` with a label for one job and a label for the selected ones."""

    def decorate(function: Any) -> Any:
        function.label_for_one = one
        if not ON_PAGES:
            return admin.action(permissions=[permission], description=many)(function)
        return admin.action(
            permissions=[permission],
            description=one,
            description_plural=many,
            location=[*admin.ActionLocation],
        )(function)

    return decorate


def by_operator(request: HttpRequest) -> dict[str, Any]:
    """Return who asks, for the verbs of VideoJob."""
    return {"actor": request.user, "source": JobEvent.Source.OPERATOR}


@job_action(
    "submit",
    gettext_lazy("Submit… (costs money)"),
    gettext_lazy("Submit selected jobs… (costs money)"),
)
def submit_selected(
    modeladmin: ConfirmingMixin, request: HttpRequest, queryset: Jobs
) -> HttpResponse | None:
    """Lead to a page that says what the videos of drafts cost, and asks whether to submit them."""
    return modeladmin.propose(request, Action.SUBMIT, queryset)


@job_action(
    "submit",
    gettext_lazy("Resubmit… (costs money again)"),
    gettext_lazy("Resubmit selected jobs… (costs money again)"),
)
def resubmit_selected(
    modeladmin: ConfirmingMixin, request: HttpRequest, queryset: Jobs
) -> HttpResponse | None:
    """Lead to a page that says what failed and cancelled jobs cost once more, and asks."""
    return modeladmin.propose(request, Action.RESUBMIT, queryset)


@job_action("cancel", gettext_lazy("Cancel"), gettext_lazy("Cancel selected jobs"))
def cancel_selected(modeladmin: ModelAdmin, request: HttpRequest, queryset: Jobs) -> None:
    """Wish jobs cancelled; Krea may still complete what it works on."""

    def cancel(job: VideoJob) -> None:
        job.cancel(**by_operator(request))
        modeladmin.log_change(request, job, _("Asked for cancellation."))

    def say(count: int) -> str:
        words = ngettext("Asked to cancel %d job.", "Asked to cancel %d jobs.", count)
        return words % count

    act_on_each(request, queryset, cancel, say)


@job_action(
    "view", gettext_lazy("Look again at Krea"), gettext_lazy("Look again at Krea for selected jobs")
)
def sync_selected(modeladmin: ModelAdmin, request: HttpRequest, queryset: Jobs) -> None:
    """Have a worker look now. That is no change, and leaves no entry in the history."""

    def sync(job: VideoJob) -> None:
        job.sync(**by_operator(request))

    def say(count: int) -> str:
        words = ngettext("A worker will look at %d job.", "A worker will look at %d jobs.", count)
        return words % count

    act_on_each(request, queryset, sync, say)
