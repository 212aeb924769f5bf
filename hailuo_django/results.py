"""Which result addresses are safe to link. Pure.

A result address comes from outside (a webhook body, at worst from whoever holds a token),
so it is stored as text and becomes a link only on the hosts that the site named.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from .fields import MAX_URL_LENGTH, validate_web_address

PLAIN = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]+")
"""The characters of RFC 3986, less the quote that could end an attribute."""


def linkable(url: str, hosts: Collection[str]) -> bool:
    """Tell whether ``url`` may be linked: https on one of ``hosts``, http only on loopback."""
    if len(url) > MAX_URL_LENGTH or not PLAIN.fullmatch(url):
        return False
    try:
        validate_web_address(url)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except (ValidationError, ValueError):
        return False
    if "@" in parts.netloc or host not in {allowed.lower() for allowed in hosts}:
        return False
    if _is_loopback(host):
        return True
    return parts.scheme == "https" and port in (None, 443)


def best(urls: Sequence[str], hosts: Collection[str]) -> str:
    """Return the first of ``urls`` that may be linked, else the first; empty where is none."""
    linked = (url for url in urls if linkable(url, hosts))
    return next(linked, urls[0] if urls else "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
