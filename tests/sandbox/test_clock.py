"""The sandbox's clock can be put forward, so that nobody has to wait for what comes late."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from tests.sandbox.conftest import GENERATE, Krea, KreaFactory, Receiver


def test_jobs_and_answers_tell_the_time_of_kreas_clock(krea: Krea) -> None:
    before = krea.now
    krea.advance(3600)
    job = krea.job(krea.new_job())
    date = krea.call("GET", "/jobs").headers["Date"]

    for moment in (datetime.fromisoformat(job["created_at"]), parsedate_to_datetime(date)):
        assert timedelta(seconds=3595) < moment - before < timedelta(seconds=3660)


def test_a_request_that_is_late_makes_its_job_only_then(krea: Krea) -> None:
    with pytest.raises(requests.Timeout):
        krea.http.post(krea.url + GENERATE, json={"prompt": "[late_request:90]"}, timeout=0.2)
    assert (len(krea.posts), krea.jobs) == (1, [])

    before = krea.now
    krea.advance(90)
    (job,) = krea.wait(lambda: krea.jobs)

    assert job.created_at - before >= timedelta(seconds=90)


def put_forward(krea: Krea, done: bool) -> bool:
    """Let ten minutes pass unless this is ``done``."""
    if not done:
        krea.advance(600)
    return done


def test_a_late_request_is_answered_whoever_waited_so_long(krea: Krea) -> None:
    answers: list[requests.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(krea.generate("[late_request:3000]")))
    waiting.start()
    krea.wait(lambda: put_forward(krea, bool(krea.jobs)))
    waiting.join()

    assert answers[0].json()["job_id"] == krea.jobs[0].id


def test_jobs_walk_and_webhooks_leave_by_this_clock(start: KreaFactory, receiver: Receiver) -> None:
    krea = start(seconds=3600, misbehave=["late_webhook:3600"])
    krea.new_job(webhook_url=receiver.url)

    krea.wait(lambda: put_forward(krea, bool(krea.paid)))
    assert receiver.bodies == []
    krea.wait(lambda: put_forward(krea, bool(receiver.bodies)))
    assert receiver.statuses == ["completed"]


def test_stopping_ends_the_wait_of_a_late_request(start: KreaFactory) -> None:
    krea = start(manual=True)
    with pytest.raises(requests.Timeout):
        krea.http.post(krea.url + GENERATE, json={"prompt": "[late_request]"}, timeout=0.2)
    krea.stop()

    assert krea.jobs == []


def test_the_clock_is_never_put_back(krea: Krea) -> None:
    with pytest.raises(ValueError, match="backwards"):
        krea.advance(-1)
