"""What may still be spent: the caps of ``BUDGET``, in USD, in the site's time zone.

Spent is what was completed within the period; reserved is every submission that Krea may still
bill, however old, also where it ended here while Krea may go on. Both are summed from the
submissions while the budget's row is locked, so that two submits never count on the same room.
Webhooks and polls do not come here: an end settles its own reservation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from .clock import beginning_of, site_day
from .conf import conf
from .exceptions import BudgetExceeded
from .models import BudgetLock, DeletedSubmission, Submission, VideoJob
from .states import Status

LOCK = "budget"
CENT_OF_A_CENT = Decimal("0.0001")


@dataclass(frozen=True)
class Balance:
    """One cap and what counts against it, in USD."""

    cap: str
    limit_usd: Decimal
    spent_usd: Decimal
    reserved_usd: Decimal
    resets_at: datetime

    @property
    def room_usd(self) -> Decimal:
        """What may still be asked for; nothing when a cap was lowered beneath what counts."""
        return max(self.limit_usd - self.spent_usd - self.reserved_usd, Decimal(0))


def balances(owner_id: Any = None) -> list[Balance]:
    """Return the state of each cap; ``user_day`` only for an owner."""
    return list(_balances(owner_id))


def lock() -> None:
    """Take the budget's lock until the transaction ends; nothing where there is no budget.

    The first statement of a transaction that spends: budget, then job, then submission.
    """
    if not conf.BUDGET:
        return
    locks = BudgetLock.objects.using(VideoJob.database())
    if not locks.filter(name=LOCK).update(taken=F("taken") + 1):
        try:
            with transaction.atomic(using=locks.db):
                locks.create(name=LOCK)
        except IntegrityError:  # somebody else made it a moment ago
            locks.filter(name=LOCK).update(taken=F("taken") + 1)


def reserve(price_usd: Decimal, owner_id: Any) -> None:
    """Make sure that there is room for a submission about to be written; the lock is held.

    Raises BudgetExceeded. The submission itself is the reservation.
    """
    for balance in _balances(owner_id):
        if price_usd > balance.room_usd:
            raise _exceeded(balance, price_usd)


def _balances(owner_id: Any) -> Iterator[Balance]:
    now = timezone.now()
    for cap, limit in conf.BUDGET.items():
        if cap == "user_day" and owner_id is None:
            continue
        since, resets_at = _period(cap, now)
        rows = Submission.objects.using(VideoJob.database())
        deleted = DeletedSubmission.objects.using(rows.db)
        if cap == "user_day":
            rows, deleted = rows.filter(job__owner=owner_id), deleted.filter(owner=owner_id)
        # In this order: what is completed or deleted between two sums counts twice, never not.
        reserved = _sum(rows.billable())
        spent = _sum(rows.filter(status=Status.COMPLETED, ended_at__gte=since))
        spent += _sum(deleted.filter(completed_at__gte=since))
        yield Balance(cap, limit, spent, reserved, resets_at)


def _sum(rows: Any) -> Decimal:
    total = rows.aggregate(usd=Sum("price_usd"))["usd"] or Decimal(0)
    return Decimal(total).quantize(CENT_OF_A_CENT)  # SQLite adds floats


def _period(cap: str, now: datetime) -> tuple[datetime, datetime]:
    today = site_day(now)
    if cap != "month":
        return beginning_of(today), beginning_of(today + timedelta(days=1))
    first = today.replace(day=1)
    return beginning_of(first), beginning_of((first + timedelta(days=32)).replace(day=1))


def _exceeded(balance: Balance, price_usd: Decimal) -> BudgetExceeded:
    names = {
        "day": _("The site's budget of a day"),
        "month": _("The site's budget of a month"),
        "user_day": _("The owner's budget of a day"),
    }
    message = _(
        "%(budget)s has no room for %(price)s USD: of %(limit)s USD, %(spent)s are spent and"
        " %(reserved)s reserved. It resets at %(resets)s."
    ) % {
        "budget": names[balance.cap],
        "price": price_usd,
        "limit": balance.limit_usd,
        "spent": balance.spent_usd,
        "reserved": balance.reserved_usd,
        "resets": date_format(balance.resets_at, "Y-m-d H:i T").strip(),
    }
    return BudgetExceeded(
        message,
        cap=balance.cap,
        limit_usd=balance.limit_usd,
        spent_usd=balance.spent_usd,
        reserved_usd=balance.reserved_usd,
        price_usd=price_usd,
        resets_at=balance.resets_at,
    )
