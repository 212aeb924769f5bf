"""The demo's web server; ``manage.py demo`` starts it."""

from __future__ import annotations

import socket
from typing import Any

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management.base import BaseCommand, CommandParser
from django.core.servers.basehttp import get_internal_wsgi_application
from django.utils.translation import gettext as _

from example_project.web import HandedDownServer


class Command(BaseCommand):
    """Serves the site and, also without DEBUG, its static files."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _("Serve the site. “manage.py demo” starts this.")
        parser.add_argument(
            "descriptor", type=int, help=_("The number of an inherited socket that listens.")
        )

    def handle(self, *args: Any, descriptor: int, **options: Any) -> None:
        site = StaticFilesHandler(get_internal_wsgi_application())
        with HandedDownServer(socket.socket(fileno=descriptor)) as server:
            server.set_app(site)
            server.serve_forever()
