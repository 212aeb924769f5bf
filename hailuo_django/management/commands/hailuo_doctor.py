"""Say what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from hailuo_django.doctor import Finding, Level, examine


class Command(BaseCommand):
    """Exits 0 when all is well or only worth a look, 1 when there is a problem."""

    # Its examination of the settings says what is wrong; it must not end with the first error.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _("Say what is wrong with this installation, and how to mend it.")
        parser.add_argument("--json", action="store_true", help=_("Print JSON, for machines."))

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for finding in examine():
            found.append(finding)
            if not options["json"]:
                self.stdout.write(self._styled(finding))
                self.stdout.flush()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in found], indent=2))
        problems = sum(finding.level == Level.PROBLEM for finding in found)
        if problems:
            raise CommandError(_("Problems: %(count)d") % {"count": problems})

    def _styled(self, finding: Finding) -> str:
        style = {Level.WARNING: self.style.WARNING, Level.PROBLEM: self.style.ERROR}
        return style.get(finding.level, str)(str(finding))
