"""What the tables tell: the last sweep, pauses of the account, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext as _

from hailuo_django.conf import conf
from hailuo_django.models import Heartbeat, KreaAccount, Submission, VideoJob
from hailuo_django.states import Status
from hailuo_django.worker.pacing import account
from hailuo_django.worker.sweep import HEARTBEAT

from .findings import Finding, foreign, ok, warning

LATE_AFTER = timedelta(minutes=3)
"""The schedule and cron run it every minute."""


def examine_sweep() -> Iterator[Finding]:
    """Look when a worker last finished a pass."""
    fix = _(
        "See that “manage.py qcluster” runs, or “manage.py hailuo_sweep” from cron or as a"
        " service, and read its log."
    )
    beats = Heartbeat.objects.using(VideoJob.database())
    last = beats.filter(name=HEARTBEAT).values_list("beat_at", flat=True).first()
    if last is None:
        yield warning("sweep.never", _("No worker has ever finished a sweep."), fix)
        return
    age = timezone.now() - last
    values = {"seconds": max(round(age.total_seconds()), 0)}
    if age > LATE_AFTER:
        yield warning("sweep.late", _("The last sweep ended %(seconds)d s ago.") % values, fix)
    else:
        yield ok("sweep.ok", _("The last sweep ended %(seconds)d s ago.") % values)


def examine_account() -> Iterator[Finding]:
    """Look whether Krea's account in use is paused, until when and why."""
    now = timezone.now()
    paused = Q(send_after__gt=now) | Q(look_after__gt=now)
    accounts = KreaAccount.objects.using(VideoJob.database())
    row = accounts.filter(paused, fingerprint=account()).first()
    if row is None:
        yield ok("account.ok", _("Nothing holds back this account."))
        return
    until = max(moment for moment in (row.send_after, row.look_after) if moment)
    yield warning(
        "account.paused",
        _("Sending is paused until %(until)s: %(reason)s")
        % {"until": localize(timezone.localtime(until)), "reason": foreign(row.reason)},
        _("It goes on by itself."),
    )


def examine_submissions() -> Iterator[Finding]:
    """Count what is unconfirmed or overdue."""
    rows = Submission.objects.using(VideoJob.database()).live()
    limit = timezone.now() - timedelta(seconds=conf.OVERDUE_AFTER_SECONDS)
    unconfirmed = Q(status=Status.UNCONFIRMED)
    found = rows.aggregate(
        unconfirmed=Count("pk", filter=unconfirmed),
        since=Min("sent_at", filter=unconfirmed),
        overdue=Count("pk", filter=Q(sent_at__lt=limit)),
    )
    if found["unconfirmed"]:
        found["since"] = localize(timezone.localtime(found["since"] or timezone.now()))
        yield warning(
            "submissions.unconfirmed",
            _("Submissions whose answer was lost: %(unconfirmed)d, the oldest of %(since)s.")
            % found,
            _("Run “manage.py hailuo_doctor orphans”, and see which of Krea's jobs is theirs."),
        )
    if found["overdue"]:
        yield warning(
            "submissions.overdue",
            _("Submissions that take too long: %(overdue)d.") % found,
            _("They go on being asked for. Run “manage.py hailuo_doctor orphans”."),
        )
    if not found["unconfirmed"] and not found["overdue"]:
        yield ok("submissions.ok", _("Nothing is unconfirmed or overdue."))
