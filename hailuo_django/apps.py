"""The Django app."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from . import checks, logs, schedule


class HailuoDjangoConfig(AppConfig):
    """Videos by MiniMax's Hailuo 02 through Krea."""

    name = "hailuo_django"
    verbose_name = _("Hailuo videos")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Redact Django's logs whatever the host configured; register checks and schedule."""
        logs.install()
        checks.register()
        if apps.is_installed("drf_spectacular"):
            import_module("hailuo_django.api.openapi.extensions")
        post_migrate.connect(schedule.install_after_migrate, sender=self)
