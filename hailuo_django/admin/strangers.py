"""Upstream jobs that nobody here knows: seen by workers, dismissed by people."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import OuterRef, QuerySet, Subquery, UUIDField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from hailuo_django import ledger
from hailuo_django.exceptions import Conflict
from hailuo_django.models import JobEvent, Stranger, Submission, VideoJob

from . import display, raw
from .base import ReadOnlyAdmin
from .filters import ClosedFilter
from .reports import lines


@admin.action(permissions=["reconcile"], description=gettext_lazy("None of ours"))
def dismiss_selected(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Stranger]) -> None:
    """Say that upstream jobs are another program's, so that no lost answer waits for them."""
    by = ledger.By(JobEvent.Source.OPERATOR, request.user)  # type: ignore[arg-type]  # staff
    dismissed, skipped = 0, []
    for stranger in queryset.order_by("pk"):
        try:
            ledger.dismiss(stranger, by=by)
        except Conflict as conflict:
            skipped.append((display.identifier(stranger.krea_job_id), conflict.message))
        else:
            modeladmin.log_change(request, stranger, _("Dismissed as none of ours."))
            dismissed += 1
    if dismissed:
        words = ngettext("%d upstream job dismissed.", "%d upstream jobs dismissed.", dismissed)
        messages.success(request, words % dismissed)
    if skipped:
        words = ngettext("%d skipped:", "%d skipped:", len(skipped)) % len(skipped)
        messages.warning(request, lines(words, skipped))


class OpenFilter(ClosedFilter):
    """Those that may still be ours, unless others are asked for; a search is for any."""

    title = gettext_lazy("what is known")
    parameter_name = "known"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.usual = "all" if request.GET.get(SEARCH_VAR) else "open"
        super().__init__(request, *args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """Return the choices, the usual one first."""
        return (
            ("open", gettext_lazy("open: nobody knows it")),
            ("dismissed", gettext_lazy("dismissed: none of ours")),
            ("all", gettext_lazy("all, and those on record by now")),
        )

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Offer these alone: Django's own first choice shows all."""
        for value, words in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.value() == value, "query_string": query, "display": words}

    def value(self) -> str:
        """Return what was chosen."""
        return super().value() or self.usual

    def narrowed(self, rows: Any, value: str) -> Any:
        """Return the rows of a choice."""
        if value == "open":
            return rows.open()
        return rows.filter(dismissed_at__isnull=False) if value == "dismissed" else rows


class StrangerAdmin(ReadOnlyAdmin):
    """Unknown upstream jobs: of a lost answer, an order passed on twice, or another program."""

    list_display = (
        "identifier",
        "belongs_to",
        "status_shown",
        "krea_created_at",
        "first_seen_at",
        "dismissed",
    )
    list_filter = (OpenFilter,)
    list_select_related: ClassVar[list[str]] = ["dismissed_by", "named_for"]
    search_fields = ("krea_job_id__exact",)
    search_help_text = gettext_lazy("A whole Krea job id.")
    actions = (dismiss_selected,)
    fields = (
        "identifier",
        "belongs_to",
        "status_shown",
        "account",
        "krea_created_at",
        "first_seen_at",
        "last_seen_at",
        "dismissed",
        "answer",
    )
    readonly_fields = ("identifier", "belongs_to", "status_shown", "dismissed", "answer")

    def get_fields(self, request: HttpRequest, obj: Stranger | None = None) -> Any:
        """Leave Krea's raw answer to those who may see it."""
        fields = super().get_fields(request, obj)
        if self.has_view_raw_permission(request):
            return fields
        return [name for name in fields if name != "answer"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Add the job and number of the submission that has it on record by now."""
        ours = Submission.objects.filter(krea_job_id=OuterRef("krea_job_id"))
        job = Subquery(ours.values("job")[:1], output_field=UUIDField())
        number = Subquery(ours.values("number")[:1])
        return super().get_queryset(request).annotate(owner_job=job, owner_number=number)

    @admin.display(description=gettext_lazy("belongs to"))
    def belongs_to(self, stranger: Any) -> str:
        """Return which submission has it on record by now, or whose own webhook named it."""
        if stranger.owner_job is not None:
            link = self._link(stranger.owner_job)
            return format_html(_("submission {} of job {}"), stranger.owner_number, link)
        if (row := stranger.named_for) is None:
            return str(self.get_empty_value_display())
        link = self._link(row.job_id)
        return format_html(_("a webhook named it for submission {} of job {}"), row.number, link)

    def _link(self, job_id: uuid.UUID) -> str:
        """Return a job's id as the way to its page, where this admin has one."""
        if not self.admin_site.is_registered(VideoJob):
            return str(job_id)
        name = f"admin:{self.opts.app_label}_videojob_change"
        address = reverse(name, args=[job_id], current_app=self.admin_site.name)
        return format_html('<a href="{}">{}</a>', address, job_id)

    @admin.display(description=gettext_lazy("Krea job id"), ordering="krea_job_id")
    def identifier(self, stranger: Stranger) -> str:
        """Return Krea's name for it."""
        return display.identifier(stranger.krea_job_id)

    @admin.display(description=gettext_lazy("status in Krea's words"), ordering="krea_status")
    def status_shown(self, stranger: Stranger) -> str:
        """Return whatever word Krea used."""
        return display.text(stranger.krea_status) or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("dismissed"), ordering="dismissed_at")
    def dismissed(self, stranger: Stranger) -> str:
        """Return when and by whom."""
        return display.dismissal(stranger) or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("last answer from Krea"))
    def answer(self, stranger: Stranger) -> str:
        """Return what Krea listed, for those who may see it."""
        if not stranger.raw:
            return self.get_empty_value_display()
        return raw.shown(raw.readable(stranger.raw, raw.redact_in_use()))
