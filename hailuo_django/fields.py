"""Model fields and validators that keep what cannot be stored or paid for out of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_URL_LENGTH = 2048

validate_web_address = URLValidator(
    schemes=["http", "https"],
    message=_("Enter an http or https address."),
    # Fields replace the message of the code "invalid" by a vaguer one of their own.
    code="web_address",
)


def validate_storable_text(value: str) -> None:
    """Refuse text that no UTF-8 database column holds: NUL characters and lone surrogates."""
    if "\x00" in value:
        raise ValidationError(
            _("Null characters are not allowed."), code="null_characters_not_allowed"
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        message = _("Text that is not valid Unicode is not allowed (lone surrogate).")
        raise ValidationError(message, code="surrogate_characters_not_allowed") from error


if TYPE_CHECKING:
    SmallInteger = models.PositiveSmallIntegerField[int, int]
else:
    SmallInteger = models.PositiveSmallIntegerField  # Django's own class takes no parameters


class WholeSecondsField(SmallInteger):
    """A number of whole seconds. Django's integer fields cut 6.5 to 6; this one refuses it."""

    default_error_messages = {
        "fraction": _("%(value)s is not a whole number of seconds; the price list has no others.")
    }

    def to_python(self, value: Any) -> Any:
        """Return whole seconds; ValidationError for a fraction, however it is written."""
        self._refuse_fraction(value)
        return super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        """As :meth:`to_python`, on the way into the database."""
        self._refuse_fraction(value)
        return super().get_prep_value(value)

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        """Use the same words in forms."""
        message = self.error_messages["fraction"] % {"value": _("This")}
        return super().formfield(*args, **{"error_messages": {"invalid": message}, **kwargs})

    def _refuse_fraction(self, value: Any) -> None:
        try:
            fraction = float(value) % 1
        except (TypeError, ValueError, OverflowError):
            return  # no number at all: the integer field has its own words for that
        if fraction:  # NaN included
            raise ValidationError(
                self.error_messages["fraction"], code="fraction", params={"value": value}
            )
