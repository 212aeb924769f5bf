"""What the verbs raise, in the words of REST, and a ``code`` for programs in every error.

An error is what DRF makes of it: ``detail``, or messages by field. Beside ``detail`` stands its
``code``; a message by field stands as ``{"message", "code"}``, as in DRF's ``get_full_details``.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import (
    APIException,
    ErrorDetail,
    NotFound,
    ParseError,
    Throttled,
    ValidationError,
)
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.utils.serializer_helpers import ReturnDict

from hailuo_django.exceptions import BudgetExceeded, Conflict, TooSoon

from .fields import MomentField, USDField


class StateConflict(APIException):
    """409 with the state of the job, and those it would have to be in. Nothing was changed."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"

    def __init__(self, conflict: Conflict) -> None:
        detail: dict[str, Any] = {"detail": conflict.message, "code": conflict.code}
        if conflict.status:
            detail["status"] = conflict.status
            detail["allowed_statuses"] = [*conflict.allowed]
        super().__init__(detail, code=conflict.code)


class PaymentRequired(APIException):
    """402: the site's budget leaves no room. Nothing was changed, and nothing spent."""

    status_code = status.HTTP_402_PAYMENT_REQUIRED
    default_code = "budget_exceeded"

    def __init__(self, refusal: BudgetExceeded) -> None:
        usd = USDField().to_representation
        detail = {
            "detail": refusal.message,
            "code": refusal.code,
            "cap": refusal.cap,
            "limit_usd": usd(refusal.limit_usd),
            "spent_usd": usd(refusal.spent_usd),
            "reserved_usd": usd(refusal.reserved_usd),
            "price_usd": usd(refusal.price_usd),
            "resets_at": MomentField().to_representation(refusal.resets_at),
        }
        super().__init__(detail, code=refusal.code)


class BodyTooLarge(APIException):
    """413: it has more than Django's ``DATA_UPLOAD_MAX_...`` settings let in."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The body is larger than this site takes.")
    default_code = "body_too_large"


class PreconditionFailed(APIException):
    """412: what ``If-Match`` names is not what there is. Nothing was done."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = _("It is not what you have any more: read it, and decide anew.")
    default_code = "precondition_failed"


class IdempotencyKeyRequired(APIException):
    """400: the site wants a key with every request that spends money."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = _("Send an Idempotency-Key with this request, a new one for each video.")
    default_code = "idempotency_key_required"


class IdempotencyKeyInvalid(APIException):
    """400: no key looks like this."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = _("An Idempotency-Key has 1 to 255 visible ASCII characters and no spaces.")
    default_code = "idempotency_key_invalid"


class IdempotencyKeyAnonymous(APIException):
    """400: the key of a visitor would be anybody's."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = _("An Idempotency-Key belongs to an account: sign in, or send none.")
    default_code = "idempotency_key_anonymous"


class IdempotencyKeyInUse(APIException):
    """409: the request that this one repeats is still being answered."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = _("The first request with this Idempotency-Key has no answer yet: ask again.")
    default_code = "idempotency_key_in_use"
    wait = 1
    """Seconds; DRF makes Retry-After of it."""


class IdempotencyKeyReused(APIException):
    """422: the key was given to another request. Nothing was done."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = _("This Idempotency-Key was given to another request: take a new one.")
    default_code = "idempotency_key_reused"


def as_api_exception(error: Exception) -> Exception:
    """Return what DRF's exception handler, the host's own included, understands."""
    match error:
        case Conflict(code="missing"):
            return NotFound()
        case Conflict():
            return StateConflict(error)
        case BudgetExceeded():
            return PaymentRequired(error)
        case TooSoon():
            return Throttled(wait=error.wait_seconds, detail=error.message, code=error.code)
        case DjangoValidationError():
            return ValidationError(as_serializer_error(error))
        case TooManyFieldsSent():  # in the address; in a body it is too large
            return ParseError(_("The address has more parameters than this site takes."))
    return error


def add_codes(response: HttpResponseBase, error: Exception) -> None:
    """Add the codes where the site's exception handler left DRF's form as it was."""
    if not isinstance(response, Response):
        return
    data = response.data
    if isinstance(error, ValidationError):
        if data is error.detail:
            response.data = _with_codes(data)
    elif isinstance(data, dict) and isinstance(data.get("detail"), ErrorDetail):
        data.setdefault("code", data["detail"].code)


def _with_codes(detail: Any) -> Any:
    if isinstance(detail, ErrorDetail):
        return {"message": str(detail), "code": detail.code}
    if isinstance(detail, list):
        return [_with_codes(item) for item in detail]
    if not isinstance(detail, dict):
        return detail
    coded = {name: _with_codes(value) for name, value in detail.items()}
    if isinstance(detail, ReturnDict):  # from its serializer comes the form of the browsable API
        return ReturnDict(coded, serializer=detail.serializer)
    return coded
