"""The site that is measured: a database of its own, filled with as many jobs as asked for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta

import django

BATCH = 5_000


@contextlib.contextmanager
def database() -> Iterator[None]:
    """Set Django up with the settings of the tests, and a database that is gone in the end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.test.utils import setup_test_environment

    from tests.servers import postgres_server

    settings.ROOT_URLCONF = "tests.benchmarks.urls"
    settings.TEST_DIR.mkdir(mode=0o755, exist_ok=True)
    on_postgres = connection.vendor == "postgresql"
    with postgres_server() if on_postgres else contextlib.nullcontext():
        setup_test_environment(debug=False)
        connection.creation.create_test_db(verbosity=0)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def fill(count: int, owner_id: int) -> None:
    """Add so many completed jobs with a submission each, a second apart, all of one owner."""
    from django.db import connection
    from django.utils import timezone

    from hailuo_django.models import Submission, VideoJob

    now = timezone.now()
    for first in range(0, count, BATCH):
        jobs = [
            VideoJob(
                prompt=f"A lighthouse at dusk, number {number}.",
                owner_id=owner_id,
                reference=f"order {number}",
                status="completed" if number % 100 else "failed",
                failure_code="" if number % 100 else "moderation",
                submission_count=1,
                result_url=f"https://gen.krea.ai/videos/{number}.mp4",
                created_at=now - timedelta(seconds=count - number),
                submitted_at=now,
                completed_at=now,
            )
            for number in range(first, min(first + BATCH, count))
        ]
        VideoJob.objects.bulk_create(jobs)
        Submission.objects.bulk_create(
            Submission(
                job=job,
                number=1,
                body={},
                price_usd="0.2835",
                status=job.status,
                failure_code=job.failure_code,
                krea_job_id=str(job.pk),
                sent_at=now,
                ended_at=now,
            )
            for job in jobs
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
