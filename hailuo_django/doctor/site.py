"""The settings, the schedule and django-q2."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.core.checks import ERROR, WARNING, CheckMessage, run_checks
from django.utils.translation import gettext as _

from hailuo_django import schedule
from hailuo_django.checks import TAG
from hailuo_django.checks.cluster import check_cluster
from hailuo_django.clock import ahead_of_database
from hailuo_django.conf import conf
from hailuo_django.models import VideoJob
from hailuo_django.worker.evidence import DRIFT

from .findings import Finding, Level, ok, problem


def examine_settings() -> Iterator[Finding]:
    """Run our system checks, those of ``check --deploy`` included."""
    elsewhere = check_cluster(None)
    messages = run_checks(tags=[TAG], include_deployment_checks=True)
    found = [one for one in messages if one not in elsewhere and not one.is_silenced()]
    for message in found:
        yield _finding("settings.check", message)
    if not any(message.level >= WARNING for message in found):
        yield ok("settings.ok", _("The settings pass their checks."))


def examine_clock() -> Iterator[Finding]:
    """Compare the clock of this machine with that of the database, which all hosts share."""
    seconds = round(ahead_of_database(VideoJob.database()).total_seconds())
    if abs(seconds) > DRIFT.total_seconds():
        found = _("This machine's clock is %d s ahead of the database's: workers here do nothing.")
        yield problem("clock.database", found % seconds, _("Set it right: run NTP on every host."))


def examine_queue() -> Iterator[Finding]:
    """Check whether django-q2's retry and timeout suit our tasks."""
    if not apps.is_installed("django_q"):
        return
    found = [message for message in check_cluster(None) if not message.is_silenced()]
    for message in found:
        yield _finding("queue.check", message)
    if not found:
        yield ok("queue.ok", _("django-q2's settings suit our tasks."))


def examine_schedule() -> Iterator[Finding]:
    """Look whether django-q2 is to run the sweep."""
    try:
        installed = schedule.is_installed()
    except schedule.NoTaskQueue:
        yield ok(
            "schedule.no_queue",
            _("django_q is not installed: “hailuo_sweep” has to run from cron or as a service."),
        )
        return
    if installed:
        yield ok("schedule.ok", _("django-q2 runs the sweep every minute, where a cluster runs."))
    elif not conf.SCHEDULE:
        yield ok(
            "schedule.off",
            _('HAILUO["SCHEDULE"] is off: “hailuo_sweep” has to run from cron or as a service.'),
        )
    else:
        yield Finding(
            "schedule.missing",
            Level.PROBLEM,
            _("django-q2's schedule of the sweep is missing or not as it should be."),
            _("Run “manage.py hailuo_schedule install”."),
        )


def _finding(code: str, message: CheckMessage) -> Finding:
    found = f"{message.msg} ({message.id})"
    if message.level >= ERROR:
        return Finding(code, Level.PROBLEM, found, message.hint or "")
    level = Level.WARNING if message.level >= WARNING else Level.OK
    return Finding(code, level, found, message.hint or "")
