"""A site with a real cluster of django-q2, from submit to the video."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django_q.models import Failure, Schedule, Success
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django.models import Heartbeat, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep

from .start import start

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 60

Configure = Callable[..., AbstractContextManager[Sandbox]]


@pytest.fixture
def configured(settings: Settings, live_server: LiveServer) -> Configure:
    """A sandbox, and a site that uses it."""

    @contextmanager
    def configure(**more: Any) -> Iterator[Sandbox]:
        with Sandbox(seconds=0.2) as sandbox:
            settings.HAILUO = {
                "KREA_API_TOKEN": sandbox.token,
                "KREA_BASE_URL": sandbox.url,
                "KREA_TIMEOUT_SECONDS": 5,
                "RESULT_HOSTS": ["127.0.0.1"],
                **more,
            }
            yield sandbox

    return configure


@contextmanager
def cluster() -> Iterator[None]:
    """A cluster of the site as it is configured; ended as a supervisor ends it, in the end."""
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with start("-m", "django", "qcluster", site=django_settings.HAILUO, **pipes) as process:
        master = psutil.Process(process.pid)
        try:
            yield
        finally:
            family = master.children(recursive=True)
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(PATIENCE_SECONDS) == 0
                _, alive = psutil.wait_procs(family, timeout=10)
            finally:
                for survivor in [one for one in [master, *family] if one.is_running()]:
                    survivor.kill()
        assert alive == [], "it left nothing behind"


def is_completed(job: VideoJob) -> bool:
    return bool(VideoJob.objects.get(pk=job.pk).video_url)


def ended_by(job: VideoJob) -> tuple[str, str]:
    """Who told of the job's end, and which."""
    event = job.events.order_by("pk").last()
    assert event is not None
    return event.source, event.to_status


def a_nudge_sends_it_and_a_webhook_completes_it(krea: Sandbox) -> None:
    Schedule.objects.all().delete()  # whatever happens, a nudge made it happen
    with cluster():
        job = VideoJob(prompt="a lighthouse at dusk")
        job.submit()
        krea.wait(lambda: is_completed(job), PATIENCE_SECONDS)

    assert ended_by(job) == ("webhook", "completed")
    assert [post.status for post in krea.posts] == [200]
    assert [one.http_status for one in krea.deliveries] == [200]
    assert not Failure.objects.exists()
    assert not Success.objects.exists(), "tasks leave no rows"


def test_a_nudge_sends_it_and_a_webhook_completes_it(
    configured: Configure, live_server: LiveServer
) -> None:
    with configured(WEBHOOK_BASE_URL=live_server.url) as krea:
        a_nudge_sends_it_and_a_webhook_completes_it(krea)


@pytest.mark.redis
@pytest.mark.usefixtures("redis")
def test_the_same_with_redis_as_the_broker(configured: Configure, live_server: LiveServer) -> None:
    with configured(WEBHOOK_BASE_URL=live_server.url) as krea:
        a_nudge_sends_it_and_a_webhook_completes_it(krea)


def test_without_a_webhook_the_scheduled_sweep_finds_the_video(configured: Configure) -> None:
    with configured(POLL_INTERVAL_SECONDS=0.01, POLL_MAX_INTERVAL_SECONDS=0.01) as krea:
        job = VideoJob(prompt="a lighthouse at dusk")
        job.submit()
        sweep()
        krea.wait_idle()
        assert Submission.objects.get(job=job).status not in ("completed", "unsent")
        Heartbeat.objects.all().delete()
        call_command("hailuo_schedule", "install", verbosity=0)

        with cluster():
            krea.wait(lambda: is_completed(job), PATIENCE_SECONDS)
            krea.wait(Heartbeat.objects.exists, PATIENCE_SECONDS)

    assert ended_by(job) == ("poll", Status.COMPLETED)
    assert len(krea.posts) == 1
    assert krea.deliveries == []
    assert not Failure.objects.exists()
