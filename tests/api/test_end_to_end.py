"""From a POST over real HTTP to a video that plays."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django.sandbox import Sandbox
from hailuo_django.worker.sweep import sweep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def krea(settings: Settings, live_server: LiveServer) -> Any:
    with Sandbox(seconds=0.2) as sandbox:
        settings.HAILUO = {
            "KREA_API_TOKEN": sandbox.token,
            "KREA_BASE_URL": sandbox.url,
            "WEBHOOK_BASE_URL": live_server.url,
            "RESULT_HOSTS": ["127.0.0.1"],
        }
        yield sandbox


def test_a_program_gets_its_video(krea: Sandbox, live_server: LiveServer) -> None:
    user = User.objects.create_user("ada", password="correct horse")
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["add_videojob", "submit_videojob"])
    )
    program = requests.Session()
    program.auth = ("ada", "correct horse")

    jobs = live_server.url + reverse("hailuo_django_api:job-list")
    accepted = program.post(jobs, json={"prompt": "A lighthouse at dusk"}, timeout=10)
    assert accepted.status_code == 202
    assert krea.posts == []

    sweep()
    krea.wait_idle(10)

    job = program.get(accepted.headers["Location"], timeout=10).json()
    assert (job["status"], job["price_usd"], job["spent_usd"]) == ("completed", "0.2835", "0.2835")
    assert job["submissions"][0]["krea_job_id"] == krea.jobs[0].id
    video = requests.get(job["video_url"], timeout=10)
    assert (video.headers["Content-Type"], video.content[4:8]) == ("video/mp4", b"ftyp")

    events = program.get(f"{accepted.headers['Location']}events/", timeout=10).json()["results"]
    assert (events[0]["source"], events[0]["action"]) == ("api", "submit")
    assert (events[-1]["source"], events[-1]["to_status"]) == ("webhook", "completed")
    secrets = (krea.token, "/webhook/")
    assert not any(secret in f"{job}{events}" for secret in secrets)
