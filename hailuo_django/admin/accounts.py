"""What the workers know of Krea's accounts, and when they were last seen."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from hailuo_django import pacing
from hailuo_django.models import KreaAccount

from . import display
from .base import ReadOnlyAdmin


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
        "paused_at",
        "send_after",
        "look_after",
        "trial_until",
    )
    readonly_fields = ("in_use", "sending", "reason_shown")
    actions = (resume_sending,)

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
        """Why, as it came."""
        return display.text(account.reason) or self.get_empty_value_display()


class HeartbeatAdmin(ReadOnlyAdmin):
    """When workers last finished a pass."""

    list_display = ("name", "beat_at")
