"""Django's own log of the admin: what operators did, also where a worker did it for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import Model


def log_change(actor: AbstractBaseUser | None, row: Model, message: str) -> None:
    """Write down that ``actor`` changed ``row``; nothing without an actor, or without the admin."""
    if actor is None or not apps.is_installed("django.contrib.admin"):
        return
    # Imported late: a site may do without the admin.
    from django.contrib.admin.models import CHANGE, LogEntry

    LogEntry.objects.log_actions(actor.pk, [row], CHANGE, message, single_object=True)
