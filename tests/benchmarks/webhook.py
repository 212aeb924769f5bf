"""How fast is an applied webhook, compared with a view that makes one UPDATE and checks nothing?

    python -m tests.benchmarks.webhook
    DJANGO_SETTINGS_MODULE=tests.settings_postgres python -m tests.benchmarks.webhook

Whole WSGI handler with the site's middleware, rounds of both kinds in turn; prints the median
of the rounds' ratios, with quartiles, and the statements of one delivery.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

from .site import database

ROUNDS, POSTS = 15, 60


def main() -> None:
    with database():
        measure()


def measure() -> None:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from hailuo_django.models import Submission, VideoJob
    from hailuo_django.tokens import Addressee, make_token

    client = Client()

    def prepare(count: int) -> list[tuple[str, str]]:
        """Running submissions, each with the address and the body of its webhook."""
        calls = []
        for _n in range(count):
            job = VideoJob(prompt="x", status="processing", submission_count=1)
            VideoJob.objects.bulk_create([job])
            krea_id = str(job.pk)
            Submission.objects.create(
                job=job, number=1, body={}, price_usd=1, status="processing", krea_job_id=krea_id
            )
            token = make_token(Addressee(job.pk, 1))
            body = {"job_id": krea_id, "status": "completed", "result": {"urls": [URL]}}
            calls.append((reverse("hailuo_django:webhook", args=[token]), json.dumps(body)))
        return calls

    def post(address: str, body: str) -> None:
        answer = client.post(address, body, content_type="application/json")
        if answer.status_code != 200:
            sys.exit(f"HTTP {answer.status_code} from {address}")

    def per_second(calls: list[tuple[str, str]], address: Callable[[str], str]) -> float:
        start = time.perf_counter()
        for own, body in calls:
            post(address(own), body)
        return len(calls) / (time.perf_counter() - start)

    ratios, speeds = [], []
    for _round in range(ROUNDS):
        bare = per_second(prepare(POSTS), lambda _own: "/bare/")
        ours = per_second(prepare(POSTS), lambda own: own)
        ratios.append(ours / bare)
        speeds.append(ours)
    [call] = prepare(1)
    with CaptureQueriesContext(connection) as queries:
        post(*call)
    statements = [q for q in queries if q["sql"].split()[0] not in ("BEGIN", "COMMIT")]
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(  # noqa: T201
        f"{connection.vendor}: {middle:.2f} of the bare view ({low:.2f} to {high:.2f}), "
        f"{statistics.median(speeds):.0f}/s, {len(statements)} statements"
    )


URL = "https://gen.krea.ai/videos/1.mp4"

if __name__ == "__main__":
    main()
