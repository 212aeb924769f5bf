"""The tries and the history of a job, on its page. Nothing here can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from hailuo_django.models import JobEvent, Submission

from . import display

MAX_SHOWN = 100

if TYPE_CHECKING:
    FormSet = BaseInlineFormSet[Any, Any, Any]
    StackedInline = admin.StackedInline[Submission, Any]
    TabularInline = admin.TabularInline[JobEvent, Any]
    Inline = admin.options.InlineModelAdmin[Any, Any]
else:
    FormSet = BaseInlineFormSet
    StackedInline = admin.StackedInline
    TabularInline = admin.TabularInline
    Inline = object


class NewestOnly(FormSet):
    """Shows at most ``MAX_SHOWN`` rows, however many there are."""

    def get_queryset(self) -> Any:
        """Return the first rows in the order of the inline."""
        if not hasattr(self, "_newest"):
            self._newest = super().get_queryset()[:MAX_SHOWN]
        return self._newest


class ReadOnlyInline(Inline):
    """Whoever may read the job may read this, and nobody may change it."""

    extra = 0
    can_delete = False
    formset = NewestOnly

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The page around it asked for the permission already."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the ledger adds one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the ledger changes one."""
        return False


class SubmissionInline(ReadOnlyInline, StackedInline):
    """Every try upstream, the newest first."""

    model = Submission
    ordering = ("-number",)
    verbose_name_plural = _("submissions (the newest first, at most 100)")
    fields = (
        "state",
        "why_it_waits",
        "price",
        "krea_job_id",
        "krea_words",
        "error",
        "result",
        ("created_at", "sent_at", "ended_at"),
        ("due_at", "attempts"),
        ("poll_count", "last_polled_at"),
        ("webhook_count", "last_webhook_at"),
    )
    readonly_fields = ("state", "why_it_waits", "price", "krea_words", "error", "result")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        """Leave out what is long and not shown."""
        return super().get_queryset(request).defer("body", "raw")

    @admin.display(description=_("status"))
    def state(self, submission: Submission) -> str:
        """State, failure, and what asks for attention."""
        return display.submission_status(submission)

    @admin.display(description=_("why it waits"))
    def why_it_waits(self, submission: Submission) -> str:
        """The worker's note for staff."""
        return display.text(submission.note) or self.get_empty_value_display()

    @admin.display(description=_("price"))
    def price(self, submission: Submission) -> str:
        """In USD."""
        return display.usd(submission.price_usd)

    @admin.display(description=_("status in Krea's words"))
    def krea_words(self, submission: Submission) -> str:
        """Whatever word Krea used."""
        return display.text(submission.krea_status) or self.get_empty_value_display()

    @admin.display(description=_("Krea's error"))
    def error(self, submission: Submission) -> str:
        """Code and message, as they came."""
        words = (submission.error_code, submission.error_message)
        return display.text(": ".join(filter(None, words))) or self.get_empty_value_display()

    @admin.display(description=_("result"))
    def result(self, submission: Submission) -> str:
        """Where this try's own video is."""
        return display.result(submission.result_url) or self.get_empty_value_display()


class JobEventInline(ReadOnlyInline, TabularInline):
    """What happened, the newest first."""

    model = JobEvent
    ordering = ("-pk",)
    verbose_name_plural = _("events (the newest first, at most 100)")
    template = "admin/hailuo_django/table.html"
    fields = (
        "moment",
        "action",
        "from_status",
        "to_status",
        "number",
        "source",
        "actor",
        "details",
    )
    readonly_fields = ("moment", "number", "details")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobEvent]:
        """Fetch along who and which submission."""
        events = super().get_queryset(request).select_related("actor", "submission")
        return events.defer("submission__body", "submission__raw")

    @admin.display(description=_("when"))
    def moment(self, event: JobEvent) -> str:
        """To the second: much of a short life happens within a minute."""
        return display.moment(event.created_at)

    @admin.display(description=_("submission"))
    def number(self, event: JobEvent) -> str:
        """The submission's number."""
        return f"#{event.submission.number}" if event.submission else ""

    @admin.display(description=_("detail"))
    def details(self, event: JobEvent) -> str:
        """What was noted, as it came."""
        return display.text(event.detail)
