"""What stays of the budget when several videos are wanted, one after the other.

A look ahead for people: it reads each cap once and reserves nothing. What counts is
``budget.reserve``, which is asked again when a submission is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from . import budget
from .budget import Balance


@dataclass
class Cap:
    """One cap, and how much of it is wanted so far, in USD."""

    balance: Balance
    owner_id: Any = None
    """Whose it is; None where it is the site's."""
    wanted_usd: Decimal = Decimal(0)

    @property
    def room_usd(self) -> Decimal:
        """What stays for anything else."""
        return max(self.balance.room_usd - self.wanted_usd, Decimal(0))


class Forecast:
    """The caps of the site, and of each of these owners, as they are now."""

    def __init__(self, owner_ids: Iterable[Any]) -> None:
        self.site = [Cap(balance) for balance in budget.balances()]
        balances = budget.by_owner(owner_ids)
        self.owners = {owner: Cap(balance, owner) for owner, balance in balances.items()}

    def caps(self, owner_id: Any) -> list[Cap]:
        """Return the caps that a job of this owner counts against."""
        own = self.owners.get(owner_id)
        return [*self.site, own] if own else self.site

    def want(self, price_usd: Decimal, owner_id: Any) -> Cap | None:
        """Set aside the price of one more job; return instead the first cap without room."""
        caps = self.caps(owner_id)
        for cap in caps:
            if price_usd > cap.room_usd:
                return cap
        for cap in caps:
            cap.wanted_usd += price_usd
        return None
