"""Every job ends, whatever becomes of its webhooks and of the answers to looks.

A worker comes once a minute; the minutes pass in the rows and on the sandbox's clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.conf import conf
from hailuo_django.models import Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import ENDED
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.core.rows import pass_time, submitted

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MINUTE = 60
LONGEST_VIDEO_MINUTES = 20
PATIENCE_MINUTES = 60
LARGEST_JITTER = 1.2

ENDS = {"completed": 8, "failed": 1, "cancelled": 1}
WEBHOOKS = {
    "": 48,
    "[no_webhook]": 30,
    "[duplicate_webhook:2]": 10,
    "[reordered_webhook]": 10,
    "[webhook_not_json]": 2,
}
LOOKS = {"": 83, "server_error": 10, "late_answer": 5, "garbage": 2}
"""What becomes of an answer to a look, in hundredths."""


class Minutes:
    """Jobs under way at Krea, each of which ends in some minute."""

    def __init__(self, krea: Sandbox, words: dict[str, int]) -> None:
        self.krea = krea
        self.dice = random.Random(3)  # noqa: S311 - the same in every run
        for number in range(effort.JOBS_WITHOUT_NEWS):
            submitted(prompt=f"video {number} {self.draw(words)}")
        while sweep():
            pass
        self.ends = {
            one.id: (self.dice.randint(1, LONGEST_VIDEO_MINUTES), self.draw(ENDS))
            for one in krea.jobs
        }
        self.heard: dict[str, int] = {}
        """The minute in which the site knew of the end."""

    def draw(self, weights: dict[str, int]) -> str:
        return self.dice.choices([*weights], [*weights.values()])[0]

    def pass_until_all_ended(self, before_looking: Callable[[], None] = lambda: None) -> None:
        for minute in range(1, PATIENCE_MINUTES):
            pass_time(self.krea, MINUTE)
            for krea_job_id, (ends_in, status) in self.ends.items():
                if ends_in == minute:
                    self.krea.move(krea_job_id, status)
            before_looking()
            while sweep():
                pass
            for krea_job_id in ended():
                self.heard.setdefault(krea_job_id, minute)
            if len(self.heard) == len(self.ends):
                return

    def seconds_unheard(self) -> list[int]:
        """For how long the site did not know of the end, for each job."""
        return [(self.heard[one] - self.ends[one][0]) * MINUTE for one in self.ends]


def ended() -> list[Any]:
    rows = Submission.objects.filter(status__in=ENDED)
    return list(rows.values_list("krea_job_id", flat=True))


def check_ends(krea: Sandbox) -> None:
    """Each job has the end that it has at Krea, and was sent once."""
    assert len(krea.posts) == len(krea.jobs) == effort.JOBS_WITHOUT_NEWS
    upstream = {one.body["prompt"]: one for one in krea.jobs}
    for job in VideoJob.objects.all():
        assert job.status == upstream[job.prompt].status
        assert job.status in ENDED
        assert bool(job.video_url) == upstream[job.prompt].billed


@pytest.mark.proves("R3")
def test_without_any_webhook_every_end_is_known_after_one_interval(live_krea: Sandbox) -> None:
    minutes = Minutes(live_krea, {"[no_webhook]": 1})

    minutes.pass_until_all_ended()

    check_ends(live_krea)
    assert live_krea.deliveries == []
    interval = conf.POLL_MAX_INTERVAL_SECONDS * LARGEST_JITTER
    assert max(minutes.seconds_unheard()) <= interval + MINUTE


@pytest.mark.proves("R3")
def test_with_every_kind_of_trouble_every_job_ends(live_krea: Sandbox, settings: Settings) -> None:
    minutes = Minutes(live_krea, WEBHOOKS)
    settings.HAILUO = {**settings.HAILUO, "KREA_TIMEOUT_SECONDS": 1}

    def trouble() -> None:
        live_krea.behave()
        for _look in range(Submission.objects.due(timezone.now()).count()):
            if fault := minutes.draw(LOOKS):
                live_krea.misbehave(fault, on="get")

    minutes.pass_until_all_ended(trouble)

    check_ends(live_krea)
