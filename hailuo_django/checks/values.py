"""One check for each key of ``HAILUO``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hailuo_django import pricing
from hailuo_django.conf import DEFAULTS, configured

from . import rules

DAY = 24 * 3600
YEAR = 365 * DAY


@dataclass(frozen=True)
class Row:
    """How one key is checked: the id, the rule, and what would be right."""

    id: str
    rule: rules.Rule
    hint: str | Promise


_FLAG = gettext_lazy("Write True or False; a text from the environment has to be compared first.")
_SECONDS = gettext_lazy("Give seconds as a number, such as 60 or 2.5.")

ROWS: dict[str, Row] = {
    "KREA_API_TOKEN": Row(
        "hailuo_django.E010",
        rules.header_value,
        gettext_lazy("Give the token alone, without “Bearer” and without a line break."),
    ),
    "KREA_BASE_URL": Row(
        "hailuo_django.E011",
        rules.web_address,
        gettext_lazy("Leave it out, or give an address such as https://api.krea.ai."),
    ),
    "KREA_TIMEOUT_SECONDS": Row(
        "hailuo_django.E012", rules.number(0, 600, open_end=True), _SECONDS
    ),
    "WEBHOOK_BASE_URL": Row(
        "hailuo_django.E013",
        rules.address_for_a_header,
        gettext_lazy("Give this site's public address, such as https://www.example.com."),
    ),
    "WEBHOOK_CONFIRM": Row("hailuo_django.E014", rules.flag, _FLAG),
    "WEBHOOK_MAX_AGE_SECONDS": Row(
        "hailuo_django.E015",
        rules.number(1, YEAR, whole=True),
        gettext_lazy("Give whole seconds, longer than any job may take, such as 604800."),
    ),
    "WEBHOOK_MAX_BODY_BYTES": Row(
        "hailuo_django.E016",
        rules.number(1024, 16 * 1024**2, whole=True),
        gettext_lazy("Give whole bytes, such as 65536."),
    ),
    "WEBHOOK_GRACE_SECONDS": Row("hailuo_django.E017", rules.number(0, DAY), _SECONDS),
    "POLL_INTERVAL_SECONDS": Row(
        "hailuo_django.E018", rules.number(0, DAY, open_end=True), _SECONDS
    ),
    "POLL_MAX_INTERVAL_SECONDS": Row(
        "hailuo_django.E019", rules.number(0, DAY, open_end=True), _SECONDS
    ),
    "UNCONFIRMED_GRACE_SECONDS": Row("hailuo_django.E020", rules.number(0, DAY), _SECONDS),
    "ADOPT_STRANGERS": Row("hailuo_django.E021", rules.flag, _FLAG),
    "RESEND_WHEN_ABSENT": Row("hailuo_django.E022", rules.flag, _FLAG),
    "OVERDUE_AFTER_SECONDS": Row(
        "hailuo_django.E023", rules.number(0, YEAR, open_end=True), _SECONDS
    ),
    "RESULT_HOSTS": Row(
        "hailuo_django.E024",
        rules.hosts,
        gettext_lazy('Give a list of host names, such as ["gen.krea.ai"].'),
    ),
    "PRICES": Row(
        "hailuo_django.E025",
        rules.prices(pricing.RESOLUTIONS, pricing.DURATIONS),
        gettext_lazy('Write it as in {"768p": {6: "0.30"}}: USD by resolution and seconds.'),
    ),
    "BUDGET": Row(
        "hailuo_django.E026",
        rules.caps(("day", "month", "user_day")),
        gettext_lazy('Write it as in {"day": "20", "month": "300", "user_day": "5"}, in USD.'),
    ),
    "API_PERMISSION_CLASSES": Row(
        "hailuo_django.E027",
        rules.permission_classes,
        gettext_lazy('To let everybody in, name "rest_framework.permissions.AllowAny".'),
    ),
    "API_QUERYSET": Row(
        "hailuo_django.E029",
        rules.import_path,
        gettext_lazy("Name a function that takes a user and an action and returns VideoJobs."),
    ),
    "API_THROTTLE_RATES": Row(
        "hailuo_django.E030",
        rules.rates(("read", "submit")),
        gettext_lazy('Write it as in {"read": "600/min", "submit": "60/min"}; None: no limit.'),
    ),
    "API_SYNC_COOLDOWN_SECONDS": Row("hailuo_django.E031", rules.number(0, DAY), _SECONDS),
    "API_REQUIRE_IDEMPOTENCY_KEY": Row("hailuo_django.E032", rules.flag, _FLAG),
    "SCHEDULE": Row("hailuo_django.E028", rules.flag, _FLAG),
}


def check_setting(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check the shape of ``HAILUO``, its keys and their values."""
    written = getattr(settings, "HAILUO", {})
    if not isinstance(written, Mapping):
        message = _("HAILUO has to be a dict; all of its keys are at their defaults.")
        hint = _('Write it as in HAILUO = {"KREA_API_TOKEN": ...}.')
        return [Error(message, hint=hint, id="hailuo_django.E001")]
    found: list[CheckMessage] = [_about_unknown(key) for key in written if key not in ROWS]
    for key, row in ROWS.items():
        if found_problem := problem(key):
            message = f'HAILUO["{key}"] {found_problem}'
            found.append(Error(message, hint=_hint(key), id=row.id))
    return found


def problem(key: str) -> str:
    """Return what is wrong with the value written for ``key``, or nothing."""
    written = configured()
    if key not in written:
        return ""
    return ROWS[key].rule(written[key]) or _against_others(key)


def _against_others(key: str) -> str:
    values = {**DEFAULTS, **configured()}
    if key == "RESEND_WHEN_ABSENT" and values[key] and not values["ADOPT_STRANGERS"]:
        return _("needs ADOPT_STRANGERS to be True as well.")
    if key != "POLL_MAX_INTERVAL_SECONDS" or problem("POLL_INTERVAL_SECONDS"):
        return ""
    shorter = values[key] < values["POLL_INTERVAL_SECONDS"]
    return _("is shorter than POLL_INTERVAL_SECONDS.") if shorter else ""


def _hint(key: str) -> str:
    row = ROWS[key]
    if key == "RESEND_WHEN_ABSENT" and not row.rule(configured()[key]):
        return _(
            "Set ADOPT_STRANGERS to True if no other program uses the API token; else leave this"
            " out."
        )
    return str(row.hint)


def _about_unknown(key: object) -> Error:
    near = difflib.get_close_matches(str(key).upper(), ROWS, n=1)
    hint = _("Did you mean %(near)s?") % {"near": near[0]} if near else _("Remove it.")
    message = _("HAILUO has no key %(key)s.") % {"key": rules.shown(key)}
    return Error(message, hint=hint, id="hailuo_django.E002")
