"""What the workers know of Krea's accounts, and when they were last seen: to be read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin  # Django's own class takes no parameters


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows that only workers write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one by hand."""
        return False


class KreaAccountAdmin(ReadOnlyAdmin):
    """Until when an account is to be left in peace, and why."""

    list_display = ("fingerprint", "send_after", "look_after", "setbacks", "reason")


class HeartbeatAdmin(ReadOnlyAdmin):
    """When workers last finished a pass."""

    list_display = ("name", "beat_at")
