"""What a request body must be before its fields are looked at: objects of known names."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.utils import html

from hailuo_django.fields import validate_storable_text

from .exceptions import BodyTooLarge

RETIRED_NAMES: dict[Hashable, str] = {
    "startImage": "start_image",
    "endImage": "end_image",
    "expandPrompt": "expand_prompt",
}
"""Accepted by Krea until 2026-06-19 (Krea documentation, page of MiniMax Hailuo 02)."""

CSRF_FIELD = "csrfmiddlewaretoken"
"""Django's own field in HTML forms, those of the browsable API included."""


def read_body(request: Request, known: Collection[str]) -> Mapping[str, Any]:
    """Return the parsed body. Raises ValidationError for names that are not ``known``.

    Text that no database stores is refused here as well, before a page could repeat it.
    """
    body = _parsed(request)
    if errors := _errors(body, known):
        raise ValidationError(errors)
    return body  # type: ignore[no-any-return]  # _errors saw to it


def read_bodies(request: Request, known: Collection[str], *, most: int) -> Sequence[Any]:
    """Return the objects of a list of at most ``most``, or the one that came alone.

    Raises ValidationError, for a list with the errors of each object in its place.
    """
    body = _parsed(request)
    if not isinstance(body, list):
        return [read_body(request, known)]
    if not 1 <= len(body) <= most:
        message = _("Give from 1 to %(most)d of them, not %(count)d.")
        message %= {"most": most, "count": len(body)}
        raise ValidationError(_of_the_whole(message, "list_length"))
    errors = [_errors(item, known) for item in body]
    if any(errors):
        raise ValidationError(errors)
    return body


def _parsed(request: Request) -> Any:
    try:
        return request.data
    except RecursionError as error:
        raise ParseError(_("The body is nested too deeply.")) from error
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as error:
        raise BodyTooLarge from error


def _errors(body: Any, known: Collection[str]) -> dict[str, list[ErrorDetail]]:
    if not isinstance(body, Mapping):
        message = _("The body has to be an object, with a name for each value.")
        return _of_the_whole(message, "not_an_object")
    errors = {}
    for name, value in body.items():
        if name not in known:
            if name != CSRF_FIELD or not html.is_html_input(body):
                errors[_printable(name)] = [_about_unknown(name, known)]
        elif isinstance(value, str):
            try:
                validate_storable_text(value)
            except DjangoValidationError as error:
                errors[name] = [ErrorDetail(text, error.code) for text in error.messages]
    return errors


def _of_the_whole(message: str, code: str) -> dict[str, list[ErrorDetail]]:
    return {api_settings.NON_FIELD_ERRORS_KEY: [ErrorDetail(message, code)]}


def _about_unknown(name: Hashable, known: Collection[str]) -> ErrorDetail:
    if (today := RETIRED_NAMES.get(name)) in known:
        message = _("This name is retired: use %(name)s.") % {"name": today}
        return ErrorDetail(message, "retired_field")
    if not known:
        return ErrorDetail(_("Unknown field: this takes no fields."), "unknown_field")
    message = _("Unknown field. Known fields: %(names)s.") % {"names": ", ".join(known)}
    return ErrorDetail(message, "unknown_field")


def _printable(name: object) -> str:
    # A lone surrogate is valid JSON, but no answer could carry it. Other parsers of the host's
    # know names that are no text.
    return str(name).encode("utf-8", "backslashreplace").decode("utf-8")
