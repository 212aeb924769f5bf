"""The database router of ``tests/settings_multidb.py``."""

from __future__ import annotations

from typing import Any

from django.db.models import Model


class AppRouter:
    """Sends everything to ``app`` and keeps ``other`` empty."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return "app"

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return "app"

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "app"
