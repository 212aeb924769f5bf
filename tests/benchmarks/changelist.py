"""Does the list of jobs grow slow with the table? Its pages with many rows against 1,000 rows.

    python -m tests.benchmarks.changelist --rows 1000000 --database sqlite
    python -m tests.benchmarks.changelist --rows 1000000 --database postgres

Two databases beside each other, each page asked for of both in turn: whole WSGI handler, with
the site's middleware, session and user. A line for each page: the ratio of the fastest answers,
which a busy machine disturbs least; the quartiles of the rounds' ratios; the milliseconds of the
fastest answer with many rows; its queries without session and user.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import django

SMALL = 1000
SETTINGS = {"sqlite": "tests.settings", "postgres": "tests.settings_postgres"}

PAGES = {
    "first page": "",
    "second page": "p=2",
    "tenth page": "p=10",
    "hundredth page": "p=100",
    "status: completed": "status=completed",
    "status: failed": "status=failed",
    "status: in progress": "status=live",
    "status: running": "status=running",
    "needs attention: unconfirmed": "attention=unconfirmed",
    "needs attention: overdue": "attention=overdue",
    "needs attention: flagged": "attention=flagged",
    "failure code: moderation": "failure_code__exact=moderation",
    "created: today": "created=today",
    "created: past 7 days": "created=7days",
    "created: past 30 days": "created=30days",
    "created: before that": "created=older",
    "resolution: 512p": "resolution__exact=512p",
    "resolution: 768p": "resolution__exact=768p",
    "duration: 10 s": "duration__exact=10",
    "failed in the past 7 days": "status=failed&created=7days",
    "search: id": "q={job.pk}",
    "search: Krea job id": "q=krea-{job.reference}",
    "search: reference": "q={job.reference}",
    "search: owner": "q=bob",
    "search: nothing": "q=nothing",
    "search: prompt": "q=prompt:+harbour",
    "search: prompt, nothing": "q=prompt:+zeppelin",
    "oldest first": "o=8",
    "by status": "o=2",
    "by status, backwards": "o=-2",
}
"""What is measured, and the query string of it."""

DEEP = {"hundredth page": "p=10"}
"""Pages that 1,000 rows do not have, and what they are compared with."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", choices=SETTINGS, default="sqlite")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="Pages whose name contains this.")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS[options.database]
    with site(options.rows):
        measure(
            options.rounds, {name: page for name, page in PAGES.items() if options.only in name}
        )


@contextlib.contextmanager
def site(rows: int) -> Iterator[None]:
    """The tests' site with a database of 1,000 and one of ``rows`` jobs."""
    from django.conf import settings

    given = settings.DATABASES["default"]
    names = {"small": SMALL, "large": rows}
    settings.DATABASES = {"default": {}} | {alias: named(given, alias) for alias in names}
    settings.DATABASE_ROUTERS = ["tests.benchmarks.routers.Size"]
    settings.TEST_DIR.mkdir(mode=0o755, exist_ok=True)
    django.setup()
    from django.db import connections
    from django.test.utils import setup_test_environment

    from tests.servers import postgres_server

    on_postgres = "postgresql" in given["ENGINE"]
    with postgres_server() if on_postgres else contextlib.nullcontext():
        setup_test_environment(debug=False)
        try:
            for alias, count in names.items():
                connections[alias].creation.create_test_db(verbosity=0)
                prepare(alias, count)
            yield
        finally:
            for alias in names:
                name = connections[alias].settings_dict["NAME"]
                connections[alias].creation.destroy_test_db(name, verbosity=0)


def named(given: dict[str, Any], alias: str) -> dict[str, Any]:
    """The settings of a database like ``given`` with a name of its own."""
    name = f"{given['NAME']}_{alias}"
    return {**given, "NAME": name, "TEST": {**given["TEST"], "NAME": name}}


def prepare(alias: str, rows: int) -> None:
    """Fill a database, with the statistics that it would have kept of rows that grew."""
    from django.db import connections

    from . import rows as jobs
    from .routers import Size

    Size.current = alias
    started = time.perf_counter()
    jobs.fill(rows)
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
    print(f"# {rows} jobs in {time.perf_counter() - started:.0f} s", file=sys.stderr)  # noqa: T201


def measure(rounds: int, pages: dict[str, str]) -> None:
    clients = {alias: reader(alias) for alias in ("small", "large")}
    width = max(map(len, pages))
    for name, page in pages.items():
        small, large = [], []
        for _round in range(rounds + 1):
            small.append(clients["small"](DEEP.get(name, page)).seconds)
            large.append((last := clients["large"](page)).seconds)
        # Without the first round, which fills caches.
        ratios = [many / few for many, few in zip(large[1:], small[1:], strict=True)]
        low, _middle, high = statistics.quantiles(ratios, n=4)
        print(  # noqa: T201
            f"{name:{width}} {min(large) / min(small):5.2f} ({low:.2f} to {high:.2f})"
            f" {min(large) * 1000:5.0f} ms, {last.queries} queries, {last.rows} rows",
            flush=True,
        )


class Answer(NamedTuple):
    """What a page took, and what it showed."""

    seconds: float
    queries: int
    rows: int


def reader(alias: str) -> Callable[[str], Answer]:
    """What opens a page of the list in one of the databases."""
    from django.contrib.auth import get_user_model
    from django.db import connections
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from hailuo_django.models import VideoJob

    from .routers import Size

    Size.current = alias
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("operator"))
    address = reverse("admin:hailuo_django_videojob_changelist")
    job = VideoJob.objects.order_by("created_at")[10]
    counted: dict[str, int] = {}

    def queries(page: str) -> int:
        with CaptureQueriesContext(connections[alias]) as found:
            client.get(page)
        return len([q for q in found if "hailuo_django_" in q["sql"] or 'username" =' in q["sql"]])

    def read(query: str) -> Answer:
        Size.current = alias
        page = f"{address}?{query.format(job=job)}"
        if page not in counted:
            counted[page] = queries(page)
        started = time.perf_counter()
        answer = client.get(page)
        seconds = time.perf_counter() - started
        if answer.status_code != 200:
            sys.exit(f"HTTP {answer.status_code} from {page}")
        return Answer(seconds, counted[page], answer.content.count(b'name="_selected_action"'))

    return read


if __name__ == "__main__":
    main()
