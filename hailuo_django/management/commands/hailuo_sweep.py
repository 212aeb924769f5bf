"""Do what is due: once, as from cron, or over and over, as a service."""

from __future__ import annotations

import contextlib
import logging
import math
import select
import signal
import socket
import threading
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections
from django.utils.translation import gettext as _

from hailuo_django.conf import conf
from hailuo_django.worker.sweep import sweep

logger = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM)


def seconds(text: str) -> float:
    """Read a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= threading.TIMEOUT_MAX:
        raise ArgumentTypeError(_("%(text)s is no positive number of seconds.") % {"text": text})
    return value


class Command(BaseCommand):
    """Safe beside a cluster and beside itself: whoever comes second finds the rows taken."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _("Send what is to be sent and ask Krea for what is due.")
        parser.add_argument(
            "--loop",
            type=seconds,
            metavar="SECONDS",
            help=_(
                "Go on, one pass every SECONDS, until SIGINT or SIGTERM. Without it: one pass."
                " A pass under way is finished first."
            ),
        )

    def handle(self, *args: Any, loop: float | None, verbosity: int, **options: Any) -> None:
        if not conf.KREA_API_TOKEN:
            raise CommandError(
                _('HAILUO["KREA_API_TOKEN"] is empty: there is nothing to ask Krea with.')
            )
        self.verbosity = verbosity
        with _stopped_by_signals() as told_to_stop:
            if loop is None:
                self._report(sweep())
            else:
                self._go_on(loop, told_to_stop)

    def _go_on(self, interval: float, told_to_stop: Callable[[float], bool]) -> None:
        pause = 0.0
        while not told_to_stop(pause):
            started = time.monotonic()
            close_old_connections()
            try:
                self._report(sweep())
            except Exception:
                # The database may be away for a while; what is due stays due.
                logger.exception("This pass failed; the next one tries again.")
            finally:
                close_old_connections()
            pause = max(0.0, started + interval - time.monotonic())

    def _report(self, calls: int) -> None:
        if self.verbosity:
            self.stdout.write(_("Requests to Krea: %(calls)d") % {"calls": calls})
            self.stdout.flush()


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[Callable[[float], bool]]:
    """Yield what waits for so many seconds and tells whether it is time to stop.

    Until then a signal interrupts nothing: what a request under way learns was paid for. By a
    socket: an Event would deadlock when its own waiter is interrupted to set it.
    """
    reader, writer = socket.socketpair()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        writer.send(b".")

    def told_to_stop(wait_seconds: float) -> bool:
        return bool(select.select([reader], [], [], wait_seconds)[0])

    # Python lets the main thread alone say what a signal does; another one is not interrupted.
    heeded = STOPPING if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, ask_to_stop) for number in heeded}
    try:
        yield told_to_stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()
