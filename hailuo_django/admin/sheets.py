"""Jobs as CSV, for people with spreadsheets: as many as are selected, none of them a formula.

Names and values are those of the REST API, whatever language the reader has: texts and amounts
as they stand, times by ISO 8601 with their offset.
"""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from io import StringIO
from operator import attrgetter
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext_lazy

from hailuo_django.clock import aware, site_day
from hailuo_django.models import REQUEST_FIELDS, Submission, VideoJob
from hailuo_django.states import Status

from .base import HailuoAdmin

CHUNK = 200
"""How many jobs are read, and kept, at once."""

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for something else. Programs read the file as ``utf-8-sig``."""

NEEDED = ("job_id", "number", "krea_job_id", "error_code", "error_message")

BEGINS_FORMULA = r"""[=+\-@\uff1d\uff0b\uff0d\uff20]"""
FORMULA = re.compile(
    # At the beginning of a cell, whatever spaces and quotes come before it.
    rf"""^(?=[\s"']*{BEGINS_FORMULA}|[\t\r])"""
    # Where a spreadsheet may begin another cell: for many languages that is behind a semicolon.
    rf"""|(?:(?<=[;\t\n])|(?<=\r)(?!\n))(?=[^\S\r\n]*["']*{BEGINS_FORMULA})"""
)

Column = Callable[[VideoJob], Any]
Jobs = QuerySet[VideoJob]


def newest(job: VideoJob) -> Submission | None:
    """Return the newest submission, as far as it was read for this."""
    rows: list[Submission] = vars(job)["in_sheet"]
    return max(rows, key=attrgetter("number"), default=None)


def error(name: str) -> Column:
    """Return what reads one of Krea's words about why a job failed."""
    return lambda job: getattr(newest(job), name, None) if job.status == Status.FAILED else None


def columns(*names: str) -> dict[str, Column]:
    """Return the columns that are called as what they tell of a job."""
    return {name: attrgetter(name) for name in names}


COLUMNS: Mapping[str, Column] = {
    **columns("id", "status", *REQUEST_FIELDS, "reference"),
    "owner": lambda job: job.owner and job.owner.get_username(),
    **columns("price_usd", "spent_usd", "video_url", "failure_code"),
    "error.code": error("error_code"),
    "error.message": error("error_message"),
    "krea_job_id": lambda job: getattr(newest(job), "krea_job_id", None),
    **columns("created_at", "submitted_at", "completed_at"),
}


class SheetMixin(HailuoAdmin):
    """Lets whoever sees the list take it along."""

    csv_columns: ClassVar[Mapping[str, Column]] = COLUMNS
    """The columns by their names, with what each tells of a job."""


@admin.action(permissions=["view"], description=gettext_lazy("Download selected jobs as CSV"))
def download_csv(
    modeladmin: SheetMixin, request: HttpRequest, queryset: Jobs
) -> StreamingHttpResponse:
    """Answer with the selected jobs as a file, the newest first, while they are being read."""
    may_see = modeladmin.has_view_permission
    seen = ([job for job in jobs if may_see(request, job)] for jobs in chunked(queryset))
    chunks = written(seen, modeladmin.csv_columns)
    name = f"video-jobs-{site_day(timezone.now()).isoformat()}.csv"
    return StreamingHttpResponse(
        in_threads(chunks) if isinstance(request, ASGIRequest) else chunks,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, name),
            "X-Content-Type-Options": "nosniff",
        },
    )


def chunked(jobs: Jobs) -> Iterator[Sequence[VideoJob]]:
    """Yield jobs in lists of ``CHUNK``, each read for itself: no query lasts for the download."""
    rows = Prefetch("submissions", Submission.objects.only(*NEEDED), to_attr="in_sheet")
    rest = jobs.order_by("-created_at", "-pk").prefetch_related(rows)
    while chunk := list(rest[:CHUNK]):
        yield chunk
        last = chunk[-1]
        older = Q(created_at__lt=last.created_at) | Q(pk__lt=last.pk)
        rest = rest.filter(older, created_at__lte=last.created_at)


def written(chunks: Iterable[Sequence[VideoJob]], columns: Mapping[str, Column]) -> Iterator[str]:
    """Yield the lines of the file, the names of the columns first; never nothing."""
    yield BOM + lines([[*columns]])
    for jobs in filter(None, chunks):
        yield lines([[cell(tell(job)) for tell in columns.values()] for job in jobs])


async def in_threads(chunks: Iterator[str]) -> AsyncIterator[str]:
    """Yield the same to an ASGI server, which would else wait for all of them."""
    while chunk := await sync_to_async(lambda: next(chunks, ""))():
        yield chunk


def lines(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as lines of CSV."""
    file = StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def cell(value: Any) -> str:
    """Return a value as the API writes it, for a spreadsheet that would calculate it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        moment = localtime(value) if is_aware(value) else aware(value)
        return moment.isoformat(timespec="seconds")
    return FORMULA.sub("'", str(value))
