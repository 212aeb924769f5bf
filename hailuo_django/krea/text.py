"""Hostile text made storable and free of secrets."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, urlsplit

Redact = Callable[[str], str]

REDACTED = "[redacted]"
MIN_SEGMENT_LENGTH = 16
"""A shorter last segment of a webhook path is a word, not a signed token."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


class Secret(str):
    """Text that error pages and mails, which show representations, do not spell out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"


def storable(text: str) -> str:
    """``text`` as PostgreSQL takes it: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def is_storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None


def unchanged(text: str) -> str:
    """The redactor of a caller that has no secrets."""
    return text


def bounded(text: str, limit: int, redact: Redact) -> str:
    """``text`` without secrets, storable, and no longer than ``limit`` characters."""
    return storable(redact(text))[:limit]


def redactor(
    token: str, webhook_url: str = "", webhook_token: re.Pattern[str] | None = None
) -> Redact:
    """Return what replaces the token, the webhook URL and its path by ``[redacted]``.

    An upstream or a gateway may echo request headers, also escaped for JSON, HTML or a URL.
    ``webhook_token`` is the shape of such a token, for answers that name another request's.
    """
    needles = sorted(_spellings(_secrets(token, webhook_url)), key=len, reverse=True)
    alternatives = [re.escape(needle) for needle in needles]
    if webhook_token is not None:
        alternatives.append(webhook_token.pattern)
    if not alternatives:
        return unchanged
    pattern = re.compile("|".join(alternatives), re.IGNORECASE)

    def redact(text: str) -> str:
        redacted = pattern.sub(REDACTED, text)
        plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), redacted).replace("\\/", "/")
        return pattern.sub(REDACTED, plain) if pattern.search(plain) else redacted

    return redact


def _secrets(token: str, webhook_url: str) -> set[str]:
    path = urlsplit(webhook_url).path
    last = path.rstrip("/").rpartition("/")[2]
    return {
        token,
        webhook_url,
        path if len(path) > 1 else "",
        last if len(last) >= MIN_SEGMENT_LENGTH else "",
    } - {""}


def _spellings(secrets: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for secret in secrets:
        found |= {
            secret,
            quote(secret, safe=""),
            quote(secret),
            html.escape(secret),
            json.dumps(secret)[1:-1],
        }
    return found
