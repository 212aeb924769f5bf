"""How fast is a page of the API's list, first, in the middle and deep among a million jobs?

    python -m tests.benchmarks.api_list
    DJANGO_SETTINGS_MODULE=tests.settings_postgres python -m tests.benchmarks.api_list

Whole WSGI handler, pages of 50, rounds of all kinds in turn. The limit is a view that gives the
same facts of the same rows by ``values()`` and ``JsonResponse``, with no checks, as cheap as
Django can. Prints the medians of the rounds' ratios to it, and the statements of a page.
``--jobs`` takes another number of jobs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from typing import Any

from .site import database, fill

ROUNDS, PAGES = 11, 8


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1_000_000)
    asked = parser.parse_args()
    with database():
        measure(asked.jobs)


def measure(count: int) -> None:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from rest_framework.test import APIClient

    ada = User.objects.create(username="ada")
    fill(count, ada.pk)
    client = APIClient()
    client.force_authenticate(ada)
    pages = {"limit": "/limit/", **_addresses(count)}
    samples: dict[str, list[float]] = defaultdict(list)
    for _round in range(ROUNDS):
        for name, address in pages.items():
            samples[name].append(_seconds(client, address))
    limit = samples["limit"]
    print(f"{connection.vendor}, {count} jobs, limit {1000 * statistics.median(limit):.1f} ms")  # noqa: T201
    for name, seconds in samples.items():
        ratio = statistics.median(a / b for a, b in zip(seconds, limit, strict=True))
        with CaptureQueriesContext(connection) as queries:
            client.get(pages[name])
        print(f"{name}: {ratio:.2f} of the limit, {len(queries)} statements")  # noqa: T201
    deep = statistics.median(a / b for a, b in zip(samples["deep"], samples["first"], strict=True))
    print(f"deep / first: {deep:.2f}")  # noqa: T201


def _addresses(count: int) -> dict[str, str]:
    """Return the pages of the API: whole, and those of a filter that one in a hundred passes."""
    from hailuo_django.models import VideoJob

    found = {"first": "/api/jobs/", "failed": "/api/jobs/?failure_code=moderation"}
    for name, depth in (("middle", count // 2), ("deep", count - 100)):
        row = VideoJob.objects.order_by("-created_at", "-pk")[depth]
        found[name] = f"/api/jobs/?cursor={_cursor(row)}"
    return found


def _cursor(row: Any) -> str:
    from base64 import b64encode
    from urllib.parse import quote, urlencode

    from hailuo_django.api.pagination import Position

    return quote(b64encode(urlencode({"p": str(Position.of(row))}).encode()))


def _seconds(client: Any, address: str) -> float:
    start = time.perf_counter()
    for _page in range(PAGES):
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
    return (time.perf_counter() - start) / PAGES


if __name__ == "__main__":
    main()
