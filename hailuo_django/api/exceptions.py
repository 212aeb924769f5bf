"""What the verbs raise, in the words of REST."""

from __future__ import annotations

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.fields import DateTimeField
from rest_framework.serializers import as_serializer_error

from hailuo_django.exceptions import BudgetExceeded, Conflict

from .fields import USDField


class StateConflict(APIException):
    """409 with ``detail`` for people and ``code`` for programs. Nothing was changed."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"

    def __init__(self, conflict: Conflict) -> None:
        super().__init__({"detail": conflict.message, "code": conflict.code}, code=conflict.code)


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
            "resets_at": DateTimeField().to_representation(refusal.resets_at),
        }
        super().__init__(detail, code=refusal.code)


def as_api_exception(error: Exception) -> Exception:
    """Return what DRF's exception handler, the host's own included, understands."""
    if isinstance(error, Conflict):
        return StateConflict(error)
    if isinstance(error, BudgetExceeded):
        return PaymentRequired(error)
    if isinstance(error, DjangoValidationError):
        return ValidationError(as_serializer_error(error))
    return error
