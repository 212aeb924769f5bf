"""Short words for what the stories of this folder need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.utils import timezone

from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.sandbox.jobs import SandboxJob
from hailuo_django.sandbox.webhooks import message
from hailuo_django.worker.sweep import sweep

SITE = "http://testserver"


@dataclass(frozen=True)
class Pair:
    """A job here and the one upstream that it was sent as."""

    job: VideoJob
    upstream: SandboxJob

    @property
    def url(self) -> str:
        """The address that Krea was given."""
        assert self.upstream.webhook_url
        return self.upstream.webhook_url

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def token(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def row(self) -> VideoJob:
        """The job as the database has it now."""
        return VideoJob.objects.get(pk=self.job.pk)

    @property
    def submission(self) -> Submission:
        """The job's one submission as the database has it now."""
        return Submission.objects.get(job=self.job)

    @property
    def submissions(self) -> list[Submission]:
        """All submissions of the job as the database has them now."""
        return list(Submission.objects.filter(job=self.job).order_by("number"))

    def news(self, status: str) -> bytes:
        """What Krea sends when the job is in ``status``."""
        return message(self.upstream, status).body

    def changes(self) -> list[tuple[str, str]]:
        """What happened since it runs: by whom, to which state."""
        events = self.job.events.exclude(action__in=["submit", "claim", "adopt", "note"])
        return list(events.values_list("source", "to_status"))


def running(krea: Sandbox, prompt: str = "a lighthouse at dusk") -> Pair:
    """A job that was sent and that Krea is working on."""
    job = VideoJob(prompt=prompt)
    job.submit()
    sweep()
    newest_first = reversed(krea.jobs)
    return Pair(job, next(one for one in newest_first if one.body["prompt"] == prompt))


def unconfirmed(krea: Sandbox) -> Pair:
    """A job that Krea is working on, and the answer that said so was lost."""
    krea.misbehave("lost_answer", on="generate")
    return running(krea)


def post(client: Client, path: str, body: bytes = b"", **more: Any) -> int:
    """Post one webhook and return the HTTP status."""
    return client.post(path, body, content_type="application/json", **more).status_code


def look() -> None:
    """Let the time of the next look come for everybody, and a worker with it."""
    Submission.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    sweep()


def everything() -> list[Any]:
    """All rows, to see that nothing changed."""
    models = (VideoJob, Submission, JobEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]
