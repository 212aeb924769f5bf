"""What the tables tell: the last sweep, pauses of the account, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django import budget, pacing
from hailuo_django.conf import conf
from hailuo_django.models import Heartbeat, KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.states import Status

from .findings import Finding, foreign, ok, shown, warning


def examine_sweep() -> Iterator[Finding]:
    """Look when a worker last finished a pass."""
    fix = _(
        "See that “manage.py qcluster” runs, or “manage.py hailuo_sweep” from cron or as a"
        " service, and read its log."
    )
    beats = Heartbeat.objects.using(VideoJob.database())
    last = beats.filter(name=Heartbeat.SWEEP).values_list("beat_at", flat=True).first()
    if last is None:
        yield warning("sweep.never", _("No worker has ever finished a sweep."), fix)
        return
    age = timezone.now() - last
    values = {"seconds": max(round(age.total_seconds()), 0)}
    if age > Heartbeat.LATE_AFTER:
        yield warning("sweep.late", _("The last sweep ended %(seconds)d s ago.") % values, fix)
    else:
        yield ok("sweep.ok", _("The last sweep ended %(seconds)d s ago.") % values)


def examine_account() -> Iterator[Finding]:
    """Look whether Krea's account in use is held or paused, until when and why."""
    now, accounts = timezone.now(), KreaAccount.objects.using(VideoJob.database())
    row = accounts.filter(fingerprint=pacing.account()).first()
    if row is None or not (row.holds_sending(now) or (row.look_after and row.look_after > now)):
        yield _not_held(row)
        return
    if row.held_at:
        yield _held(row)
        return
    reason = foreign(row.reason)
    if row.paused_at:
        found = _("Sending is paused since %(since)s, until Krea answers a GET: %(reason)s") % {
            "since": shown(row.paused_at),
            "reason": reason,
        }
    else:
        until = max(moment for moment in (row.send_after, row.look_after) if moment)
        found = _("Sending is paused until %(until)s: %(reason)s") % {
            "until": shown(until),
            "reason": reason,
        }
    fix = _(
        "Mend what Krea says of the token or the balance, if it does. It then goes on by itself;"
        " at once with “manage.py hailuo_doctor resume”."
    )
    yield warning("account.paused", found, fix)


def _not_held(row: KreaAccount | None) -> Finding:
    if row is None or not (row.setbacks or row.doubts):
        return ok("account.ok", _("Nothing holds back this account."))
    return ok(
        "account.trial", _("After trouble, one request goes out at a time until one goes through.")
    )


def _held(row: KreaAccount) -> Finding:
    held = {"since": shown(row.held_at), "who": foreign(row.held_by) or "-"}
    found = _("Sending is held by hand since %(since)s, by %(who)s: nothing is sent.") % held
    fix = _("When all is well: “manage.py hailuo_doctor resume”, or “Resume sending” in the admin.")
    return warning("account.held", found, fix)


def examine_submissions() -> Iterator[Finding]:
    """Count what is unconfirmed, overdue, or waits since a webhook named a job."""
    unconfirmed = Q(status=Status.UNCONFIRMED)
    found = (
        Submission.objects.using(VideoJob.database())
        .billable()
        .aggregate(
            unconfirmed=Count("pk", filter=unconfirmed),
            since=Min("lost_at", filter=unconfirmed),
            overdue=Count("pk", filter=Q(overdue_at__isnull=False)),
        )
    )
    if found["unconfirmed"]:
        yield warning(
            "submissions.unconfirmed",
            _("Submissions whose answer was lost: %(unconfirmed)d, the first at %(since)s.")
            % {**found, "since": shown(found["since"])},
            _("See “manage.py hailuo_doctor orphans”, then “hailuo_doctor show JOB”, and decide."),
        )
    if found["overdue"]:
        yield warning(
            "submissions.overdue",
            _("Submissions that take too long: %(overdue)d.") % found,
            _(
                "See “manage.py hailuo_doctor orphans”: where Krea tells of no end, “give-up JOB”"
                " ends the reservation; what waits to be sent is held back by the account, by a job"
                " that a webhook named, or by a lack of workers."
            ),
        )
    if named := Stranger.objects.using(VideoJob.database()).held_up().count():
        yield warning(
            "submissions.named",
            _("Submissions for which a webhook named a job that Krea did not confirm: %(count)d.")
            % {"count": named},
            _(
                "See “manage.py hailuo_doctor orphans”, then “adopt JOB KREA_ID”, or “dismiss"
                " KREA_ID”."
            ),
        )
    if not found["unconfirmed"] and not found["overdue"] and not named:
        yield ok("submissions.ok", _("Nothing is unconfirmed or overdue."))


def examine_budget() -> Iterator[Finding]:
    """Tell what each cap of the site has room for."""
    if not conf.BUDGET:
        yield ok("budget.none", _("There is no budget: nothing limits what is spent."))
        return
    balances = budget.balances()
    for balance in balances:
        found = _(
            "%(cap)s: %(spent)s spent and %(reserved)s reserved of %(limit)s USD, room for"
            " %(room)s; resets at %(resets)s."
        ) % {
            "cap": balance.cap,
            "spent": balance.spent_usd,
            "reserved": balance.reserved_usd,
            "limit": balance.limit_usd,
            "room": balance.room_usd,
            "resets": shown(balance.resets_at),
        }
        if balance.is_used_up:
            fix = _(
                "Not even the cheapest video fits: wait, settle what is unconfirmed, or raise"
                ' HAILUO["BUDGET"].'
            )
            yield warning("budget.full", found, fix)
        else:
            yield ok("budget.ok", found)
    if not balances:
        yield ok("budget.owners", _("Each owner has a budget of a day, the site has none."))
