"""The verbs of VideoJob, on the list and, where Django has that, on the page of a job."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import django
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from hailuo_django.models import JobEvent, VideoJob

from . import display
from .reports import act_on_each

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    ModelAdmin = admin.ModelAdmin[VideoJob]

Jobs = QuerySet[VideoJob]

ON_PAGES = django.VERSION >= (6, 1)
"""Whether this Django offers actions on the page of a single job as well."""


def job_action(permission: str, one: _StrPromise, many: _StrPromise) -> Callable[[Any], Any]:
    """Return ``admin.action`` with a label for one job and a label for the selected ones."""
    if not ON_PAGES:
        return admin.action(permissions=[permission], description=many)
    return admin.action(
        permissions=[permission],
        description=one,
        description_plural=many,
        location=[*admin.ActionLocation],
    )


def by_operator(request: HttpRequest) -> dict[str, Any]:
    """Return who asks, for the verbs of VideoJob."""
    return {"actor": request.user, "source": JobEvent.Source.OPERATOR}


@job_action(
    "submit",
    gettext_lazy("Submit (costs money)"),
    gettext_lazy("Submit selected jobs (costs money)"),
)
def submit_selected(modeladmin: ModelAdmin, request: HttpRequest, queryset: Jobs) -> None:
    """Ask for the videos of drafts."""

    def submit(job: VideoJob) -> Decimal:
        price = job.submit(**by_operator(request)).price_usd
        modeladmin.log_change(request, job, _("Submitted for %s.") % display.usd(price))
        return price

    def say(count: int, usd: Decimal) -> str:
        words = ngettext(
            "%(n)d job submitted for %(usd)s.", "%(n)d jobs submitted for %(usd)s.", count
        )
        return words % {"n": count, "usd": display.usd(usd)}

    act_on_each(request, queryset, submit, say)


@job_action(
    "submit",
    gettext_lazy("Resubmit (costs money again)"),
    gettext_lazy("Resubmit selected jobs (costs money again)"),
)
def resubmit_selected(modeladmin: ModelAdmin, request: HttpRequest, queryset: Jobs) -> None:
    """Ask once more for the videos of failed and cancelled jobs."""

    def resubmit(job: VideoJob) -> Decimal:
        price = job.resubmit(**by_operator(request)).price_usd
        modeladmin.log_change(request, job, _("Resubmitted for %s.") % display.usd(price))
        return price

    def say(count: int, usd: Decimal) -> str:
        words = ngettext(
            "%(n)d job resubmitted for %(usd)s.", "%(n)d jobs resubmitted for %(usd)s.", count
        )
        return words % {"n": count, "usd": display.usd(usd)}

    act_on_each(request, queryset, resubmit, say)


@job_action("cancel", gettext_lazy("Cancel"), gettext_lazy("Cancel selected jobs"))
def cancel_selected(modeladmin: ModelAdmin, request: HttpRequest, queryset: Jobs) -> None:
    """Wish jobs cancelled; Krea may still complete what it works on."""

    def cancel(job: VideoJob) -> Decimal:
        job.cancel(**by_operator(request))
        modeladmin.log_change(request, job, _("Asked for cancellation."))
        return Decimal(0)

    def say(count: int, usd: Decimal) -> str:
        words = ngettext("Asked to cancel %d job.", "Asked to cancel %d jobs.", count)
        return words % count

    act_on_each(request, queryset, cancel, say)


@job_action(
    "view", gettext_lazy("Look again at Krea"), gettext_lazy("Look again at Krea for selected jobs")
)
def sync_selected(modeladmin: ModelAdmin, request: HttpRequest, queryset: Jobs) -> None:
    """Have a worker look now. That is no change, and leaves no entry in the history."""

    def sync(job: VideoJob) -> Decimal:
        job.sync(**by_operator(request))
        return Decimal(0)

    def say(count: int, usd: Decimal) -> str:
        words = ngettext("A worker will look at %d job.", "A worker will look at %d jobs.", count)
        return words % count

    act_on_each(request, queryset, sync, say)
