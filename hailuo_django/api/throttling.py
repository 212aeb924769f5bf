"""How often one user may ask: freely where it costs nothing, less so where it spends.

A guard against loops that run wild. What a site may spend is the budget's to say: DRF counts in
the cache, and requests at the same moment may slip through.
"""

from __future__ import annotations

from typing import Any

from rest_framework.settings import api_settings
from rest_framework.throttling import UserRateThrottle

from hailuo_django.conf import conf


class HailuoThrottle(UserRateThrottle):
    """A rate of ``HAILUO["API_THROTTLE_RATES"]``, by user, for visitors by address.

    A rate that the site gives the scope in DRF's own ``DEFAULT_THROTTLE_RATES`` goes first.
    """

    kind: str
    scope: str
    duration: float | None

    def get_rate(self) -> str | None:
        """Return the rate as it is now; DRF itself reads it once, at import."""
        drfs: dict[str, Any] = api_settings.DEFAULT_THROTTLE_RATES or {}
        rates: dict[str, Any] = {self.scope: conf.API_THROTTLE_RATES[self.kind], **drfs}
        return rates[self.scope]  # type: ignore[no-any-return]

    def wait(self) -> float | None:
        """Return the seconds to wait, also where the rate was lowered meanwhile."""
        return super().wait() or self.duration


class ReadThrottle(HailuoThrottle):
    """Everything that costs nothing: it suits a page that polls."""

    kind, scope = "read", "hailuo-read"


class SubmitThrottle(HailuoThrottle):
    """What makes jobs and spends money."""

    kind, scope = "submit", "hailuo-submit"
