"""What has to be said before anything is ordered: by whose token, and that it may cost money."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hailuo_django.conf import DEFAULTS

COST_USD = "0.105"
FLAG = f"--live-costs-{COST_USD}-usd"
START_IMAGE = "--live-start-image"
TOKEN = "KREA_API_TOKEN"
BASE_URL = "KREA_BASE_URL"
TO_RUN = (
    f"costs ${COST_USD}: it orders one video at Krea. "
    f"{TOKEN}=... pytest tests/live {FLAG} {START_IMAGE}=https://..."
)


class Refused(ValueError):  # noqa: N818
    """The flag was given, and something else is missing or wrong."""


@dataclass(frozen=True)
class Order:
    """Leave to order one video."""

    base_url: str
    token: str = field(repr=False)
    start_image: str

    @property
    def costs_money(self) -> bool:
        return bool(self.base_url == DEFAULTS["KREA_BASE_URL"])


def leave(flag: bool, start_image: str | None, environment: Mapping[str, str]) -> Order | None:
    """Return leave to order, ``None`` without the flag. Raises ``Refused`` where it is not enough.

    The flag alone is no leave, and neither is the token: one may be left over in a shell's
    history, the other in its environment.
    """
    if not flag:
        return None
    token = environment.get(TOKEN, "")
    if not token:
        raise Refused(f"{FLAG} needs {TOKEN} in the environment.")
    if not start_image or urlsplit(start_image).scheme not in ("http", "https"):
        raise Refused(f"{FLAG} needs {START_IMAGE}: the public address of a picture.")
    order = Order(environment.get(BASE_URL) or DEFAULTS["KREA_BASE_URL"], token, start_image)
    if not order.costs_money and not _is_here(order.base_url):
        raise Refused(f"{BASE_URL} is neither Krea's address nor on this machine.")
    return order


def _is_here(url: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False
