"""What an answer of Krea means for the caller, from its status line and its headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hailuo_django.states import FailureCode

from .errors import (
    AccountProblem,
    Ambiguous,
    KreaError,
    NotFound,
    NotSent,
    RateLimited,
    Refused,
    Temporary,
)
from .problems import failure_code
from .text import Redact, bounded
from .transport import Answer, NoAnswer
from .wire import MAX_MESSAGE, MAX_RAW, read_refusal

MAX_RETRY_AFTER_SECONDS = 3600.0
MAX_DEPRECATION = 200

_DELAY = re.compile(r"[0-9]+(\.[0-9]+)?")


def is_success(answer: Answer) -> bool:
    return 200 <= answer.status <= 299


def refusal(answer: Answer, *, posting: bool, redact: Redact) -> KreaError:
    """Return the error that an answer other than a success means.

    The status line decides, since it has arrived; the body gives the words. But whether a
    request, or a job, is refused for good only Krea itself can say: a gateway that answers in
    its place may have passed the request on.
    """
    code, message, raw, is_kreas = read_refusal(answer.body, redact=redact)
    status = answer.status
    if status in (401, 402):
        return AccountProblem(message, status=status, code=code, raw=raw)
    if status == 429:
        wait = retry_after(answer.headers)
        return RateLimited(message, status=status, code=code, raw=raw, retry_after=wait)
    if not is_kreas:
        return unclear(message, posting=posting, status=status, code=code, raw=raw)
    if status == 404 and not posting:
        return NotFound(message, status=status, code=code, raw=raw)
    if status in (400, 403, 404, 410, 422):
        verdict = _verdict(status, code, message)
        return Refused(message, status=status, code=code, raw=raw, failure_code=verdict)
    return unclear(message, posting=posting, status=status, code=code, raw=raw)


def unclear(
    message: str, *, posting: bool, status: int | None = None, code: str = "", raw: str = ""
) -> KreaError:
    """Return the error of an exchange that did not tell what became of the request."""
    kind = Ambiguous if posting else Temporary
    return kind(message, status=status, code=code, raw=raw)


def unreadable(answer: Answer, reason: str, *, posting: bool, redact: Redact) -> KreaError:
    """Return the error of a success whose body does not say what it should."""
    raw = bounded(answer.body.decode("utf-8", errors="replace"), MAX_RAW, redact)
    message = f"The answer is unreadable: {reason}."
    return unclear(message, posting=posting, status=answer.status, raw=raw)


def no_answer(outcome: NoAnswer, *, posting: bool, redact: Redact) -> KreaError:
    """Return the error of an exchange that brought no status line."""
    message = bounded(outcome.reason, MAX_MESSAGE, redact)
    if posting and not outcome.written:
        return NotSent(message)
    return unclear(message, posting=posting)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a ``Retry-After`` of either form (RFC 9110), 0 to 3600; else ``None``."""
    value = headers.get("Retry-After", "").strip()
    if _DELAY.fullmatch(value):
        return min(float(value), MAX_RETRY_AFTER_SECONDS)
    moment = _http_date(value)
    if moment is None:
        return None
    # By the server's own clock where it tells it, so that a skew between us does not count.
    seconds = (moment - (server_time(headers) or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Krea's clock, from the ``Date`` header; to the second."""
    return _http_date(headers.get("Date", ""))


def deprecation(headers: Mapping[str, str], redact: Redact) -> str:
    """Krea's deprecation headers, verbatim; empty without (Krea documentation, deprecations)."""
    found = [f"{name}: {headers[name]}" for name in ("Deprecation", "Sunset") if name in headers]
    return bounded("; ".join(found), MAX_DEPRECATION, redact)


def _verdict(status: int, code: str, message: str) -> FailureCode:
    """The endpoint names the model: where it is not found, the model is gone."""
    verdict = failure_code(code, message)
    if verdict == FailureCode.MODERATION:
        return verdict
    if status in (404, 410) or verdict == FailureCode.MODEL_UNAVAILABLE:
        return FailureCode.MODEL_UNAVAILABLE
    return FailureCode.INVALID_REQUEST


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
