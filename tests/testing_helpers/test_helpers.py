"""What a site needs for tests of its own: a Krea, jobs, and a worker in no hurry to wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import TestCase
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django import testing
from hailuo_django.conf import conf
from hailuo_django.models import JobEvent, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.signals import job_completed
from hailuo_django.states import Status
from hailuo_django.testing.site import NoSandbox
from tests.conftest import database_aliases

HOST_CONFTEST = 'pytest_plugins = ["hailuo_django.testing.fixtures"]\n'
HOST_TEST = """
import pytest
from hailuo_django.testing import finish, make_submitted_job

@pytest.mark.django_db
def test_a_video(hailuo_sandbox):
    assert finish(make_submitted_job()).video_url.startswith(hailuo_sandbox.url)
    assert len(hailuo_sandbox.paid) == 1
"""


@pytest.mark.django_db
def test_a_job_is_a_saved_draft_with_defaults() -> None:
    job = testing.make_job(reference="order 5")
    assert VideoJob.objects.get(pk=job.pk).reference == "order 5"
    assert (job.status, job.prompt) == (Status.DRAFT, "A lighthouse at dusk.")


@pytest.mark.django_db
def test_a_submitted_job_waits_for_a_worker() -> None:
    job = testing.make_submitted_job(prompt="A cat.")
    assert (job.status, job.prompt) == (Status.UNSENT, "A cat.")


@pytest.mark.django_db
def test_a_job_is_finished_without_waiting(hailuo_sandbox: Sandbox) -> None:
    job = testing.finish(testing.make_submitted_job())
    assert job.status == Status.COMPLETED
    assert job.video_url.startswith(hailuo_sandbox.url)


@pytest.mark.django_db
def test_polls_that_are_due_later_are_made_now() -> None:
    with testing.sandbox(manual=True) as krea:
        job = testing.make_submitted_job()
        assert testing.work() == 1
        krea.move(krea.jobs[0].id, "completed")
        assert testing.work() == 1
        job.refresh_from_db()
        assert job.status == Status.COMPLETED
        assert testing.work() == 0


@pytest.mark.django_db
def test_a_pause_that_krea_asked_for_is_over_at_once() -> None:
    with testing.sandbox() as krea:
        krea.misbehave("rate_limited", retry_after=3600)
        assert testing.finish(testing.make_submitted_job()).status == Status.COMPLETED
        assert [post.status for post in krea.posts] == [429, 200]


@pytest.mark.django_db
def test_words_in_the_prompt_make_a_job_fail(hailuo_sandbox: Sandbox) -> None:
    job = testing.finish(testing.make_submitted_job(prompt="A cat. [moderation]"))
    assert (job.status, job.failure_code) == (Status.FAILED, "moderation")


@pytest.mark.django_db
def test_a_job_that_does_not_end_is_a_timeout() -> None:
    with testing.sandbox(manual=True):
        job = testing.make_submitted_job()
        with pytest.raises(TimeoutError, match="backlogged"):
            testing.finish(job, timeout=0.2)


@pytest.mark.django_db
@pytest.mark.parametrize("helper", ["work", "finish"])
def test_outside_of_the_sandbox_nothing_is_sent(helper: str, settings: Settings) -> None:
    settings.HAILUO = {"KREA_API_TOKEN": "a real one"}
    job = testing.make_submitted_job()
    call: dict[str, Any] = {"work": testing.work, "finish": lambda: testing.finish(job)}
    with pytest.raises(NoSandbox):
        call[helper]()
    job.refresh_from_db()
    assert job.status == Status.UNSENT


def test_the_rest_of_the_setting_stays_the_sites(settings: Settings) -> None:
    settings.HAILUO = {
        "PRICES": {"768p": {6: "9"}},
        "KREA_API_TOKEN": "a real one",
        "WEBHOOK_BASE_URL": "https://www.example.com",
    }
    with testing.sandbox(hailuo={"WEBHOOK_CONFIRM": True}) as krea:
        assert conf.PRICES["768p"][6] == 9
        assert conf.WEBHOOK_CONFIRM
        assert (krea.url, krea.token) == (conf.KREA_BASE_URL, conf.KREA_API_TOKEN)
        assert conf.WEBHOOK_BASE_URL == ""
    assert conf.KREA_BASE_URL == "https://api.krea.ai"


@pytest.mark.django_db(transaction=True)
def test_with_a_live_server_the_webhook_ends_the_job(live_server: LiveServer) -> None:
    webhooks = {"WEBHOOK_BASE_URL": live_server.url + "/"}
    with testing.sandbox(hailuo=webhooks, manual=True) as krea:
        job = testing.make_submitted_job()
        testing.work()
        krea.move(krea.jobs[0].id, "completed")
        event = JobEvent.objects.get(job=job, to_status=Status.COMPLETED)
        assert event.source == JobEvent.Source.WEBHOOK


class InATestCase(TestCase):
    """Where no transaction is ever committed."""

    databases = set(database_aliases())

    def test_receivers_hear_of_the_end(self) -> None:
        heard = []

        def receiver(job: VideoJob, **kwargs: Any) -> None:
            heard.append(job.status)

        job_completed.connect(receiver)
        self.addCleanup(job_completed.disconnect, receiver)
        with testing.sandbox():
            testing.finish(testing.make_submitted_job())
        self.assertEqual(heard, [Status.COMPLETED])


@pytest.mark.slow
def test_a_site_gets_the_fixture_as_a_plugin(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "conftest.py").write_text(HOST_CONFTEST)
    (tmp_path / "test_host.py").write_text(HOST_TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "host_settings.py").write_text(
        "from tests.settings import *\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--ds=host_settings"],
        capture_output=True,
        cwd=tmp_path,
        env=host_environment(tmp_path),
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def host_environment(directory: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(directory), *filter(None, sys.path)]),
        "PYTEST_ADDOPTS": "",
    }
