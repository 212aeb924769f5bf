"""The one schedule row that has django-q2 run our sweep every minute.

It is found by its function: operators rename schedules, and names are not unique. Rows made
twice are healed, never relied on: any number of sweeps may run at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps
from django.db import connections, router, transaction

from .conf import conf
from .deadlines import task_seconds

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

FUNC = "hailuo_django.worker.tasks.sweep"
NAME = "hailuo_django: sweep"


class NoTaskQueue(Exception):
    """django_q is not in INSTALLED_APPS."""


def install() -> bool:
    """Have exactly one row, as it should be; return whether anything had to be changed.

    ``next_run``, the name and the cluster are left as they are. Raises NoTaskQueue.
    """
    rows, wanted = _rows(), _wanted()
    with transaction.atomic(using=rows.db):
        # A write comes first: SQLite answers "locked" to whoever begins by reading.
        changed = rows.exclude(**wanted).update(**wanted)
        pks = list(rows.values_list("pk", flat=True))
        if not pks:
            rows.create(func=FUNC, name=NAME, **wanted)
            return True
        deleted, _ = rows.filter(pk__in=pks[1:]).delete()
        return bool(changed or deleted)


def remove() -> int:
    """Delete every row that runs our sweep; return how many there were. Raises NoTaskQueue."""
    deleted, _ = _rows().delete()
    return deleted


def is_installed() -> bool:
    """Tell whether there is exactly one row, as it should be. Raises NoTaskQueue."""
    rows = _rows()
    return rows.count() == 1 and rows.filter(**_wanted()).exists()


def install_after_migrate(sender: AppConfig, *, using: str, **kwargs: Any) -> None:
    """Receive ``post_migrate``: keep the row where django-q2 keeps its rows.

    Does nothing with ``HAILUO["SCHEDULE"]`` off; rows that are there stay.
    """
    if not conf.SCHEDULE or not apps.is_installed("django_q"):
        return
    rows = _rows()
    if using != rows.db or not router.allow_migrate_model(using, rows.model):
        return
    # ``migrate hailuo_django`` alone may come before django_q was ever migrated, and
    # ``migrate hailuo_django zero`` leaves nothing to sweep.
    needed = [rows.model, apps.get_model("hailuo_django", "VideoJob")]
    tables = {model._meta.db_table for model in needed if router.db_for_write(model) == using}
    if tables.issubset(connections[using].introspection.table_names()):
        install()


def _rows() -> QuerySet[Model]:
    if not apps.is_installed("django_q"):
        raise NoTaskQueue
    model = apps.get_model("django_q", "Schedule")
    alias = router.db_for_write(model)
    rows: QuerySet[Model] = model._default_manager.using(alias)
    return rows.filter(func=FUNC).order_by("pk")


def _wanted() -> dict[str, Any]:
    # django-q2 reads the text with literal_eval. A success is not worth a row, and a failure
    # is not worth another try before the next minute.
    options = {"save": False, "ack_failure": True, "timeout": task_seconds()}
    return {
        "schedule_type": "I",  # minutes
        "minutes": 1,
        "repeats": -1,
        "kwargs": repr({"q_options": options}),
    }
