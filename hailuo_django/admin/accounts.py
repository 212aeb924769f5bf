"""What the workers know of Krea's accounts, and when they were last seen."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from hailuo_django import pacing
from hailuo_django.conf import conf
from hailuo_django.models import KreaAccount, VideoJob

from . import display
from .base import ReadOnlyAdmin


@admin.action(permissions=["reconcile"], description=gettext_lazy("Hold sending"))
def hold_sending(modeladmin: Any, request: HttpRequest, queryset: QuerySet[KreaAccount]) -> None:
    """Let accounts send nothing until somebody resumes them; Krea goes on being asked."""
    held = idle = 0
    for account in queryset.order_by("pk"):
        if pacing.hold(account.fingerprint, by=request.user.get_username()):
            modeladmin.log_change(request, account, _("Held sending."))
            held += 1
        else:
            idle += 1
    if held:
        words = ngettext(
            "%d account sends nothing until somebody resumes it.",
            "%d accounts send nothing until somebody resumes them.",
            held,
        )
        messages.success(request, words % held)
    if idle:
        words = ngettext("%d account is held already.", "%d accounts are held already.", idle)
        messages.warning(request, words % idle)


@admin.action(permissions=["reconcile"], description=gettext_lazy("Resume sending"))
def resume_sending(modeladmin: Any, request: HttpRequest, queryset: QuerySet[KreaAccount]) -> None:
    """Let accounts send at once; what is still wrong holds them back after a single trial."""
    resumed = idle = 0
    for account in queryset.order_by("pk"):
        if pacing.resume(account.fingerprint):
            modeladmin.log_change(request, account, _("Resumed sending."))
            resumed += 1
        else:
            idle += 1
    if resumed:
        words = ngettext("%d account may send again.", "%d accounts may send again.", resumed)
        messages.success(request, words % resumed)
    if idle:
        words = ngettext("Nothing held %d account back.", "Nothing held %d accounts back.", idle)
        messages.warning(request, words % idle)


class KreaAccountAdmin(ReadOnlyAdmin):
    """Whether an account sends, until when it is to be left in peace, and why."""

    list_display = ("fingerprint", "in_use", "sending", "doubts", "setbacks", "reason_shown")
    fields = (
        "fingerprint",
        "in_use",
        "sending",
        "reason_shown",
        "doubts",
        "setbacks",
        "held_at",
        "paused_at",
        "send_after",
        "look_after",
        "trial_until",
    )
    readonly_fields = ("in_use", "sending", "reason_shown")
    actions = (hold_sending, resume_sending)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to hold the account in use as well where the list lacks it."""
        if "hold_unlisted" in request.POST:
            return self._hold_unlisted(request)
        unlisted = self._unlisted(request) if self.has_reconcile_permission(request) else ""
        return super().changelist_view(request, {"unlisted": unlisted, **(extra_context or {})})

    def _unlisted(self, request: HttpRequest) -> str:
        """Return the account in use where nothing has ever held it back, so that it has no row."""
        name = pacing.account()
        has_none = conf.KREA_API_TOKEN and not self.get_queryset(request).filter(pk=name).exists()
        return name if has_none else ""

    def _hold_unlisted(self, request: HttpRequest) -> HttpResponse:
        if not (self.has_view_permission(request) and self.has_reconcile_permission(request)):
            raise PermissionDenied
        # The one that the page named: the token may be another one by now.
        name = request.POST["hold_unlisted"]
        if name == self._unlisted(request):
            rows = KreaAccount.objects.using(VideoJob.database())
            rows.get_or_create(fingerprint=name)
            hold_sending(self, request, rows.filter(pk=name))
        else:
            messages.warning(request, _("Nothing was done: see whether the list has it now."))
        return HttpResponseRedirect(request.get_full_path())

    @admin.display(description=gettext_lazy("in use"), boolean=True)
    def in_use(self, account: KreaAccount) -> bool:
        """Whether it is the account of the site's API token."""
        return account.fingerprint == pacing.account()

    @admin.display(description=gettext_lazy("sending"))
    def sending(self, account: KreaAccount) -> str:
        """What holds sending back, in words."""
        return display.sending(account)

    @admin.display(description=gettext_lazy("reason"))
    def reason_shown(self, account: KreaAccount) -> str:
        """Who holds it, and what Krea said, as it came."""
        return display.reason(account) or self.get_empty_value_display()


class HeartbeatAdmin(ReadOnlyAdmin):
    """When workers last finished a pass."""

    list_display = ("name", "beat_at")
