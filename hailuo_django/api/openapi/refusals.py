"""Every refusal of the API: its code, taken from what is raised, its text and its further fields.

``docs/api.md`` lists the same; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from django.utils.functional import Promise
from rest_framework import exceptions as drf

from hailuo_django.api import exceptions as ours
from hailuo_django.exceptions import PRICE_CHANGED, STALE, SUBMISSION_ALIVE, TooSoon
from hailuo_django.states import Status

from .examples import RESETS_AT

FIELD_CODES = (
    *("required", "null", "blank", "invalid", "invalid_choice", "min_value", "max_value"),
    *("max_length", "max_string_length", "web_address", "null_characters_not_allowed"),
    *("surrogate_characters_not_allowed", "unknown_field", "retired_field", "unknown_parameter"),
    *("not_an_object", "list_length"),
)
"""What may be wrong with a field or a parameter: Django's, DRF's and our own validators'."""


@dataclass(frozen=True)
class Refusal:
    """One way to be refused: what the body says."""

    code: str
    detail: str | Promise
    more: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return what is answered, as an example."""
        return {"detail": str(self.detail), "code": self.code, **self.more}


def _of(error: type[drf.APIException], detail: str = "", **more: Any) -> Refusal:
    return Refusal(error.default_code, detail or cast(Promise, error.default_detail), more)


SIGN_IN = (_of(drf.NotAuthenticated), _of(drf.AuthenticationFailed))

UNREADABLE = _of(drf.ParseError, "JSON parse error - Expecting value: line 1 column 1 (char 0)")
MEDIA_TYPE = _of(drf.UnsupportedMediaType, 'Unsupported media type "text/plain" in request.')
TOO_LARGE = _of(ours.BodyTooLarge)
CONDITION = _of(ours.PreconditionFailed)
NO_SUCH_JOB = _of(drf.NotFound)
THROTTLED = _of(drf.Throttled, "Request was throttled. Expected available in 12 seconds.")
TOO_SOON = Refusal(TooSoon.code, "It was asked for a moment ago. Ask again in 12 seconds.")

EVERYWHERE: dict[int, tuple[Refusal, ...]] = {
    401: SIGN_IN,
    403: (*SIGN_IN, _of(drf.PermissionDenied)),
    406: (_of(drf.NotAcceptable),),
    429: (THROTTLED,),
}
"""Which of 401 and 403 a visitor gets is for the site's authentication to decide."""

KEY_WRONG = (
    _of(ours.IdempotencyKeyRequired),
    _of(ours.IdempotencyKeyInvalid),
    _of(ours.IdempotencyKeyAnonymous),
)
KEY_IN_USE = _of(ours.IdempotencyKeyInUse)
KEY_REUSED = _of(ours.IdempotencyKeyReused)

BUDGET = _of(
    ours.PaymentRequired,
    "The budget of this day has no room for it.",
    cap="day",
    limit_usd="10",
    spent_usd="9.4",
    reserved_usd="0.567",
    price_usd="0.2835",
    resets_at=RESETS_AT,
)
CONFLICT = _of(
    ours.StateConflict,
    "The job is completed; only a draft can be submitted.",
    status=Status.COMPLETED.value,
    allowed_statuses=[Status.DRAFT.value],
)
ALIVE = Refusal(
    SUBMISSION_ALIVE,
    "A submission of the job, or a Krea job that a webhook named for one, may still become a video:"
    " both would be billed.",
    {"status": Status.FAILED.value, "allowed_statuses": []},
)
TOO_DEAR = Refusal(
    PRICE_CHANGED, "It costs 0.3 USD now, which is more than 0.2835 USD. Nothing was asked for."
)
CHANGED = Refusal(
    STALE, "The job in the database differs from this one: save it, or read it again."
)


def by_status(*groups: Mapping[int, tuple[Refusal, ...]]) -> dict[int, tuple[Refusal, ...]]:
    """Return the refusals of all ``groups``, those of one status together and each once."""
    found: dict[int, tuple[Refusal, ...]] = {}
    for group in groups:
        for status, refusals in group.items():
            known = found.get(status, ())
            found[status] = known + tuple(one for one in refusals if one not in known)
    return dict(sorted(found.items()))
