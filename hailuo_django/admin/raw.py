"""What came from outside word by word, so that it can be shown: without secrets, and inert."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from hailuo_django import tokens
from hailuo_django.conf import conf
from hailuo_django.krea.text import Redact, redactor
from hailuo_django.models import Submission, VideoJob

from . import display

MAX_SHOWN = 10
"""Of how many submissions a page shows them, the newest; each may be long."""


def redact_in_use() -> Redact:
    """Return what takes the API token and all webhook tokens out of a text."""
    return redactor(conf.KREA_API_TOKEN, webhook_token=tokens.PATTERN)


def without_secrets(value: Any, redact: Redact) -> Any:
    """Return what JSON may hold with every text in it redacted, names included."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(name): without_secrets(item, redact) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(item, redact) for item in value]
    return value


def readable(answer: str, redact: Redact) -> Any:
    """Return an answer as the JSON that it is, else as text; without secrets either way."""
    try:
        value = without_secrets(json.loads(answer), redact)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):  # no JSON, or none that is worth that name
        return redact(answer)
    return value


def inert(text: str) -> str:
    """Return ``text`` with all that controls how it is shown escaped as in JSON, but line ends."""
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def as_json(value: Any) -> str:
    """Return ``value`` as JSON that people can read, paste and compare line by line."""
    return inert(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def shown(value: Any) -> SafeString:
    """Return a bounded payload for a page."""
    words = inert(value) if isinstance(value, str) else as_json(value)
    more = ""
    if len(words) > display.TEXT_LENGTH:
        more = _("… (%(length)d characters in all)") % {"length": len(words)}
    page = '<pre class="hailuo-raw"><bdi>{}</bdi></pre>{}'
    return format_html(page, words[: display.TEXT_LENGTH], more)


@dataclass(frozen=True)
class Payload:
    """What was sent for one submission and what Krea last answered; safe to show."""

    number: int
    request: SafeString
    answer: SafeString


def payloads_of(job: VideoJob) -> list[Payload]:
    """Return those of the newest submissions, the newest first."""
    redact = redact_in_use()
    rows = Submission.objects.using(job._state.db).filter(job=job).order_by("-number")
    return [
        Payload(
            row.number,
            shown(without_secrets(row.body, redact)),
            shown(readable(row.raw, redact)) if row.raw else SafeString(),
        )
        for row in rows.only("number", "body", "raw")[:MAX_SHOWN]
    ]
