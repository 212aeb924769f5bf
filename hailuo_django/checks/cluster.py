"""``check --deploy``: whether django-q2's settings suit our tasks.

A task that runs twice does no harm: whoever comes second finds the rows taken. It only keeps
a worker busy.
"""

from __future__ import annotations

import os
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning
from django.db import router
from django.utils.translation import gettext as _

from hailuo_django.deadlines import task_seconds

from .values import problem

DEFAULT_RETRY_SECONDS = 60
GUARD_SECONDS = 3
"""For so long after its timeout django-q2 lets a task that does not end go on."""


def check_cluster(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check ``Q_CLUSTER``, where django_q is installed."""
    cluster = getattr(settings, "Q_CLUSTER", {})
    if not apps.is_installed("django_q") or not isinstance(cluster, dict):
        return []
    found: list[CheckMessage] = []
    if not problem("KREA_TIMEOUT_SECONDS"):
        found += _about_retry(cluster)
    rows = router.db_for_write(apps.get_model("django_q", "Schedule"))
    if cluster.get("orm") not in (None, rows):
        found.append(
            CheckWarning(
                _('Q_CLUSTER["orm"] is "%(orm)s", but django-q2\'s schedules are in "%(rows)s".')
                % {"orm": cluster["orm"], "rows": rows},
                hint=_("Name the same database: django-q2 loses or repeats schedules otherwise."),
                id="hailuo_django.W028",
            )
        )
    if cluster.get("sync"):
        found.append(
            CheckWarning(
                _('Q_CLUSTER["sync"] is on: every click waits for Krea.'),
                hint=_("Turn it off, and run a cluster."),
                id="hailuo_django.W029",
            )
        )
    return found


def _about_retry(cluster: dict[str, Any]) -> list[CheckMessage]:
    retry = cluster.get("retry", DEFAULT_RETRY_SECONDS)
    workers = cluster.get("workers") or os.cpu_count() or 4
    prefetched = cluster.get("queue_limit", workers**2)
    if not all(isinstance(value, int | float) for value in (retry, workers, prefetched)):
        return []
    timeout = task_seconds()
    # The lock starts when a task is fetched, and it may wait for those fetched before it.
    safe = (timeout + GUARD_SECONDS) * (prefetched / workers + 2)
    values = {"retry": retry, "timeout": timeout, "safe": int(safe) + 1}
    hint = _(
        'Set Q_CLUSTER["retry"] to at least %(safe)s, and "queue_limit" to the number of workers.'
    )
    if retry <= timeout:
        message = _(
            'Q_CLUSTER["retry"] is %(retry)s s, and our tasks may take %(timeout)s s: they are'
            " started again while they run."
        )
        return [CheckWarning(message % values, hint=hint % values, id="hailuo_django.W026")]
    if retry <= safe:
        message = _(
            'Q_CLUSTER["retry"] is %(retry)s s: tasks of %(timeout)s s that wait behind others'
            " are started twice."
        )
        return [CheckWarning(message % values, hint=hint % values, id="hailuo_django.W027")]
    return []
