"""Krea's public contract as the sandbox enforces it: names, states and what a request may say.

How sure a fact is, here and in the other modules of the sandbox: *documented* (Krea's own
documentation), *seen live* (reported by others who use the service), *inferred*, *unknown* (our
choice).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

# Documented: the endpoint page of Hailuo 02. There is no version prefix.
GENERATE_PATH = "/generate/video/minimax/hailuo-02"
JOBS_PATH = "/jobs"

# Documented: the job lifecycle page names these nine states.
RUNNING = (
    "backlogged",
    "queued",
    "scheduled",
    "processing",
    "sampling",
    "intermediate-complete",
)
TERMINAL = ("completed", "failed", "cancelled")
STATUSES = RUNNING + TERMINAL

RESOLUTIONS = ("512p", "768p", "1080p")
DURATION_SECONDS = (6, 10)
LIST_LIMIT = (1, 1000)
LIST_LIMIT_DEFAULT = 100

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
# Documented: accepted until 2026-06-19 only.
_RETIRED = {
    "startImage": "start_image",
    "endImage": "end_image",
    "expandPrompt": "expand_prompt",
}


class RefusedError(ValueError):
    """A request that Krea answers with 400; the text is the answer's ``error``."""


@dataclass(frozen=True)
class ListQuery:
    """What ``GET /jobs`` was asked for."""

    limit: int = LIST_LIMIT_DEFAULT
    before: datetime | None = None
    status: str | None = None
    types: frozenset[str] | None = None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_uri(value: object) -> bool:
    # Unknown: whether data URIs are taken. Any scheme is, here.
    return isinstance(value, str) and _URI.fullmatch(value) is not None


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_resolution(value: object) -> bool:
    return value in RESOLUTIONS


def _is_duration(value: object) -> bool:
    # Documented: a number, not an integer, so 6.5 passes the schema although no price is listed for
    # it.
    low, high = DURATION_SECONDS
    return isinstance(value, int | float) and low <= value <= high


# Documented: the endpoint page. A null is none of these types, so it is refused (inferred).
_FIELDS = {
    "prompt": (_is_text, "must be a string"),
    "start_image": (_is_uri, "must be a URI"),
    "end_image": (_is_uri, "must be a URI"),
    "expand_prompt": (_is_flag, "must be a boolean"),
    "resolution": (_is_resolution, "must be one of 512p, 768p, 1080p"),
    "duration": (_is_duration, "must be a number from 6 to 10"),
}


def read_json(raw: bytes) -> Any:
    """Return the JSON value in ``raw``, or raise RefusedError."""

    def refuse_constant(name: str) -> None:
        raise ValueError(name)

    try:
        return json.loads(raw.decode(), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise RefusedError("The body is not valid JSON.") from None


def check_body(body: object) -> dict[str, Any]:
    """Return the body of a generate request if Krea would accept it, or raise RefusedError."""
    if not isinstance(body, dict):
        raise RefusedError("The body must be a JSON object.")
    for name, value in body.items():
        if name in _RETIRED:
            raise RefusedError(f"{name} was retired, use {_RETIRED[name]}.")
        # Documented (additionalProperties: false): the body is closed. That this is a 400 is
        # inferred.
        if name not in _FIELDS:
            raise RefusedError(f"Unrecognized key: {name[:100]!r}.")
        accepts, complaint = _FIELDS[name]
        if not accepts(value):
            raise RefusedError(f"{name} {complaint}.")
    # Documented: required, without a bound of its length. That an empty one is refused is inferred.
    if not body.get("prompt"):
        raise RefusedError("prompt is required.")
    return body


def check_webhook_url(url: str | None) -> None:
    """Raise RefusedError unless ``url`` is absent or an http(s) address.

    Documented: a URI. Unknown: whether Krea calls plain http or private addresses; here both, for
    development.
    """
    if url is None:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not _is_uri(url):
        raise RefusedError("X-Webhook-URL must be an http or https address.")


def read_list_query(query: str) -> ListQuery:
    """Return what the query of ``GET /jobs`` asks for, or raise RefusedError (documented: 400)."""
    given = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    status = given.get("status")
    if status is not None and status not in STATUSES:
        raise RefusedError("status must be one of the documented states.")
    types = given.get("types")
    return ListQuery(
        limit=_read_limit(given.get("limit")),
        before=_read_time(given.get("cursor")),
        status=status,
        types=None if types is None else frozenset(types.split(",")),
    )


def _read_limit(text: str | None) -> int:
    if text is None:
        return LIST_LIMIT_DEFAULT
    low, high = LIST_LIMIT
    if not re.fullmatch(r"[0-9]{1,4}", text) or not low <= int(text) <= high:
        raise RefusedError("limit must be a whole number from 1 to 1000.")
    return int(text)


def _read_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError("cursor must be an ISO 8601 time.") from None
    if moment.tzinfo is None:
        raise RefusedError("cursor must name its time zone.")
    return moment
