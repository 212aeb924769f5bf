"""What needs attention is found in the database by the same rules that pages show it by."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from hailuo_django import results
from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox

from .rows import look_again, sent

pytestmark = pytest.mark.django_db

ADDRESSES = (
    "",
    "https://gen.krea.ai/v/1.mp4",
    "https://GEN.krea.ai:443/v/1.mp4",
    "http://gen.krea.ai/v/1.mp4",
    "https://gen.krea.ai:8443/v/1.mp4",
    "https://gen.krea.ai@evil.example/v/1.mp4",
    'https://gen.krea.ai/v"><script>alert(1)</script>.mp4',
    "https://elsewhere.example/v/1.mp4",
    "https://zzz.example/v/1.mp4",
    "http://127.0.0.1:8765/v.mp4",
    "https://[::1]:8765/v.mp4",
    "javascript:alert(1)",
    "https://" + "a" * 260 + ".example/v.mp4",
)


@pytest.mark.parametrize(
    "hosts",
    [["gen.krea.ai"], ["Gen.Krea.ai", "zzz.example", "127.0.0.1"], ["elsewhere.example"], []],
)
def test_what_is_flagged_is_found(settings: Settings, hosts: list[str]) -> None:
    settings.HAILUO = {"RESULT_HOSTS": hosts}
    VideoJob.objects.bulk_create(
        VideoJob(status="completed", result_url=url, result_host=results.link_host(url))
        for url in ADDRESSES
    )
    VideoJob.objects.create(prompt="a draft")

    flagged = {job.result_url for job in VideoJob.objects.flagged()}
    assert flagged == {job.result_url for job in VideoJob.objects.all() if job.is_flagged}


def test_a_video_that_gets_an_address_is_no_longer_flagged(krea: Sandbox) -> None:
    job = sent(prompt="[result_empty]")
    assert not VideoJob.objects.flagged().exists()

    krea.move(krea.jobs[0].id, "completed")
    look_again(job)
    assert VideoJob.objects.flagged().get() == job

    krea.jobs[0].result = {"urls": [f"{krea.url}/videos/1.mp4"]}
    assert look_again(job).video_url
    assert not VideoJob.objects.flagged().exists()
