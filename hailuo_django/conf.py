"""The ``HAILUO`` setting, read late: every access looks at ``django.conf.settings`` again."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings

from . import pricing
from .krea.text import Secret

DEFAULTS: dict[str, Any] = {
    "KREA_API_TOKEN": "",
    "KREA_BASE_URL": "https://api.krea.ai",
    "KREA_TIMEOUT_SECONDS": 30,
    "WEBHOOK_BASE_URL": "",
    "WEBHOOK_CONFIRM": False,
    "WEBHOOK_MAX_AGE_SECONDS": 7 * 24 * 3600,
    "WEBHOOK_MAX_BODY_BYTES": 65536,
    "WEBHOOK_GRACE_SECONDS": 180,
    "POLL_INTERVAL_SECONDS": 60,
    "POLL_MAX_INTERVAL_SECONDS": 300,
    "UNCONFIRMED_GRACE_SECONDS": 60,
    "ADOPT_STRANGERS": False,
    "RESEND_WHEN_ABSENT": False,
    "OVERDUE_AFTER_SECONDS": 4 * 3600,
    "RESULT_HOSTS": ("gen.krea.ai",),
    "PRICES": {},
    "BUDGET": None,
    "API_PERMISSION_CLASSES": ("hailuo_django.api.permissions.VideoJobPermissions",),
    "API_QUERYSET": "hailuo_django.api.permissions.reachable_jobs",
    "API_THROTTLE_RATES": {"read": "600/min", "submit": "60/min"},
    "API_SYNC_COOLDOWN_SECONDS": 30,
    "API_REQUIRE_IDEMPOTENCY_KEY": False,
    "SCHEDULE": True,
}


def configured() -> Mapping[str, Any]:
    """Return what the site wrote, as it wrote it."""
    value = getattr(settings, "HAILUO", {})
    return value if isinstance(value, Mapping) else {}


class Conf:
    """One typed property a key; the documented table is in ``docs/settings.md``."""

    def _get(self, key: str) -> Any:
        return configured().get(key, DEFAULTS[key])

    @property
    def KREA_API_TOKEN(self) -> Secret:
        """Bearer token; empty: nothing is sent."""
        return Secret(self._get("KREA_API_TOKEN") or "")

    @property
    def KREA_BASE_URL(self) -> str:
        """Where Krea is, without a slash at the end."""
        return str(self._get("KREA_BASE_URL")).rstrip("/")

    @property
    def KREA_TIMEOUT_SECONDS(self) -> float:
        """Total seconds for one request, dripped answers included."""
        return float(self._get("KREA_TIMEOUT_SECONDS"))

    @property
    def WEBHOOK_BASE_URL(self) -> str:
        """Public address of this site, path prefix included; empty: polling only."""
        return str(self._get("WEBHOOK_BASE_URL") or "").rstrip("/")

    @property
    def WEBHOOK_CONFIRM(self) -> bool:
        """True: a webhook only makes the row due, and Krea's own answer decides."""
        return bool(self._get("WEBHOOK_CONFIRM"))

    @property
    def WEBHOOK_MAX_AGE_SECONDS(self) -> int:
        """Age limit of a webhook token."""
        return int(self._get("WEBHOOK_MAX_AGE_SECONDS"))

    @property
    def WEBHOOK_MAX_BODY_BYTES(self) -> int:
        """A larger webhook body is not read; the row is made due instead."""
        return int(self._get("WEBHOOK_MAX_BODY_BYTES"))

    @property
    def WEBHOOK_GRACE_SECONDS(self) -> float:
        """With a webhook: seconds before the first poll."""
        return float(self._get("WEBHOOK_GRACE_SECONDS"))

    @property
    def POLL_INTERVAL_SECONDS(self) -> float:
        """Seconds between polls of a young job."""
        return float(self._get("POLL_INTERVAL_SECONDS"))

    @property
    def POLL_MAX_INTERVAL_SECONDS(self) -> float:
        """Seconds between polls of an old job."""
        return float(self._get("POLL_MAX_INTERVAL_SECONDS"))

    @property
    def UNCONFIRMED_GRACE_SECONDS(self) -> float:
        """Seconds after a lost answer before Krea's list is asked for what became of it."""
        return float(self._get("UNCONFIRMED_GRACE_SECONDS"))

    @property
    def ADOPT_STRANGERS(self) -> bool:
        """True: no other program uses this token, so what nobody else ordered is ours."""
        return bool(self._get("ADOPT_STRANGERS"))

    @property
    def RESEND_WHEN_ABSENT(self) -> bool:
        """True: what Krea provably never saw is sent again without asking anybody."""
        return self.ADOPT_STRANGERS and bool(self._get("RESEND_WHEN_ABSENT"))

    @property
    def OVERDUE_AFTER_SECONDS(self) -> float:
        """A submission that runs for longer is marked for attention."""
        return float(self._get("OVERDUE_AFTER_SECONDS"))

    @property
    def RESULT_HOSTS(self) -> tuple[str, ...]:
        """Hosts a result may be linked on."""
        return tuple(self._get("RESULT_HOSTS"))

    @property
    def PRICES(self) -> pricing.PriceTable:
        """The price table in USD: Krea's, with the site's own cells over it."""
        override: Mapping[str, Mapping[Any, Any]] = self._get("PRICES") or {}
        if not override:
            return pricing.PRICES
        return {
            resolution: {
                seconds: Decimal(str(override.get(resolution, {}).get(seconds, usd)))
                for seconds, usd in row.items()
            }
            for resolution, row in pricing.PRICES.items()
        }

    @property
    def BUDGET(self) -> Mapping[str, Decimal]:
        """The caps in USD by their names, ``day``, ``month`` and ``user_day``; empty: none."""
        return {name: Decimal(usd) for name, usd in (self._get("BUDGET") or {}).items()}

    @property
    def API_PERMISSION_CLASSES(self) -> tuple[str, ...]:
        """Import strings of the permission classes of our REST views."""
        return tuple(self._get("API_PERMISSION_CLASSES"))

    @property
    def API_QUERYSET(self) -> str:
        """Import string of what returns the jobs that exist for a user."""
        return str(self._get("API_QUERYSET"))

    @property
    def API_THROTTLE_RATES(self) -> Mapping[str, str | None]:
        """How often a user may ask, by ``read`` and ``submit``; None: as often as they like."""
        return {**DEFAULTS["API_THROTTLE_RATES"], **(self._get("API_THROTTLE_RATES") or {})}

    @property
    def API_SYNC_COOLDOWN_SECONDS(self) -> float:
        """For so long after one ``sync/`` of a job another is refused."""
        return float(self._get("API_SYNC_COOLDOWN_SECONDS"))

    @property
    def API_REQUIRE_IDEMPOTENCY_KEY(self) -> bool:
        """True: a request of the API that spends money has to bring a key."""
        return bool(self._get("API_REQUIRE_IDEMPOTENCY_KEY"))

    @property
    def SCHEDULE(self) -> bool:
        """Keep the django-q2 schedule installed after ``migrate``."""
        return bool(self._get("SCHEDULE"))


conf = Conf()
