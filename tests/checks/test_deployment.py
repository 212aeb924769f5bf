"""``check --deploy``: each mistake of a server is named, and only there."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest
from django.core.checks.registry import registry
from django.db import connections

from hailuo_django import deadlines
from hailuo_django.models import VideoJob

from .reports import ids, messages, with_token, without


class IsolationLevel(IntEnum):
    """As psycopg has them; the suite runs without it, too."""

    SERIALIZABLE = 4


CLUSTER = {"name": "site", "orm": VideoJob.database(), "workers": 2, "queue_limit": 2}
# The timeout of our tasks, and 3 s of grace, for what runs, what waits before us, and us.
SAFE = (deadlines.task_seconds() + 3) * 3


def test_without_a_task_queue_it_says_what_to_run() -> None:
    """And not at each command: cron mails what those print."""
    bare = without("django_q")
    assert ids(with_token(), INSTALLED_APPS=bare) == []
    found = messages(with_token(), deploy=True, INSTALLED_APPS=bare)
    [info] = [one for one in found if one.id == "hailuo_django.I001"]
    assert "hailuo_sweep" in str(info.hint)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, []),
        ({"WEBHOOK_BASE_URL": "https://www.example.com/videos"}, []),
        ({"WEBHOOK_BASE_URL": "https://93.184.216.34"}, []),
        ({"WEBHOOK_BASE_URL": "http://www.example.com"}, ["W020"]),
        ({"WEBHOOK_BASE_URL": "https://localhost:8000"}, ["W021"]),
        ({"WEBHOOK_BASE_URL": "https://web"}, ["W021"]),
        ({"WEBHOOK_BASE_URL": "https://shop.internal"}, ["W021"]),
        ({"WEBHOOK_BASE_URL": "https://10.0.0.5"}, ["W021"]),
        ({"WEBHOOK_BASE_URL": "https://[::1]:8000"}, ["W021"]),
        ({"WEBHOOK_BASE_URL": "http://127.0.0.1:8000"}, ["W020", "W021"]),
        ({"RESULT_HOSTS": []}, ["W022"]),
        ({"KREA_BASE_URL": "http://127.0.0.1:8765"}, ["W023"]),
    ],
)
def test_addresses(written: dict[str, Any], expected: list[str], settings: Any) -> None:
    settings.Q_CLUSTER = {**CLUSTER, "retry": SAFE + 1}
    assert ids(with_token(**written)) == []
    found = [one for one in ids(with_token(**written), deploy=True) if one not in ("W024", "W025")]
    assert found == expected


def test_a_wrong_value_is_reported_once() -> None:
    wrong = {"WEBHOOK_BASE_URL": 5, "RESULT_HOSTS": 5, "KREA_BASE_URL": 5}
    wrong["KREA_TIMEOUT_SECONDS"] = "5 s"  # type: ignore[assignment]
    assert ids(with_token(**wrong), deploy=True) == ["E011", "E012", "E013", "E024"]


def options_of(monkeypatch: pytest.MonkeyPatch, engine: str, options: dict[str, Any]) -> None:
    database = connections[VideoJob.database()].settings_dict
    monkeypatch.setitem(database, "ENGINE", f"django.db.backends.{engine}")
    monkeypatch.setitem(database, "OPTIONS", options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["W024", "W025"]),
        (
            {"transaction_mode": "DEFERRED", "init_command": "PRAGMA foreign_keys=1"},
            ["W024", "W025"],
        ),
        ({"transaction_mode": "IMMEDIATE"}, ["W025"]),
        ({"transaction_mode": "immediate", "init_command": "pragma journal_mode = 'wal';"}, []),
        ({"transaction_mode": "EXCLUSIVE", "init_command": "PRAGMA journal_mode=WAL"}, []),
    ],
)
def test_sqlite_is_opened_for_more_than_one_process(
    options: dict[str, Any],
    expected: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options_of(monkeypatch, "sqlite3", options)
    assert ids(with_token(), deploy=True) == expected


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_other_databases_need_nothing_of_it(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options_of(monkeypatch, engine, {})
    assert ids(with_token(), deploy=True) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"isolation_level": 2}, ""),
        ({"isolation_level": 3}, "3"),
        ({"isolation_level": IsolationLevel.SERIALIZABLE}, "4"),
        ({"isolation_level": "read committed"}, ""),
        ({"isolation_level": "repeatable read"}, "repeatable read"),
        ({"options": "-c default_transaction_isolation=serializable"}, "serializable"),
    ],
)
def test_whoever_waits_for_a_row_sees_what_it_waited_for(
    options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options_of(monkeypatch, "postgresql", options)
    found = messages(with_token(), deploy=True)
    warnings = [one for one in found if one.id == "hailuo_django.W031"]
    assert [said in one.msg for one in warnings] == ([True] if said else [])


@pytest.mark.parametrize(
    ("engine", "options", "said"),
    [
        ("sqlite3", {"init_command": "PRAGMA synchronous=NORMAL;"}, "synchronous=NORMAL"),
        ("sqlite3", {"init_command": "pragma main.synchronous = off"}, "synchronous=off"),
        ("sqlite3", {"init_command": "PRAGMA synchronous(1)"}, "synchronous=1"),
        # SQLite takes it for a number, and that for NORMAL.
        ("sqlite3", {"init_command": "PRAGMA synchronous=ON"}, "synchronous=ON"),
        ("sqlite3", {"init_command": "PRAGMA synchronous=FULL; PRAGMA synchronous=0"}, "=0"),
        ("sqlite3", {"init_command": "PRAGMA synchronous=1; PRAGMA synchronous='extra'"}, ""),
        ("sqlite3", {"init_command": "PRAGMA synchronous = FULL;"}, ""),
        ("sqlite3", {}, ""),
        ("postgresql", {"options": "-c synchronous_commit=off"}, "synchronous_commit=off"),
        ("postgresql", {"options": "-c synchronous_commit=on"}, ""),
        ("postgresql", {}, ""),
    ],
)
def test_a_commit_is_not_undone_by_a_power_cut(
    engine: str, options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options_of(monkeypatch, engine, options)
    found = messages(with_token(), deploy=True, SILENCED_SYSTEM_CHECKS=[])
    warnings = [one for one in found if one.id == "hailuo_django.W030"]
    assert [said in one.msg for one in warnings] == ([True] if said else [])
    right = {"sqlite3": "Write FULL", "postgresql": "Write on"}[engine]
    assert all(str(one.hint).startswith(right) for one in warnings)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"retry": SAFE + 1}, []),
        ({"retry": SAFE}, ["W027"]),
        ({"retry": SAFE + 1, "queue_limit": 50}, ["W027"]),
        ({"retry": deadlines.task_seconds()}, ["W026"]),
        ({}, ["W026"]),
        ({"retry": 10**6, "workers": None, "queue_limit": 4}, []),
        ({"retry": "soon"}, []),
        ({"retry": SAFE + 1, "orm": "other"}, ["W028"]),
        ({"retry": SAFE + 1, "orm": None}, []),
        ({"retry": SAFE + 1, "sync": True}, ["W029"]),
    ],
)
def test_the_task_queue(more: dict[str, Any], expected: list[str]) -> None:
    found = ids(with_token(), deploy=True, Q_CLUSTER={**CLUSTER, **more})
    assert [one for one in found if one not in ("W024", "W025")] == expected
    assert ids(with_token(), Q_CLUSTER={**CLUSTER, **more}) == []


def test_a_longer_timeout_of_ours_needs_a_longer_retry() -> None:
    [warning] = messages(
        with_token(KREA_TIMEOUT_SECONDS=60), deploy=True, Q_CLUSTER={**CLUSTER, "retry": SAFE + 1}
    )
    assert warning.id == "hailuo_django.W027"
    assert str((2 * 60 + 15 + 3) * 3 + 1) in str(warning.hint)


@pytest.mark.parametrize("cluster", [None, "redis"])
def test_a_task_queue_that_is_not_set_up_is_left_to_itself(cluster: Any) -> None:
    assert ids(with_token(), deploy=True, Q_CLUSTER=cluster) == []


def test_all_of_them_carry_our_tag() -> None:
    ours = [
        check
        for check in registry.get_checks(include_deployment_checks=True)
        if check.__module__.startswith("hailuo_django.")
    ]
    assert len(ours) == 5
    assert all(getattr(check, "tags", ()) == ("hailuo_django",) for check in ours)
