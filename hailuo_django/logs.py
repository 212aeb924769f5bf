"""Keeps webhook tokens out of Django's own log records and error mails.

Django names the path in the log record of every answer from 400 on, and hands the request
to handlers that mail it. The path of our webhook is a credential.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core import exceptions

from .tokens import PATTERN

REDACTED = "[webhook token]"

PATH_KEYS = ("PATH_INFO", "RAW_URI", "REQUEST_URI", "REQUEST_LINE", "UNENCODED_URL")


def redact(text: str) -> str:
    """Return ``text`` without any webhook token."""
    return PATTERN.sub(REDACTED, text)


class WebhookTokenFilter(logging.Filter):
    """Redacts the record and the request it carries; drops nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact in place, and let the record pass."""
        record.msg = _clean(record.msg)
        if isinstance(record.args, Mapping):  # what "%(name)s" is filled from
            record.args = {name: _clean(arg) for name, arg in record.args.items()}
        else:
            record.args = tuple(_clean(arg) for arg in record.args or ())
        request = getattr(record, "request", None)
        if PATTERN.search(str(getattr(request, "path", ""))):
            _redact_request(request)
            _redact_traceback(record)
        return True


def _clean(value: Any) -> Any:
    return redact(value) if isinstance(value, str) else value


def _redact_request(request: Any) -> None:
    # In place: whoever handles the record is given this very object.
    request.path, request.path_info = redact(request.path), redact(request.path_info)
    for key in PATH_KEYS:
        if key in request.META:
            request.META[key] = _clean(request.META[key])


def _redact_traceback(record: logging.LogRecord) -> None:
    # As text, without the variables of its frames: a middleware's own copy of the path is
    # out of reach in them, and an HTML error mail would show it.
    if record.exc_info:
        record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        record.exc_info = None


def install() -> None:
    """Attach the filter to every logger of Django that names a request."""
    names = ["django.request", "django.server", "django.security.csrf"]
    names += [f"django.security.{kind.__name__}" for kind in _suspicious()]
    token_filter = WebhookTokenFilter()
    for name in names:
        logger = logging.getLogger(name)
        if not any(isinstance(present, WebhookTokenFilter) for present in logger.filters):
            logger.addFilter(token_filter)


def _suspicious() -> list[type]:
    kinds: list[type] = [exceptions.SuspiciousOperation]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return kinds
