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


MAX_HOST_LENGTH = 253


def linkable(url: str, hosts: Collection[str]) -> bool:
    """Tell whether ``url`` may be linked: https on one of ``hosts``, http only on loopback."""
    return link_host(url) in {allowed.lower() for allowed in hosts if allowed}


def link_host(url: str) -> str:
    """Return the host that a site has to name for ``url`` to be linked; empty if none helps."""
    if len(url) > MAX_URL_LENGTH or not PLAIN.fullmatch(url):
        return ""
    try:
        validate_web_address(url)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except (ValidationError, ValueError):
        return ""
    if "@" in parts.netloc or len(host) > MAX_HOST_LENGTH:
        return ""
    is_public = parts.scheme == "https" and port in (None, 443)
    return host if is_public or _is_loopback(host) else ""


def best(urls: Sequence[str], hosts: Collection[str]) -> str:
    """Return the first of ``urls`` that may be linked, else the first; empty where is none."""
    linked = (url for url in urls if linkable(url, hosts))
    return next(linked, urls[0] if urls else "")


def better(urls: Sequence[str], known: str, hosts: Collection[str]) -> str:
    """Return the best of ``urls`` where it serves better than the one known; else nothing."""
    url = best(urls, hosts)
    serves = linkable(url, hosts) or not known
    return url if serves and not linkable(known, hosts) else ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
