"""What may go wrong with a request to Krea, by what the caller may do next.

The texts are upstream's own words, bounded, storable and free of our secrets; they are for
staff, since some of them speak of the account.
"""

# The names say what happened, as Django's own do; "Error" at each end would add nothing.
# ruff: noqa: N818

from __future__ import annotations

from hailuo_django.states import FailureCode

from .problems import is_about_the_account


class KreaError(Exception):
    """Base of everything that a client method raises about a request.

    ``status`` is the HTTP status, ``None`` when there was no answer. ``code`` and ``message``
    are upstream's words as far as they could be read, else ours. ``raw`` is the beginning of
    the answer's body.
    """

    def __init__(
        self, message: str = "", *, status: int | None = None, code: str = "", raw: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.raw = raw

    def __str__(self) -> str:
        parts = (str(self.status or ""), self.code, self.message)
        return " ".join(part for part in parts if part)


class NotSent(KreaError):
    """POST only: no byte of the request was written. It may be sent again."""


class Refused(KreaError):
    """Krea itself said no for good: 400, 403, 410, 422, and 404 for a POST. Nothing was bought."""

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str = "",
        raw: str = "",
        failure_code: FailureCode = FailureCode.INVALID_REQUEST,
    ) -> None:
        super().__init__(message, status=status, code=code, raw=raw)
        self.failure_code = failure_code

    @property
    def is_about_the_account(self) -> bool:
        """Whether it is for staff alone: a 403, or one that speaks of the account."""
        return self.status == 403 or is_about_the_account(self.code, self.message)


class AccountProblem(KreaError):
    """401 or 402, or no token at all: nothing was bought, and a person has to act."""


class RateLimited(KreaError):
    """429: nothing was bought. ``retry_after`` is in seconds, ``None`` where Krea named none."""

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str = "",
        raw: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, raw=raw)
        self.retry_after = retry_after


class NotFound(KreaError):
    """GET and DELETE: 404. Krea knows no such job, or it belongs to another account."""


class Ambiguous(KreaError):
    """POST only: bytes were written and no job id came back. It must never be repeated."""


class Temporary(KreaError):
    """GET and DELETE: network trouble, or an answer that says nothing. Try later."""
