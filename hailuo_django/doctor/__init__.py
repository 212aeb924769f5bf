"""Examines an installation and says what is wrong with it and how to mend it.

Nothing here sends an order to Krea or changes a row, but for the verdicts that a person gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, ProgrammingError
from django.utils.translation import gettext as _

from hailuo_django.models import VideoJob

from .findings import Finding, Level, foreign, problem
from .krea import examine_krea
from .rows import examine_account, examine_budget, examine_submissions, examine_sweep
from .site import examine_clock, examine_queue, examine_schedule, examine_settings
from .webhook import examine_webhook

__all__ = ["EXAMINATIONS", "Finding", "Level", "examine"]

EXAMINATIONS: tuple[Callable[[], Iterable[Finding]], ...] = (
    examine_settings,
    examine_krea,
    examine_clock,
    examine_schedule,
    examine_sweep,
    examine_queue,
    examine_account,
    examine_submissions,
    examine_budget,
    examine_webhook,
)


def examine() -> Iterator[Finding]:
    """Yield what each examination finds, one after the other; they take half a minute at most."""
    for examination in EXAMINATIONS:
        try:
            yield from list(examination())
        except (OperationalError, InterfaceError, ProgrammingError) as error:  # or no tables
            yield problem(
                "examination.no_database",
                _("%(name)s could not be done: the database cannot be used: %(error)s")
                % {"name": examination.__name__, "error": foreign(str(error))},
                _("Start the database server, look at DATABASES, and run %(migrate)s.")
                % {"migrate": _migrate()},
            )
        except Exception as error:  # a broken site is what a doctor is called for
            yield problem(
                "examination.failed",
                _("%(name)s could not be done: %(error)s.")
                % {"name": examination.__name__, "error": type(error).__name__},
                _("Mend the settings named above, run %(migrate)s, and try again.")
                % {"migrate": _migrate()},
            )


def _migrate() -> str:
    """Return what makes the tables, also where a router puts ours elsewhere."""
    try:
        alias = VideoJob.database()
    except Exception:  # the router may be what is broken
        alias = DEFAULT_DB_ALIAS
    if alias == DEFAULT_DB_ALIAS:
        return "“manage.py migrate”"
    return f"“manage.py migrate”, “manage.py migrate --database={alias}”"
