"""What the verbs of this app raise."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

SUBMISSION_ALIVE = "submission_alive"
"""A Conflict's code: an earlier submission may still become a video."""

STALE = "stale"
"""A Conflict's code: the row was changed after it was read."""

PRICE_CHANGED = "price_changed"
"""A Conflict's code: it costs more than the caller wants to pay."""


class HailuoError(Exception):
    """Base of every error of this app. ``code`` is stable, the text is for people."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Conflict(HailuoError):
    """The job is in no state for what was asked. Nothing was changed.

    ``status`` is the state it is in, and ``allowed`` are those it would have to be in; both are
    empty where the conflict is about something else than the state of the job.
    """

    code = "conflict"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: str = "",
        allowed: Collection[str] = (),
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.allowed = allowed


class TooSoon(HailuoError):
    """It was asked for a moment ago. Nothing was changed; ask again in ``wait_seconds``."""

    code = "too_soon"

    def __init__(self, message: str, *, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


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
