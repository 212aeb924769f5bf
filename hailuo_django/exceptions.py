"""What the verbs of this app raise."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal


class HailuoError(Exception):
    """Base of every error of this app. ``code`` is stable, the text is for people."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Conflict(HailuoError):
    """The job is in no state for what was asked. Nothing was changed."""

    code = "conflict"


class BudgetExceeded(HailuoError):
    """A cap of the site's budget leaves no room for this price. Nothing was changed.

    ``cap`` is ``day``, ``month`` or ``user_day``; amounts are in USD. ``resets_at`` is when the
    cap's period ends; what is reserved then still counts.
    """

    code = "budget_exceeded"

    def __init__(
        self,
        message: str,
        *,
        cap: str,
        limit_usd: Decimal,
        spent_usd: Decimal,
        reserved_usd: Decimal,
        price_usd: Decimal,
        resets_at: datetime,
    ) -> None:
        super().__init__(message)
        self.cap = cap
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self.reserved_usd = reserved_usd
        self.price_usd = price_usd
        self.resets_at = resets_at
