"""Serve the sandbox: Krea's job API for development, without an account and without a bill."""

from __future__ import annotations

import json
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from hailuo_django.sandbox import MISBEHAVIOURS, Sandbox

SETTINGS = """\
HAILUO = {{
    "KREA_BASE_URL": {url},
    "KREA_API_TOKEN": {token},
    "WEBHOOK_BASE_URL": "http://127.0.0.1:8000",
    "RESULT_HOSTS": [{host}],
}}
"""


class Command(BaseCommand):
    """Needs no database and no settings of this app."""

    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _("Serve a stand-in for Krea on this machine, until Ctrl-C.")
        parser.add_argument("--host", default="127.0.0.1", help=_("Address to listen on."))
        parser.add_argument(
            "--port", type=int, default=8765, help=_("Port to listen on; 0 takes a free one.")
        )
        parser.add_argument(
            "--token", default="sandbox-token", help=_("The bearer token that it accepts.")
        )
        parser.add_argument(
            "--seconds", type=float, default=3.0, help=_("How long a video takes, in seconds.")
        )
        parser.add_argument(
            "--misbehave",
            action="append",
            default=[],
            metavar="NAME[:NUMBER]",
            help=_("What every job meets. One of: %(names)s.")
            % {"names": ", ".join(MISBEHAVIOURS)},
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("host", "port", "token", "seconds", "misbehave")
        try:
            krea = Sandbox(**{name: options[name] for name in names})
        except (OSError, OverflowError, ValueError) as error:
            raise CommandError(str(error)) from None
        with krea:
            try:
                self._introduce(krea, options["host"])
                threading.Event().wait()
            except KeyboardInterrupt:
                self.stdout.write("")

    def _introduce(self, krea: Sandbox, host: str) -> None:
        """Print the settings for it."""
        self.stdout.write(_("The sandbox serves at %(url)s. Settings:") % {"url": krea.url})
        self.stdout.write("")
        values = {"url": krea.url, "token": krea.token, "host": host}
        quoted = {name: json.dumps(value) for name, value in values.items()}
        self.stdout.write(SETTINGS.format(**quoted))
        self.stdout.write(_("Ctrl-C ends it."))
        self.stdout.flush()
