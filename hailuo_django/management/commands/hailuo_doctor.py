"""Say what is wrong with this installation and how to mend it; decide about lost answers."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from hailuo_django import ledger, pacing
from hailuo_django.conf import conf
from hailuo_django.doctor import Finding, Level, examine, reports, verdicts
from hailuo_django.doctor.orphans import find_orphans
from hailuo_django.exceptions import HailuoError
from hailuo_django.krea.errors import KreaError

MAX_DAYS = 3650


def days(text: str) -> float:
    """Read a positive number of days."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_DAYS:
        raise argparse.ArgumentTypeError(
            _("%(text)s is no positive number of days.") % {"text": text}
        )
    return value


class Command(BaseCommand):
    """Exits 0 when all is well or only worth a look, 1 when there is a problem."""

    # Its examination of the settings says what is wrong; it must not end with the first error.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _(
            "Say what is wrong with this installation and how to mend it. It costs nothing."
        )
        parser.add_argument("--json", action="store_true", help=_("Print JSON, for machines."))
        parser.set_defaults(act=self.examine)
        actions = parser.add_subparsers(metavar="ACTION")
        orphans = actions.add_parser("orphans", help=_("Compare Krea's list with our rows."))
        orphans.add_argument("--days", type=days, default=2, help=_("So far back; default: 2."))
        orphans.add_argument(
            "--account",
            action="store_true",
            help=_("Leave out submissions that were sent with another API token."),
        )
        # As it was before the word, unless it stands behind it.
        orphans.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
        orphans.set_defaults(act=self.orphans)
        self._add_verdicts(actions)

    def _add_verdicts(self, actions: Any) -> None:
        show = actions.add_parser("show", help=_("Show a job and the evidence about it."))
        show.set_defaults(act=self.show)
        adopt = actions.add_parser("adopt", help=_("This job of Krea's is what became of it."))
        adopt.set_defaults(act=self.adopt)
        again = actions.add_parser("send-again", help=_("Give it up and send it once more."))
        again.set_defaults(act=self.send_again)
        give_up = actions.add_parser("give-up", help=_("Give it up: nothing is reserved any more."))
        give_up.set_defaults(act=self.give_up)
        dismiss = actions.add_parser("dismiss", help=_("This job of Krea's is none of ours."))
        dismiss.set_defaults(act=self.dismiss)
        pause = actions.add_parser("pause", help=_("Let the account send nothing until “resume”."))
        pause.set_defaults(act=self.pause)
        resume = actions.add_parser("resume", help=_("Let the account send, whatever held it."))
        resume.set_defaults(act=self.resume)
        for parser in (show, adopt, again, give_up):
            parser.add_argument("job", metavar="JOB")
        for parser in (adopt, dismiss):
            parser.add_argument("krea_job_id", metavar="KREA_ID")
        for parser in (adopt, again, give_up):
            parser.add_argument(
                "--number", type=int, help=_("Of the submission; default: the one to decide about.")
            )
        for parser in (adopt, again, give_up, dismiss, pause):
            parser.add_argument(
                "--actor", metavar="USERNAME", help=_("Who decides, for the history.")
            )
        for parser in (adopt, again, give_up, dismiss, resume):
            parser.add_argument("--yes", action="store_true", help=_("Do not ask."))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            options["act"](**options)
        except (HailuoError, KreaError, ValueError) as error:
            raise CommandError(str(error)) from None

    def examine(self, **options: Any) -> None:
        """Print what every examination finds."""
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

    def orphans(self, *, days: float, account: bool, **options: Any) -> None:
        """Print who is there that the other side does not know."""
        found = find_orphans(days, own_account=account)
        if options["json"]:
            self.stdout.write(json.dumps(reports.as_json(found), indent=2))
        else:
            self.stdout.write("\n".join(reports.as_lines(found)))

    def show(self, *, job: str, **options: Any) -> None:
        """Print what is known about a job."""
        self.stdout.write("\n".join(verdicts.told(verdicts.find_job(job))))

    def adopt(self, *, job: str, krea_job_id: str, **options: Any) -> None:
        """Name the upstream job that a submission became."""
        found = verdicts.find_job(job)
        submission = verdicts.find_submission(found, options["number"], unsent=True)
        by = verdicts.operator(options["actor"])
        self.show(job=job)
        question = _("Is Krea job %(id)s what became of submission %(number)d?")
        self._ask(question % {"id": krea_job_id, "number": submission.number}, **options)
        ledger.choose(submission, krea_job_id, by=by)
        self.stdout.write(_("Named. A worker asks Krea about it, and adopts it if Krea knows it."))

    def send_again(self, *, job: str, **options: Any) -> None:
        """Give a submission up and write another one."""
        found = verdicts.find_job(job)
        submission = verdicts.find_submission(found, options["number"])
        by = verdicts.operator(options["actor"])
        self.show(job=job)
        question = _(
            "Send it again for about %(price)s USD? Should submission %(number)d be completed"
            " after all, both are billed."
        )
        self._ask(question % {"price": found.price_usd, "number": submission.number}, **options)
        new = ledger.send_again(submission, by=by)
        said = _("Submission %(number)d is to be sent, for %(price)s USD.")
        self.stdout.write(said % {"number": new.number, "price": new.price_usd})

    def give_up(self, *, job: str, **options: Any) -> None:
        """Count a submission as failed."""
        found = verdicts.find_job(job)
        submission = verdicts.find_submission(found, options["number"])
        by = verdicts.operator(options["actor"])
        self.show(job=job)
        question = _(
            "Give submission %(number)d up? It fails unless it has ended, and nothing is reserved"
            " for it any more. Its video is kept should it come after all."
        )
        self._ask(question % {"number": submission.number}, **options)
        ledger.give_up(submission, by=by)
        self.stdout.write(_("Given up."))

    def dismiss(self, *, krea_job_id: str, **options: Any) -> None:
        """Say that an upstream job is none of ours."""
        by = verdicts.operator(options["actor"])
        stranger = verdicts.find_stranger(krea_job_id)
        self.stdout.write(verdicts.told_stranger(stranger))
        self._ask(_("Is it none of this site's?"), **options)
        ledger.dismiss(stranger, by=by)
        self.stdout.write(_("Dismissed."))

    def pause(self, **options: Any) -> None:
        """Let the account in use send nothing until it is resumed."""
        actor = verdicts.operator(options["actor"]).actor
        if not conf.KREA_API_TOKEN:
            raise CommandError(
                _('HAILUO["KREA_API_TOKEN"] is empty: nothing is sent, and no account is held.')
            )
        if pacing.hold(pacing.account(), by=actor.get_username() if actor else ""):
            self.stdout.write(_("Nothing is sent until “hailuo_doctor resume”."))
        else:
            self.stdout.write(_("This account is held already."))

    def resume(self, **options: Any) -> None:
        """Lift the pauses of the account in use."""
        self.stdout.write("\n".join(verdicts.told_account()))
        self._ask(_("Let this account send and ask at once?"), **options)
        if pacing.resume(pacing.account()):
            self.stdout.write(_("The pause is lifted; the next sweep goes on."))
        else:
            self.stdout.write(_("Nothing held back this account."))

    def _ask(self, question: str, *, yes: bool, **options: Any) -> None:
        """Raise CommandError unless the answer is yes."""
        if yes:
            return
        self.stdout.write(question)
        try:
            answer = input(_("Type “yes” to go on: "))
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            raise CommandError(_("Nothing was changed."))
