"""One order of locks everywhere: budget, job, submission. Who keeps it never meets a deadlock."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F, ProtectedError

from hailuo_django import ledger
from hailuo_django.exceptions import Conflict
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from tests import effort
from tests.webhooks.rows import running

from .crowd import Crowd
from .stories import deliver, submitted

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_other_order_is_a_deadlock_and_would_be_noticed(krea: Sandbox, crowd: Crowd) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock for everything")
    job = submitted()
    met = threading.Barrier(2)

    def lock(*models: type[VideoJob | Submission]) -> None:
        with transaction.atomic():
            for model in models:
                key = "pk" if model is VideoJob else "job"
                model._default_manager.filter(**{key: job.pk}).update(previous_status=F("status"))
                if model is models[0]:
                    met.wait(timeout=60)

    with pytest.raises(OperationalError, match="deadlock detected"):
        crowd.at_once(partial(lock, VideoJob, Submission), partial(lock, Submission, VideoJob))

    assert [trouble.split("\n")[0] for trouble in crowd.troubles] == ["deadlock detected"]
    crowd.troubles.clear()


def delete_unless_refused(rows: Submission | VideoJob) -> None:
    """Once a webhook has told of a video, there may be one: that is not deleted."""
    with suppress(ProtectedError):
        rows.delete()


def test_a_settled_job_is_deleted_or_its_video_arrives(krea: Sandbox, crowd: Crowd) -> None:
    for number in range(effort.RACES):
        pair = running(krea, f"video {number}")
        krea.move(pair.upstream.id, "failed", deliver=False)
        assert deliver(pair.path, pair.news("failed")) == 200
        body = pair.news("completed")

        crowd.at_once(
            partial(deliver, pair.path, body),
            partial(delete_unless_refused, pair.row),
            partial(deliver, pair.path, body),
            partial(delete_unless_refused, pair.job),
        )

        left = Submission.objects.filter(job=pair.job.pk)
        assert VideoJob.objects.filter(pk=pair.job.pk).exists() == left.exists()
        assert [*left.exclude(krea_status=Status.COMPLETED)] == []


def test_two_lists_in_different_orders_are_kept_by_two_workers(krea: Sandbox, crowd: Crowd) -> None:
    for number in range(effort.RACES):
        jobs = [JobReport(krea_job_id=f"{number}.{one}", status=Status.QUEUED) for one in range(50)]
        crowd.at_once(
            partial(ledger.remember_strangers, "account", jobs),
            partial(ledger.remember_strangers, "account", jobs[::-1]),
        )
    assert Stranger.objects.count() == 50 * effort.RACES


@pytest.mark.parametrize("verb", ["resubmit", "cancel"])
def test_who_has_waited_for_a_webhook_heeds_what_it_told(
    krea: Sandbox, crowd: Crowd, verb: str
) -> None:
    """PostgreSQL looks again at the row that it waited for, and at no other."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite waits before it reads anything")
    pair = running(krea)
    body = pair.news("failed") if verb == "resubmit" else pair.news("processing")
    assert deliver(pair.path, body) == 200
    told = threading.Event()

    def be_told() -> None:
        with transaction.atomic():
            if verb == "resubmit":
                another = JobReport(krea_job_id="another", status=Status.QUEUED)
                ledger.make_due(pair.job.pk, 1, another)
            else:
                end = JobReport(krea_job_id=pair.upstream.id, status=Status.FAILED)
                ledger.report(pair.job.pk, 1, end, by=ledger.WEBHOOK)
            told.set()
            wait_for_a_waiting_backend()

    def want() -> None:
        told.wait(timeout=60)
        getattr(pair.row, verb)()

    _, refusal = crowd.at_once(be_told, want)

    assert isinstance(refusal, Conflict)


def wait_for_a_waiting_backend() -> None:
    """Return once somebody waits for a lock."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    until = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
    raise TimeoutError("nobody waits")
