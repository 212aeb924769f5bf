"""How the caps of the budget are told: as they are, and as they would be."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from hailuo_django import budget
from hailuo_django.forecast import Cap

from . import display


@dataclass(frozen=True)
class CapLine:
    """A cap as it is, and as it would be afterwards."""

    cap: Cap
    owner: str

    @property
    def name(self) -> str:
        """What it is called."""
        return budget.name_of(self.cap.balance.cap)

    @property
    def resets(self) -> str:
        """When it begins anew."""
        return display.moment(self.cap.balance.resets_at)

    @property
    def amounts(self) -> list[str]:
        """The limit, what is spent, reserved, wanted now, and what stays, in USD."""
        balance = self.cap.balance
        counted = (balance.limit_usd, balance.spent_usd, balance.reserved_usd)
        return [display.bare(usd) for usd in (*counted, self.cap.wanted_usd, self.cap.room_usd)]


def no_room(cap: Cap) -> str:
    """Say that a cap of the budget has no room for one more job, why, and until when."""
    words = _(
        "%(budget)s has no room for it: of %(limit)s, %(spent)s are spent and %(reserved)s"
        " reserved; %(room)s are left for it. It resets at %(resets)s."
    )
    balance = cap.balance
    return words % {
        "budget": budget.name_of(balance.cap),
        "limit": display.usd(balance.limit_usd),
        "spent": display.usd(balance.spent_usd),
        "reserved": display.usd(balance.reserved_usd),
        "room": display.usd(cap.room_usd),
        "resets": display.moment(balance.resets_at),
    }


def stays(cap: Cap) -> str:
    """Say what stays of a cap of the budget."""
    words = _("%(budget)s: %(room)s stay after it.")
    return words % {"budget": budget.name_of(cap.balance.cap), "room": display.usd(cap.room_usd)}
