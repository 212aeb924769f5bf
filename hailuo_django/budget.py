"""What may still be spent: the caps of ``BUDGET``, in USD, in the site's time zone.

Spent is what was completed within the period; reserved is every submission that Krea may still
bill, however old, also where it ended here while Krea may go on. Both are summed from the
submissions while the budget's row is locked, so that two submits never count on the same room.
Webhooks and polls do not come here: an end settles its own reservation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from .clock import beginning_of, site_day
from .conf import conf
from .exceptions import BudgetExceeded
from .models import BudgetLock, DeletedSubmission, Submission, VideoJob
from .states import Status

LOCK = "budget"
USER_DAY = "user_day"
CAPS = ("day", "month", USER_DAY)
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

    @property
    def is_used_up(self) -> bool:
        """Whether not even the cheapest video fits any more."""
        return self.room_usd < min(usd for row in conf.PRICES.values() for usd in row.values())


def balances(owner_id: Any = None) -> list[Balance]:
    """Return the state of each cap; ``user_day`` only for an owner."""
    return list(_balances(owner_id))


def by_owner(owner_ids: Iterable[Any]) -> dict[Any, Balance]:
    """Return the state of ``user_day`` for each of these owners, in three queries for all.

    Empty where there is no such cap.
    """
    limit, owners = conf.BUDGET.get(USER_DAY), {*owner_ids} - {None}
    if limit is None or not owners:
        return {}
    since, resets_at = _period(USER_DAY, timezone.now())
    rows = Submission.objects.using(VideoJob.database()).filter(job__owner__in=owners)
    deleted = DeletedSubmission.objects.using(rows.db).filter(owner__in=owners)
    # In the order of ``_balances``.
    reserved = _sums(rows.billable(), "job__owner")
    spent = _sums(rows.filter(status=Status.COMPLETED, ended_at__gte=since), "job__owner")
    gone = _sums(deleted.filter(completed_at__gte=since), "owner")
    return {
        owner: Balance(USER_DAY, limit, spent[owner] + gone[owner], reserved[owner], resets_at)
        for owner in owners
    }


def lock() -> None:
    """Take the budget's lock until the transaction ends; nothing where there is no budget.

    The first statement of a transaction that spends: budget, then job, then submission.
    """
    if not conf.BUDGET:
        return
    locks = BudgetLock.objects.using(VideoJob.database())
    if _taken(locks):
        return
    try:
        with transaction.atomic(using=locks.db):
            locks.create(name=LOCK)
    except IntegrityError:  # somebody else made it a moment ago
        if not _taken(locks):
            # Where a transaction sees only what was there when it began.
            raise OperationalError("The budget's lock was made meanwhile: try again.") from None


def _taken(locks: QuerySet[BudgetLock]) -> int:
    return locks.filter(name=LOCK).update(taken=F("taken") + 1)


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
        if cap == USER_DAY:
            yield from by_owner([owner_id]).values()
            continue
        since, resets_at = _period(cap, now)
        rows = Submission.objects.using(VideoJob.database())
        deleted = DeletedSubmission.objects.using(rows.db)
        # In this order: what is completed or deleted between two sums counts twice, never not.
        reserved = _sum(rows.billable())
        spent = _sum(rows.filter(status=Status.COMPLETED, ended_at__gte=since))
        spent += _sum(deleted.filter(completed_at__gte=since))
        yield Balance(cap, limit, spent, reserved, resets_at)


def _sum(rows: Any) -> Decimal:
    total = rows.aggregate(usd=Sum("price_usd"))["usd"] or Decimal(0)
    return Decimal(total).quantize(CENT_OF_A_CENT)  # SQLite adds floats


def _sums(rows: Any, owner: str) -> dict[Any, Decimal]:
    found = rows.order_by().values_list(owner).annotate(usd=Sum("price_usd"))
    sums = {key: Decimal(usd).quantize(CENT_OF_A_CENT) for key, usd in found}
    return defaultdict(lambda: Decimal(0).quantize(CENT_OF_A_CENT), sums)


def _period(cap: str, now: datetime) -> tuple[datetime, datetime]:
    today = site_day(now)
    if cap != "month":
        return beginning_of(today), beginning_of(today + timedelta(days=1))
    first = today.replace(day=1)
    return beginning_of(first), beginning_of((first + timedelta(days=32)).replace(day=1))


def name_of(cap: str) -> str:
    """Return what a cap is called, at the beginning of a sentence."""
    names = {
        "day": _("The site's budget of a day"),
        "month": _("The site's budget of a month"),
        USER_DAY: _("The owner's budget of a day"),
    }
    return names[cap]


def _exceeded(balance: Balance, price_usd: Decimal) -> BudgetExceeded:
    message = _(
        "%(budget)s has no room for %(price)s USD: of %(limit)s USD, %(spent)s are spent and"
        " %(reserved)s reserved. It resets at %(resets)s."
    ) % {
        "budget": name_of(balance.cap),
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
