"""Install, remove or check the schedule that has django-q2 do what is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from hailuo_django import schedule


class Command(BaseCommand):
    """Exits 0 when all is as asked, 1 when ``check`` finds it otherwise."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _("Keep the one django-q2 schedule that runs the sweep every minute.")
        parser.add_argument(
            "action",
            choices=("install", "remove", "check"),
            help=_(
                "install: have exactly one, as it should be. remove: have none."
                " check: exit with 1 unless it is installed."
            ),
        )

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            self.stdout.write(self.actions()[action]())
        except schedule.NoTaskQueue:
            raise CommandError(
                _(
                    "django_q is not in INSTALLED_APPS, so there is nothing to schedule with."
                    " Run “manage.py hailuo_sweep” from cron every minute instead."
                )
            ) from None

    def actions(self) -> dict[str, Callable[[], str]]:
        """Return what is done, by its word."""
        return {"install": self.install, "remove": self.remove, "check": self.check_installed}

    def install(self) -> str:
        """Install or mend it."""
        if schedule.install():
            return _("The schedule is installed: every minute, wherever a cluster runs.")
        return _("The schedule was installed already.")

    def remove(self) -> str:
        """Remove it."""
        if schedule.remove():
            return _("The schedule is removed.")
        return _("There was no schedule.")

    def check_installed(self) -> str:
        """Say that it is there. Raises CommandError when it is not."""
        if schedule.is_installed():
            return _("The schedule is installed.")
        raise CommandError(
            _("The schedule is missing or not as it should be: run “hailuo_schedule install”.")
        )
