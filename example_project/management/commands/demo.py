"""The whole of it on one machine: site, cluster, sandbox, and a sample job that gets its video."""

from __future__ import annotations

import secrets
import socket
import sys
from argparse import ArgumentTypeError
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from example_project.processes import MANAGE, Died, Interrupted, Processes, Signals
from example_project.stage import HOST, directory_for, environment_for, listen, sandbox
from hailuo_django.sandbox import MISBEHAVIOURS, Sandbox

OPERATOR = "operator"
SWEEP_SECONDS = 2


class Command(BaseCommand):
    """Supervises; the work is done by the processes it starts, as on a real site."""

    # The processes check their own settings; these here are not the demo's.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _(
            "Show hailuo_django at work: SQLite, the sandbox in the place of Krea, a django-q2"
            " cluster and a web server, on this machine alone. It submits a sample job, follows"
            " it until its video is there, and serves until Ctrl-C."
        )
        parser.add_argument(
            "--once", action="store_true", help=_("End after the sample: 0 when it went well.")
        )
        parser.add_argument(
            "--no-webhooks",
            dest="webhooks",
            action="store_false",
            help=_("Let polling complete the sample instead of a webhook."),
        )
        parser.add_argument(
            "--port", type=port, default=0, help=_("Port of the site; default: a free one.")
        )
        parser.add_argument(
            "--sandbox-port",
            type=port,
            default=0,
            help=_("Port of the sandbox; default: a free one."),
        )
        parser.add_argument(
            "--keep",
            nargs="?",
            type=Path,
            const=MANAGE.parent / "var" / "demo",
            metavar="DIRECTORY",
            help=_(
                "Keep database and logs, in DIRECTORY or in var/demo, and go on with what is"
                " there. Default: a temporary directory. The videos go with the sandbox."
            ),
        )
        self.add_sample_arguments(parser)

    def add_sample_arguments(self, parser: CommandParser) -> None:
        """Add what concerns the sample alone."""
        parser.add_argument(
            "--timeout",
            type=seconds,
            default=60,
            help=_("Seconds to wait for the sample's video; default: 60."),
        )
        parser.add_argument(
            "--seconds",
            type=seconds,
            default=3,
            help=_("Seconds that the sandbox takes for a video; default: 3."),
        )
        parser.add_argument(
            "--misbehave",
            action="append",
            default=[],
            metavar="NAME[:NUMBER]",
            help=_(
                "What every job meets in the sandbox; may be repeated. One of: %(names)s. In a"
                " prompt, [NAME] does the same for one job."
            )
            % {"names": ", ".join(MISBEHAVIOURS)},
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signals = Signals()
        with signals.watched():
            try:
                with ExitStack() as stack:
                    code = self.show(stack, signals, options)
            except Interrupted as interrupted:
                code = 128 + interrupted.number
                self.say(_("Stopped."))
        sys.exit(code)

    def say(self, *lines: str) -> None:
        """Print at once. When nobody reads any more, the show goes on without an audience."""
        with suppress(OSError):
            for line in lines:
                self.stdout.write(line)
            self.stdout.flush()

    def show(self, stack: ExitStack, signals: Signals, options: dict[str, Any]) -> int:
        """Start everything on ``stack``, show the sample, serve; return the exit code."""
        directory = stack.enter_context(directory_for(options["keep"]))
        krea = stack.enter_context(
            sandbox(
                options["sandbox_port"],
                seconds=options["seconds"],
                misbehave=options["misbehave"],
            )
        )
        listener = stack.enter_context(listen(options["port"]))
        site = f"http://{HOST}:{listener.getsockname()[1]}"
        environment = environment_for(directory, krea, site if options["webhooks"] else "")
        processes = Processes(environment, directory, signals)
        stack.callback(processes.stop)
        try:
            self.start(processes, listener, webhooks=options["webhooks"])
            password = secrets.token_urlsafe(9)
            self.introduce(site, krea, directory, password)
            code = self.sample(processes, options, password)
            if not options["once"]:
                self.serve(processes, site)
        except Died as died:
            raise CommandError(died.child.obituary()) from None
        return code

    def start(self, processes: Processes, listener: socket.socket, *, webhooks: bool) -> None:
        """Make the database and start the services."""
        self.say(_("Making the database ..."))
        migrated = processes.run("migrate", "--verbosity", "0", log="migrate")
        if migrated.process.returncode:
            raise Died(migrated)
        number = listener.fileno()
        processes.serve("web", "demo_web", str(number), pass_fds=[number])
        processes.serve("cluster", "qcluster")
        if not webhooks:
            self.say(
                _(
                    "No webhooks: the cluster's schedule would poll every 60 to 90 seconds, so"
                    " “hailuo_sweep --loop %(seconds)d” runs beside it."
                )
                % {"seconds": SWEEP_SECONDS}
            )
            processes.serve("sweep", "hailuo_sweep", "--loop", str(SWEEP_SECONDS))

    def introduce(self, site: str, krea: Sandbox, directory: Path, password: str) -> None:
        """Print the addresses and how to sign in."""
        self.say(
            "",
            _("Site     %(site)s/") % {"site": site},
            _("Gallery  %(site)s/gallery/") % {"site": site},
            _("Admin    %(site)s/admin/") % {"site": site},
            _("API      %(site)s/api/jobs/") % {"site": site},
            _("Sign in  %(name)s, password %(password)s")
            % {"name": OPERATOR, "password": password},
            _("Sandbox  %(url)s (in the place of Krea: no account, no bill)") % {"url": krea.url},
            _("Logs     %(directory)s/*.log") % {"directory": directory},
            "",
        )

    def sample(self, processes: Processes, options: dict[str, Any], password: str) -> int:
        """Show the sample; return its exit code."""
        source = "webhook" if options["webhooks"] else "poll"
        arguments = ["--operator", OPERATOR, "--completed-by", source]
        arguments += ["--timeout", str(options["timeout"])]
        done = processes.run("demo_sample", *arguments, HAILUO_DEMO_PASSWORD=password)
        return done.process.returncode

    def serve(self, processes: Processes, site: str) -> None:
        """Serve until somebody asks for the end."""
        self.say(
            "",
            _("For a job that fails, write [moderation] into a prompt; --help names more."),
            _("Serving at %(site)s/ until Ctrl-C.") % {"site": site},
        )
        with suppress(Interrupted):
            processes.wait_until(lambda: False)
        self.say("", _("Stopping ..."))


def port(text: str) -> int:
    """Read a port number; 0 is a free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise ArgumentTypeError(_("“%(text)s” is no port: 0 to 65535.") % {"text": text})
    return int(text)


def seconds(text: str) -> float:
    """Read a number of seconds."""
    with suppress(ValueError):
        if 0 <= (value := float(text)) <= 3600:
            return value
    raise ArgumentTypeError(_("“%(text)s” is no number from 0 to 3600.") % {"text": text})
