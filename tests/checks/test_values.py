"""Every key of HAILUO has one check, which names the key and says what would be right."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from hailuo_django.checks.values import ROWS
from hailuo_django.conf import DEFAULTS

from .reports import ids, messages, with_token

WRONG: dict[str, tuple[str, list[Any]]] = {
    "KREA_API_TOKEN": ("E010", [5, "Bearer abc", "abc\n", "tökèn"]),
    "KREA_BASE_URL": (
        "E011",
        ["", None, "api.krea.ai", "ftp://api.krea.ai", "https://", "https://krea.ai:99999"],
    ),
    "KREA_TIMEOUT_SECONDS": (
        "E012",
        [0, -1, 601, "30", None, True, float("nan"), float("inf"), timedelta(seconds=30)],
    ),
    "WEBHOOK_BASE_URL": (
        "E013",
        [
            5,
            "www.example.com",
            "https://example.com/?a=1",
            "https://example.com/#top",
            "https://ada:secret@example.com",
            "https://example.com/a b",
            "https://☃.example",
        ],
    ),
    "WEBHOOK_CONFIRM": ("E014", ["False", 0, None]),
    "WEBHOOK_MAX_AGE_SECONDS": ("E015", [0, 3600.5, "604800", timedelta(days=7)]),
    "WEBHOOK_MAX_BODY_BYTES": ("E016", [0, 10**9, "64 kB"]),
    "WEBHOOK_GRACE_SECONDS": ("E017", [-1, "180", 10**6]),
    "POLL_INTERVAL_SECONDS": ("E018", [0, -5, "60"]),
    "POLL_MAX_INTERVAL_SECONDS": ("E019", [0, "300", 59]),
    "UNCONFIRMED_GRACE_SECONDS": ("E020", [-1, None]),
    "ADOPT_STRANGERS": ("E021", ["no", 1]),
    "RESEND_WHEN_ABSENT": ("E022", ["no", 1, True]),
    "OVERDUE_AFTER_SECONDS": ("E023", [0, "4 h"]),
    "RESULT_HOSTS": (
        "E024",
        [
            "gen.krea.ai",
            None,
            [5],
            ["*"],
            ["*.krea.ai"],
            ["https://gen.krea.ai"],
            ["gen.krea.ai:443"],
            ["gen.krea.ai/videos"],
            [""],
        ],
    ),
    "PRICES": (
        "E025",
        [
            None,
            [("768p", {6: "0.30"})],
            {"720p": {6: "0.30"}},
            {"768p": "0.30"},
            {"768p": {11: "0.30"}},
            {"768p": {"6": "0.30"}},
            {"768p": {6: 0.30}},
            {"768p": {6: True}},
            {"768p": {6: None}},
            {"768p": {6: "thirty cents"}},
            {"768p": {6: "NaN"}},
            {"768p": {6: "Infinity"}},
            {"768p": {6: "-0.30"}},
            {"768p": {6: "0.30005"}},
            {"768p": {6: "1000000"}},
            {"768p": {6: "1e999999"}},
        ],
    ),
    "BUDGET": ("E026", ["20", {"week": "20"}, {"day": 20.5}, {"day": None}]),
    "API_PERMISSION_CLASSES": (
        "E027",
        [
            "rest_framework.permissions.AllowAny",
            [],
            [5],
            ["no.such.module.Class"],
            ["nothing"],
            ["rest_framework.permissions.SAFE_METHODS"],
            ["rest_framework.views.APIView"],
        ],
    ),
    "API_QUERYSET": (
        "E029",
        [
            None,
            ["shop.api.team_jobs"],
            "no.such.module.function",
            "nothing",
            "hailuo_django.api.permissions.VIEW",
        ],
    ),
    "API_THROTTLE_RATES": (
        "E030",
        [
            None,
            "60/min",
            {"write": "60/min"},
            {"read": 60},
            {"read": "60"},
            {"read": "0/min"},
            {"submit": "60/fortnight"},
        ],
    ),
    "API_SYNC_COOLDOWN_SECONDS": ("E031", [-1, "30", None]),
    "API_REQUIRE_IDEMPOTENCY_KEY": ("E032", ["yes", 1]),
    "SCHEDULE": ("E028", ["yes", 0]),
}

RIGHT: list[tuple[str, Any]] = [
    ("KREA_BASE_URL", "http://127.0.0.1:8765/"),
    ("KREA_TIMEOUT_SECONDS", 0.5),
    ("WEBHOOK_BASE_URL", "https://www.example.com/path/prefix/"),
    ("WEBHOOK_BASE_URL", ""),
    ("WEBHOOK_BASE_URL", None),
    ("WEBHOOK_GRACE_SECONDS", 0),
    ("POLL_INTERVAL_SECONDS", 2.5),
    ("RESULT_HOSTS", ("gen.krea.ai", "localhost", "127.0.0.1", "::1", "Bücher.example")),
    ("RESULT_HOSTS", []),
    ("PRICES", {"768p": {6: "0.30", 7: 1, 10: Decimal("0.1234")}, "512p": {}}),
    ("BUDGET", None),
    ("API_PERMISSION_CLASSES", ["rest_framework.permissions.AllowAny"]),
    ("API_THROTTLE_RATES", {"read": None, "submit": "100/day"}),
    ("API_SYNC_COOLDOWN_SECONDS", 0),
    ("SCHEDULE", False),
]


def test_there_is_one_row_for_each_key_and_no_id_twice() -> None:
    assert ROWS.keys() == DEFAULTS.keys() == WRONG.keys()
    assert len({row.id for row in ROWS.values()}) == len(ROWS)


@pytest.mark.parametrize(
    ("key", "value", "check_id"),
    [(key, value, id_) for key, (id_, values) in WRONG.items() for value in values],
)
def test_a_wrong_value_is_an_error_that_names_its_key(key: str, value: Any, check_id: str) -> None:
    [error] = [one for one in messages(with_token(**{key: value})) if one.is_serious()]
    assert error.id == f"hailuo_django.{check_id}"
    assert f'HAILUO["{key}"]' in error.msg
    assert error.hint


@pytest.mark.parametrize(("key", "value"), RIGHT)
def test_a_right_value_passes(key: str, value: Any) -> None:
    assert ids(with_token(**{key: value})) == []


def test_resending_without_adopting_is_told_what_it_lacks() -> None:
    [found] = messages(with_token(RESEND_WHEN_ABSENT=True))
    assert found.id == "hailuo_django.E022"
    assert "needs ADOPT_STRANGERS" in found.msg
    assert "Set ADOPT_STRANGERS to True if" in str(found.hint)


def test_with_a_token_the_defaults_are_silent() -> None:
    assert ids(with_token()) == []
    assert ids(with_token(**{key: DEFAULTS[key] for key in DEFAULTS if "TOKEN" not in key})) == []


def test_no_token_is_a_warning_and_no_error() -> None:
    assert ids({}) == ["W001"]
    assert ids({"KREA_API_TOKEN": None}) == ["W001"]


@pytest.mark.parametrize("value", [None, "token", [("KREA_API_TOKEN", "a")]])
def test_a_setting_that_is_no_dict_is_an_error(value: Any) -> None:
    assert ids(value) == ["E001", "W001"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("KREA_API_KEY", "Did you mean KREA_API_TOKEN?"),
        ("webhook_base_url", "Did you mean WEBHOOK_BASE_URL?"),
        ("XYZ", "Remove it."),
        (5, "Remove it."),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_one(key: Any, hint: str) -> None:
    [error] = messages({**with_token(), key: "x"})
    assert (error.id, error.hint) == ("hailuo_django.E002", hint)
    assert repr(key) in error.msg


def test_a_wrong_token_is_not_repeated() -> None:
    said = str(messages({"KREA_API_TOKEN": "secret token"}))
    assert "hailuo_django.E010" in said
    assert "secret" not in said


def test_a_float_is_refused_as_a_price_because_it_is_not_exact() -> None:
    [error] = messages(with_token(PRICES={"768p": {6: 0.1}}))
    assert "not exact" in error.msg


@pytest.mark.django_db  # Django 6.1 has the databases' own checks run along
def test_manage_py_check_fails_on_them(settings: Settings) -> None:
    settings.HAILUO = with_token(SCHEDULE="yes")
    with pytest.raises(SystemCheckError, match="hailuo_django.E028"):
        call_command("check")


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("https://www.straße.example:8443/v/", "https://www.xn--strae-oqa.example:8443/v/"),
        ("https://www.example.com/für/", "https://www.example.com/f%C3%BCr/"),
    ],
)
def test_an_address_that_no_header_can_hold_is_told_as_it_has_to_be(
    written: str, right: str
) -> None:
    [error] = messages(with_token(WEBHOOK_BASE_URL=written), deploy=True)
    assert error.msg.endswith(f"it has to be written {right}.")
    assert ids(with_token(WEBHOOK_BASE_URL=right), deploy=True) == []
