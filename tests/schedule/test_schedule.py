"""One row has django-q2 run our sweep every minute: made, healed, kept and removed."""

from __future__ import annotations

import ast
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.core.management import call_command
from django.db import connections, router
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage
from pytest_django import Settings

from hailuo_django import deadlines, schedule
from hailuo_django.models import VideoJob
from hailuo_django.worker.tasks import sweep
from tests.conftest import database_aliases

pytestmark = pytest.mark.django_db

FUNC = "hailuo_django.worker.tasks.sweep"
ALIAS = router.db_for_write(Schedule)


@pytest.fixture(autouse=True)
def nothing_scheduled(db: None) -> None:
    Schedule.objects.all().delete()


def migrated(using: str = ALIAS) -> None:
    """What Django does after every ``migrate``."""
    schedule.install_after_migrate(apps.get_app_config("hailuo_django"), using=using)


def test_it_runs_our_sweep_every_minute_for_ever() -> None:
    assert schedule.install()
    row = Schedule.objects.get()
    assert import_string(row.func) is sweep
    assert (row.schedule_type, row.minutes, row.repeats) == (Schedule.MINUTES, 1, -1)
    assert ast.literal_eval(row.kwargs) == {
        "q_options": {"save": False, "ack_failure": True, "timeout": deadlines.task_seconds()}
    }
    assert schedule.is_installed()


@pytest.mark.django_db(transaction=True)  # it closes connections
def test_django_q2_makes_a_task_of_it() -> None:
    schedule.install()
    OrmQ.objects.all().delete()
    scheduler(broker=get_broker())
    task = SignedPackage.loads(OrmQ.objects.get().payload)
    assert (task["func"], task["args"], task["kwargs"]) == (FUNC, (), {})
    assert (task["save"], task["ack_failure"]) == (False, True)
    assert task["timeout"] == deadlines.task_seconds()


def test_what_is_right_already_is_left_alone() -> None:
    schedule.install()
    before = Schedule.objects.values().get()
    assert not schedule.install()
    assert Schedule.objects.values().get() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule_type": Schedule.DAILY},
        {"minutes": 5},
        {"minutes": None},
        {"repeats": 0},
        {"kwargs": None},
        {"kwargs": "{'q_options': {'timeout': 5}}"},
    ],
)
def test_what_differs_is_mended_and_the_next_run_kept(wrong: dict[str, Any]) -> None:
    schedule.install()
    soon = timezone.now() + timedelta(seconds=30)
    Schedule.objects.update(next_run=soon, name="renamed by an operator", **wrong)
    assert not schedule.is_installed()
    assert schedule.install()
    assert schedule.is_installed()
    row = Schedule.objects.get()
    assert (row.next_run, row.name) == (soon, "renamed by an operator")


def test_a_longer_timeout_mends_it_after_the_next_migrate(settings: Settings) -> None:
    schedule.install()
    settings.HAILUO = {"KREA_TIMEOUT_SECONDS": 60}
    assert not schedule.is_installed()
    migrated()
    assert schedule.is_installed()


def test_duplicates_are_healed_and_the_oldest_stays() -> None:
    rows = [Schedule.objects.create(func=FUNC) for _ in range(3)]
    other = Schedule.objects.create(func="shop.tasks.invoice")
    assert not schedule.is_installed()
    assert schedule.install()
    assert set(Schedule.objects.values_list("pk", flat=True)) == {rows[0].pk, other.pk}


def test_removing_takes_all_of_ours_and_nothing_else() -> None:
    for func in (FUNC, FUNC, "shop.tasks.invoice"):
        Schedule.objects.create(func=func)
    assert schedule.remove() == 2
    assert Schedule.objects.get().func == "shop.tasks.invoice"
    assert schedule.remove() == 0


@pytest.mark.parametrize("existing", [0, 2])
def test_its_transaction_begins_with_a_write(existing: int) -> None:
    Schedule.objects.bulk_create(Schedule(func=FUNC) for _ in range(existing))
    with CaptureQueriesContext(connections[ALIAS]) as queries:
        schedule.install()
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert statements[0].startswith("UPDATE")


def test_migrate_installs_it() -> None:
    call_command("migrate", verbosity=0, database=ALIAS)
    assert schedule.is_installed()


@pytest.mark.parametrize("existing", [0, 1])
def test_with_schedule_off_nothing_is_installed_nor_removed(
    existing: int, settings: Settings
) -> None:
    Schedule.objects.bulk_create(Schedule(func=FUNC) for _ in range(existing))
    settings.HAILUO = {"SCHEDULE": False}
    migrated()
    assert Schedule.objects.count() == existing


def test_without_the_task_queue_nothing_is_installed(settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in site.INSTALLED_APPS if app != "django_q"]
    migrated()
    with pytest.raises(schedule.NoTaskQueue):
        schedule.install()
    assert not Schedule.objects.exists()


def test_another_database_gets_none() -> None:
    for alias in {*database_aliases(), "somewhere"} - {ALIAS}:
        migrated(using=alias)
    assert not Schedule.objects.exists()


class NoMigrations:
    """A router of a site that keeps its task queue's tables elsewhere."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if app_label == "django_q" else None


def test_a_router_that_forbids_it_is_obeyed(settings: Settings) -> None:
    settings.DATABASE_ROUTERS = [NoMigrations(), *site.DATABASE_ROUTERS]
    migrated()
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("missing", [Schedule, VideoJob])
def test_before_the_tables_are_there_nothing_is_installed(
    missing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing._meta, "db_table", "not_migrated_yet")
    migrated()
    monkeypatch.undo()
    assert not Schedule.objects.exists()
