"""Short words for what the stories of this folder need of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, F, QuerySet
from django.db.models.signals import post_save
from django.utils import timezone

from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.wire import JobReport, generate_body
from hailuo_django.models import JobEvent, KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, Status
from hailuo_django.worker.send import Sending, SendLane
from hailuo_django.worker.sweep import sweep


def submitted(**fields: Any) -> VideoJob:
    """A job somebody asked for, not yet sent."""
    job = VideoJob(**{"prompt": "a lighthouse at dusk", **fields})
    job.submit()
    return job


def sent(**fields: Any) -> VideoJob:
    """A job that a worker has sent."""
    job = submitted(**fields)
    sweep()
    return fresh(job)


def fresh(job: VideoJob) -> VideoJob:
    """The job as the database has it now."""
    return VideoJob.objects.get(pk=job.pk)


def only(job: VideoJob) -> Submission:
    """The job's one submission as the database has it now."""
    return Submission.objects.get(job=job)


def change(job: VideoJob, **fields: Any) -> None:
    """Put the job's submissions where a story begins; this is the tests' way to move time."""
    Submission.objects.filter(job=job).update(**fields)


def pass_time(krea: Sandbox, seconds: float) -> None:
    """Let time pass here, for what is to be done, and at Krea."""
    for model in (Submission, KreaAccount):
        fields = [f.name for f in model._meta.fields if isinstance(f, DateTimeField)]
        QuerySet(model).update(**{name: F(name) - timedelta(seconds=seconds) for name in fields})
    krea.pass_time(seconds)


def look_again(job: VideoJob) -> VideoJob:
    """Let the time of the next look come, and a worker with it."""
    change(job, due_at=timezone.now())
    sweep()
    return fresh(job)


def ago(**time: float) -> datetime:
    """A moment in the past."""
    return timezone.now() - timedelta(**time)


def named(krea_job_id: str) -> JobReport:
    """What a webhook says that names this job of Krea's."""
    return JobReport(krea_job_id, Status.PROCESSING)


def history(job: VideoJob) -> list[tuple[str, str, str]]:
    """What happened, from which state to which."""
    events = JobEvent.objects.filter(job=job).order_by("pk")
    return list(events.values_list("action", "from_status", "to_status"))


def client(krea: Sandbox) -> KreaClient:
    """What a worker asks Krea with."""
    return KreaClient(base_url=krea.url, token=krea.token, timeout_seconds=5)


def claimed(krea: Sandbox) -> tuple[SendLane, Sending]:
    """A sender, and the submission that it has just claimed."""
    lane = SendLane(client(krea))
    item = lane.take(60)
    assert item is not None
    return lane, item


@contextmanager
def refused(action: str, job: VideoJob, error: type[Exception] = RuntimeError) -> Iterator[None]:
    """A receiver of the site's that raises when this is written down about the job."""

    def refuse(instance: JobEvent, **kwargs: Any) -> None:
        if (instance.action, instance.job_id) == (action, job.pk):
            raise error("a receiver of the site's")

    post_save.connect(refuse, JobEvent)
    try:
        yield
    finally:
        post_save.disconnect(refuse, JobEvent)


def lost(krea: Sandbox) -> VideoJob:
    krea.misbehave("lost_answer", on="generate")
    return sent()


def made_twice(krea: Sandbox) -> str:
    """The id of a second job that a gateway made of one request."""
    body = generate_body(prompt="a lighthouse at dusk", resolution="768p", duration=6)
    return client(krea).generate(body).krea_job_id


def notes(job: VideoJob) -> str:
    return " ".join(job.events.filter(action=Action.NOTE).values_list("detail", flat=True))


def told(krea: Sandbox, krea_job_id: str, status: str = "completed") -> JobReport:
    """What the webhook of this job of Krea's says of its end."""
    krea.move(krea_job_id, status)
    return client(krea).get(krea_job_id)


def forgotten(krea: Sandbox, job: VideoJob, **fields: Any) -> None:
    """Krea has not known the job that was named for a quarter of an hour."""
    krea.misbehave("missing", on="get", times=None)
    look_again(job)
    change(job, not_found_since=ago(minutes=16), **fields)
    look_again(job)
