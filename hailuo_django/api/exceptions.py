"""What the verbs raise, in the words of REST."""

from __future__ import annotations

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.serializers import as_serializer_error

from hailuo_django.exceptions import Conflict


class StateConflict(APIException):
    """409 with ``detail`` for people and ``code`` for programs. Nothing was changed."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"

    def __init__(self, conflict: Conflict) -> None:
        super().__init__({"detail": conflict.message, "code": conflict.code}, code=conflict.code)


def as_api_exception(error: Exception) -> Exception:
    """Return what DRF's exception handler, the host's own included, understands."""
    if isinstance(error, Conflict):
        return StateConflict(error)
    if isinstance(error, DjangoValidationError):
        return ValidationError(as_serializer_error(error))
    return error
