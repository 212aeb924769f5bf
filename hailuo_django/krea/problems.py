"""Reads why Krea said no: the places where its answers carry a code and a message.

Krea documents ``{error: text}``, ``{error: {code, message}}``, the same under ``result``, and
a code with message and reason for a sunset model; seen live were ``{message}`` and validation
lists (Krea documentation, error answers and job lifecycle).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from hailuo_django.states import FailureCode

_CODE = re.compile(r"[a-z0-9]+([_.:-][a-z0-9]+)*")
_ACCOUNT = re.compile(
    r"balance|billing|credit|invoice|payment|quota|subscription|top.?up|workspace|organi[sz]ation"
    r"|\b(your|the|this) (plan|account|team|tier|key|token)\b|account_|_account"
    r"|api.?(key|token)|access.?token|bearer|unauthori[sz]ed|\b(kr|tok)_\w+",
    re.IGNORECASE,
)
_TEXTS = ("message", "detail", "reason")
_LISTS = ("detail", "details", "errors", "issues", "validationErrors")

_VERDICTS: tuple[tuple[FailureCode, re.Pattern[str]], ...] = tuple(
    (failure_code, re.compile(pattern, re.IGNORECASE))
    for failure_code, pattern in (
        (
            FailureCode.MODERATION,
            r"moderat|nsfw|safety|unsafe|content.?(policy|filter|violation)|policy.?violation"
            r"|sensitive|prohibited|flagged",
        ),
        (
            FailureCode.MODEL_UNAVAILABLE,
            r"model.?(is.)?(unavailable|deprecated|not.?found)|sunset",
        ),
        (FailureCode.UPSTREAM_TIMEOUT, r"time.?out|timed.?out|time.?limit|deadline"),
        (
            FailureCode.INVALID_REQUEST,
            r"bad.?request|validation|unprocessable|unsupported"
            r"|invalid.?(request|param|input|argument|image|prompt|url|value|duration|resolution)",
        ),
    )
)


class Problem(NamedTuple):
    """Upstream's own code and message; empty where it gave none. Not bounded."""

    code: str = ""
    message: str = ""


class Refusal(NamedTuple):
    """An error answer in upstream's words."""

    code: str
    message: str
    raw: str
    """The beginning of its body."""
    is_kreas: bool
    """Whether it begins as a JSON object, as Krea's do (Krea documentation, OpenAPI)."""


def read_problem(tree: Mapping[str, object]) -> Problem:
    """Read the refusal in an error answer of any known shape."""
    own = read_error(tree.get("error"))
    code = own.code or _code(tree.get("code"))
    # A bare code is no sentence: it stands as the message only where there is no other.
    texts = dict.fromkeys((own.message if own.message != own.code else "", _message(tree)))
    return Problem(code, "; ".join(filter(None, texts)) or own.message)


def read_error(error: object) -> Problem:
    """Read an ``error`` value: an object, a sentence, or a bare code."""
    if isinstance(error, str):
        return Problem(error if _CODE.fullmatch(error) else "", error)
    if isinstance(error, Mapping):
        return Problem(_code(error.get("code")), _message(error))
    return Problem()


def is_about_the_account(code: str, message: str) -> bool:
    """Tell whether upstream's words speak of the site's account rather than of the request.

    By what they say, since Krea lists no codes; what a consumer loses by a mistake is a sentence,
    and the ``failure_code`` stays.
    """
    return bool(_ACCOUNT.search(f"{code} {message}"))


def failure_code(code: str, message: str) -> FailureCode:
    """Sort upstream's words into our closed set; Krea lists no codes, so by what they say."""
    for words in (code, message):
        for verdict, pattern in _VERDICTS:
            if pattern.search(words):
                return verdict
    return FailureCode.UPSTREAM_ERROR


def _code(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _message(tree: Mapping[str, object]) -> str:
    texts = [text for key in _TEXTS if isinstance(text := tree.get(key), str) and text]
    lists = [items for key in _LISTS if isinstance(items := tree.get(key), list)]
    details = "; ".join(filter(None, (_detail(item) for items in lists for item in items)))
    return "; ".join(filter(None, (*texts[:1], details)))


def _detail(item: object) -> str:
    if isinstance(item, str):
        return item
    if not isinstance(item, Mapping):
        return ""
    place = item.get("loc", item.get("path"))
    if isinstance(place, list):
        place = ".".join(str(part) for part in place if isinstance(part, str | int))
    text = item.get("msg", item.get("message"))
    return ": ".join(part for part in (place, text) if isinstance(part, str) and part)
