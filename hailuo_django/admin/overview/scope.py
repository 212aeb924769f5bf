"""Whose jobs the figures are about: those that the reader's list of jobs shows, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet

from hailuo_django.models import VideoJob

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Scope:
    """The jobs of ``get_queryset``, which a host may have narrowed for this reader."""

    jobs: QuerySet[VideoJob]

    @property
    def is_everything(self) -> bool:
        """Whether nothing was narrowed: only then figures of the whole site may be shown."""
        return not self.jobs.query.has_filters()

    def within(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Return those ``rows`` that belong to a job of these, from the database of the jobs.

        By a look at each row's job, so that as many rows are read as there are in ``rows``.
        """
        rows = rows.using(self.jobs.db)
        if self.is_everything:
            return rows
        return rows.filter(Exists(self.jobs.order_by().filter(pk=OuterRef("job_id"))))
