"""What a value may be. A rule returns what is wrong with it, or nothing. Pure."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

Rule: TypeAlias = Callable[[Any], str]

HOST = re.compile(r"\w([\w.-]*\w)?")
RATE = re.compile(r"[1-9]\d*/(s|sec|second|m|min|minute|h|hour|d|day)")
LARGEST_USD = Decimal("999999.9999")
"""What the column of a price holds."""


def shown(value: object) -> str:
    """Return ``value`` in a form short enough for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def flag(value: Any) -> str:
    """Take True or False and nothing that merely counts as either."""
    return "" if isinstance(value, bool) else _("has to be True or False.")


def number(lowest: float, highest: float, *, whole: bool = False, open_end: bool = False) -> Rule:
    """Take numbers from ``lowest`` (``open_end``: above it) to ``highest``."""
    kinds = int if whole else (int, float)

    def rule(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, kinds):
            return _("has to be a whole number.") if whole else _("has to be a number.")
        too_low = value <= lowest if open_end else value < lowest
        if not math.isfinite(value) or too_low or value > highest:
            bound = _("more than %(lowest)s") if open_end else _("at least %(lowest)s")
            message = _("has to be %(bound)s and at most %(highest)s.")
            return message % {"bound": bound % {"lowest": lowest}, "highest": highest}
        return ""

    return rule


def header_value(value: Any) -> str:
    """Take text that fits into a header; empty or None for nothing. Never repeats it."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return _("has to be a string.")
    if any(not "!" <= character <= "~" for character in value):
        return _("holds a space, a line break or a character that no token has.")
    return ""


def web_address(value: Any) -> str:
    """Take an http or https address that a path can be appended to. Never repeats it."""
    if not isinstance(value, str):
        return _("has to be a string.")
    if any(character <= " " for character in value):
        return _("holds a space or a line break.")
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        return _("has to be a whole address that begins with https:// or http://.")
    if "@" in parts.netloc:
        return _("holds a user name or password.")
    if "?" in value or "#" in value:
        return _("holds a query or a fragment.")
    return ""


def address_for_a_header(value: Any) -> str:
    """As :func:`web_address`, in characters that a header may hold; empty or None for nothing."""
    if value in ("", None):
        return ""
    if problem := web_address(value):
        return problem
    if all("!" <= character <= "~" for character in value):
        return ""
    try:
        right = parse_url(value).url
    except LocationParseError:
        return _("names a host that cannot be.")
    message = _("holds letters that no HTTP header may hold; it has to be written %(right)s.")
    return message % {"right": right}


def hosts(value: Any) -> str:
    """Take a list of host names or IP addresses."""
    if problem := _list_of_text(value):
        return problem
    for host in value:
        if not HOST.fullmatch(host) and not _is_ip_address(host):
            message = _("names %(host)s, which is no host: no scheme, port, path or wildcard.")
            return message % {"host": shown(host)}
    return ""


def permission_classes(value: Any) -> str:
    """Take a list of import strings of DRF permission classes, at least one."""
    if problem := _list_of_text(value):
        return problem
    if not value:
        return _("is empty, which would let everybody in.")
    for path in value:
        try:
            found = import_string(path)
        except ImportError as error:
            return _("names %(path)s: %(error)s") % {"path": shown(path), "error": error}
        if not isinstance(found, type) or not hasattr(found, "has_permission"):
            return _("names %(path)s, which is no permission class.") % {"path": shown(path)}
    return ""


def import_path(value: Any) -> str:
    """Take the import string of something to call."""
    if not isinstance(value, str):
        return _("has to be a string.")
    try:
        found = import_string(value)
    except ImportError as error:
        return _("names %(path)s: %(error)s") % {"path": shown(value), "error": error}
    message = _("names %(path)s, which cannot be called.")
    return "" if callable(found) else message % {"path": shown(value)}


def rates(names: Iterable[str]) -> Rule:
    """Take DRF's ``number/period`` or None, by names."""

    def rule(value: Any) -> str:
        if not isinstance(value, Mapping):
            return _("has to be a dict.")
        for name, rate in value.items():
            if problem := _unknown(name, names):
                return _("%(name)s %(problem)s") % {"name": shown(name), "problem": problem}
            if rate is not None and not (isinstance(rate, str) and RATE.fullmatch(rate)):
                message = _("%(name)s has to be a number, a slash, and s, min, hour or day.")
                return message % {"name": shown(name)}
        return ""

    return rule


def _list_of_text(value: Any) -> str:
    if isinstance(value, str | bytes) or not isinstance(value, list | tuple | set | frozenset):
        return _("has to be a list.")
    return "" if all(isinstance(item, str) for item in value) else _("has to be a list of strings.")


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def prices(resolutions: Iterable[str], durations: Iterable[int]) -> Rule:
    """Take amounts by resolution and whole seconds, for any part of the table."""

    def rule(value: Any) -> str:
        if not isinstance(value, Mapping):
            return _("has to be a dict.")
        for resolution, row in value.items():
            if problem := _unknown(resolution, resolutions):
                return problem
            if not isinstance(row, Mapping):
                return _("has to hold a dict for each resolution.")
            if problem := amounts(row, durations):
                return _("[%(resolution)s]: %(problem)s") % {
                    "resolution": shown(resolution),
                    "problem": problem,
                }
        return ""

    return rule


def caps(periods: Iterable[str]) -> Rule:
    """Take None, or amounts by period."""

    def rule(value: Any) -> str:
        if value is None:
            return ""
        return amounts(value, periods) if isinstance(value, Mapping) else _("has to be a dict.")

    return rule


def amounts(row: Mapping[Any, Any], names: Iterable[Any]) -> str:
    """Take exact amounts of USD under known names."""
    for name, value in row.items():
        problem = _unknown(name, names) or _amount(value)
        if problem:
            return _("%(name)s %(problem)s") % {"name": shown(name), "problem": problem}
    return ""


def _unknown(name: Any, names: Iterable[Any]) -> str:
    # By type as well: "6" would never be looked up, and True is not 1 second.
    if any(type(name) is type(known) and name == known for known in names):
        return ""
    message = _("is not one of %(names)s.")
    return message % {"names": ", ".join(map(repr, names))}


def _amount(value: Any) -> str:
    if isinstance(value, float):
        return _("is a float, which is not exact; write the amount as a string.")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return _("has to be an amount of USD.")
    try:
        usd = Decimal(value)
        fits = usd.is_finite() and 0 <= usd <= LARGEST_USD and usd == round(usd, 4)
    except InvalidOperation:
        fits = False
    return "" if fits else _("has to be an amount of USD with at most four decimals.")
