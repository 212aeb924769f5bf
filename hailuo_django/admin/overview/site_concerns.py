"""What concerns all jobs at once: no worker, no sending, no webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django import budget
from hailuo_django.admin import display
from hailuo_django.admin.filters import StatusFilter
from hailuo_django.conf import conf
from hailuo_django.models import Heartbeat, KreaAccount, Submission
from hailuo_django.states import Status

from .concerns import MAX_COUNTED, Concern, counted
from .scope import Scope
from .standing import Standing
from .ways import Link, Ways

ENOUGH = 5
"""Fewer videos say nothing about webhooks."""


def about_the_site(scope: Scope, ways: Ways, standing: Standing) -> Iterator[Concern]:
    """Yield what concerns all jobs: 1 query."""
    yield from no_worker(ways, standing)
    yield from no_sending(scope, ways, standing)
    yield from no_money(ways, standing)
    yield from no_webhooks(ways, standing)


def no_worker(ways: Ways, standing: Standing) -> Iterator[Concern]:
    """No sweep has ended of late: nothing is sent and nobody looks."""
    if not (words := display.no_worker(standing.last_sweep)):
        return
    advice = _(
        "Nothing is sent or looked for by itself. See that “manage.py qcluster” runs, or"
        " “manage.py hailuo_sweep” from cron or as a service, and read its log."
    )
    address = ways.rows(Heartbeat)
    yield Concern("worker", words, advice, [Link(address, _("Heartbeats"))] if address else [])


def no_sending(scope: Scope, ways: Ways, standing: Standing) -> Iterator[Concern]:
    """Submissions wait because nothing may be sent."""
    unsent = scope.within(Submission.objects.filter(status=Status.UNSENT)).order_by()
    count = unsent[: MAX_COUNTED + 1].count()
    waiting = ngettext("%(count)s submission waits.", "%(count)s submissions wait.", count)
    waiting %= {"count": counted(count)}
    if not conf.KREA_API_TOKEN:
        words = _("There is no API token, so nothing is sent: %(waiting)s")
        advice = _("Set KREA_API_TOKEN in the setting HAILUO.")
        yield Concern("token", words % {"waiting": waiting}, advice)
    elif account := held(standing, count):
        words = _("Sending: %(state)s. %(waiting)s")
        state = {"state": display.sending(account), "waiting": waiting}
        advice, links = resuming(ways, account)
        detail, button = display.reason(account), None
        if not account.held_at:  # whoever holds it has a reason, to be looked at in the list
            button = ways.button(account, "resume_sending", _("Resume sending"))
        yield Concern("sending", words % state, advice, links, detail, button)


def held(standing: Standing, waiting: int) -> KreaAccount | None:
    """Return the account in use if it is held or paused, or if something waits for it."""
    account = standing.account
    if account is None or not account.holds_sending(timezone.now()):
        return None
    return account if waiting or account.paused_at or account.held_at else None


def resuming(ways: Ways, account: KreaAccount) -> tuple[str, list[Link]]:
    """Return what to do about a pause, and where."""
    address = ways.rows(KreaAccount)
    decides = bool(address and ways.may_decide)
    if account.held_at:
        advice = _("It goes on by “Resume sending” of somebody who may decide, and not by itself.")
    elif decides:
        advice = _(
            "Mend what Krea says of the token or the balance, if it does. It goes on by itself;"
            " “Resume sending” lets one request go ahead at once."
        )
    else:
        advice = _("It goes on by itself, or by “Resume sending” of somebody who may decide.")
    if not address:
        return advice, []
    return advice, [Link(address, _("Krea accounts"))]


def no_money(ways: Ways, standing: Standing) -> Iterator[Concern]:
    """A cap of the site has no room for the cheapest video: whoever submits is refused."""
    for balance in standing.balances:
        if not balance.is_used_up:
            continue
        words = _("%(budget)s is used up: %(spent)s spent, %(reserved)s reserved of %(limit)s.") % {
            "budget": budget.name_of(balance.cap),
            "spent": display.usd(balance.spent_usd),
            "reserved": display.usd(balance.reserved_usd),
            "limit": display.usd(balance.limit_usd),
        }
        advice = _("Nothing can be submitted before %s, or what is reserved ends unpaid.")
        advice %= display.moment(balance.resets_at)
        links = ways.jobs(StatusFilter, "live", _("What is in progress"))
        yield Concern(f"budget-{balance.cap}", words, advice, links)


def no_webhooks(ways: Ways, standing: Standing) -> Iterator[Concern]:
    """Webhooks were asked for, and most of the newest videos brought none."""
    without = [job for job, count in standing.webhooks if not count]
    videos = len(standing.webhooks)
    if videos < ENOUGH or 2 * len(without) <= videos:
        return
    words = _("Of the newest %(videos)d videos only %(some)d brought a webhook.")
    advice = _("“manage.py hailuo_doctor” dials the address and says what a sender meets there.")
    links = [Link(ways.job(without[0]), _("The newest without a webhook"))]
    some = {"videos": videos, "some": videos - len(without)}
    yield Concern("webhooks", words % some, advice, links)
