"""How things stand, in words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from hailuo_django import pacing
from hailuo_django.admin import display
from hailuo_django.budget import Balance
from hailuo_django.conf import conf
from hailuo_django.models import KreaAccount

from .figures import DAYS
from .standing import Standing


def facts(now: Standing) -> list[tuple[str, str]]:
    """Return what is known of the workers and of webhooks, by name."""
    webhook = ago(now.last_webhook) if now.last_webhook else _("none in %d days") % DAYS
    if not conf.WEBHOOK_BASE_URL:
        webhook += "; " + _("WEBHOOK_BASE_URL is empty, so Krea is given no address")
    return [
        (_("Last sweep of a worker"), ago(now.last_sweep) if now.last_sweep else _("never")),
        (_("Last webhook"), webhook),
        (_("Time zone of the days"), timezone.get_default_timezone_name()),
    ]


def ago(moment: datetime) -> str:
    """Return when it was, and how long ago."""
    age = display.span(timezone.now() - moment, exact=True)
    return _("%(age)s ago (%(moment)s)") % {"age": age, "moment": display.moment(moment)}


def accounts(now: Standing) -> list[tuple[str, str, str]]:
    """Return for each account its name, whether it sends, and why not."""
    return [
        (named(account), display.sending(account), display.reason(account))
        for account in now.accounts
    ]


def named(account: KreaAccount) -> str:
    """Return the account's name, and whether it is the one of the site's token."""
    in_use = account.fingerprint == pacing.account()
    return _("%s (in use)") % account.fingerprint if in_use else account.fingerprint


def balances(now: Standing) -> list[tuple[str, ...]]:
    """Return each cap of the site: what it allows, what counts against it, what is left."""
    names = {"day": _("a day"), "month": _("a month")}
    return [
        (
            names[balance.cap],
            *(number_format(amount, decimal_pos=4) for amount in amounts(balance)),
            display.moment(balance.resets_at),
        )
        for balance in now.balances
    ]


def amounts(balance: Balance) -> tuple[Decimal, ...]:
    """Return the money of a cap, in the order of the columns."""
    return balance.limit_usd, balance.spent_usd, balance.reserved_usd, balance.room_usd


def about_the_budget() -> str:
    """Return what the table of the budget does not tell."""
    if not conf.BUDGET:
        return _("There is no budget: nothing limits what is spent.")
    if "user_day" in conf.BUDGET:
        return _("Each owner may spend %s a day.") % display.usd(conf.BUDGET["user_day"])
    return ""
