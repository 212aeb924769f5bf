"""The sandbox announces ends as Krea does, and goes wrong about it as asked."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest
import requests

from hailuo_django.sandbox import Sandbox
from tests.sandbox.conftest import Krea, KreaFactory, Receiver


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_an_end_is_announced_once_with_the_job_as_json(
    krea: Krea, receiver: Receiver, status: str
) -> None:
    job_id = krea.new_job(webhook_url=receiver.url)

    assert krea.move(job_id, "processing") == []
    assert krea.move(job_id, status) == [200]

    (body,) = receiver.bodies
    assert json.loads(body) == krea.job(job_id)
    assert receiver.headers[0]["content-type"] == "application/json"
    assert "authorization" not in receiver.headers[0]
    assert krea.deliveries == [(job_id, status, 200, body)]


def test_a_job_without_a_webhook_url_ends_in_silence(krea: Krea) -> None:
    job_id = krea.new_job()

    assert krea.move(job_id, "completed") == []
    with pytest.raises(ValueError, match="without a webhook URL"):
        krea.deliver(job_id)


def test_an_end_can_be_held_back_and_delivered_later(krea: Krea, receiver: Receiver) -> None:
    job_id = krea.new_job(webhook_url=receiver.url)

    assert krea.move(job_id, "completed", deliver=False) == []
    assert receiver.bodies == []
    assert krea.deliver(job_id, times=2) == [200, 200]
    assert krea.deliver(job_id, status="failed") == [200]
    assert receiver.statuses == ["completed", "completed", "failed"]
    assert krea.job(job_id)["status"] == "completed"


def test_any_body_can_be_delivered(krea: Krea, receiver: Receiver) -> None:
    job_id = krea.new_job(webhook_url=receiver.url)

    krea.deliver(job_id, body={"job_id": "another"})
    krea.deliver(job_id, body="text")
    krea.deliver(job_id, body=b"\xff")

    assert receiver.bodies == [b'{"job_id": "another"}', b"text", b"\xff"]


def test_what_the_receiver_answers_is_reported_and_not_followed(
    krea: Krea, receiver: Receiver
) -> None:
    job_id = krea.new_job(webhook_url=receiver.url)
    answers = []
    for receiver.status in (302, 403, 503):
        answers += krea.deliver(job_id)

    assert answers == [302, 403, 503]
    assert len(receiver.bodies) == 3


def test_a_receiver_that_is_not_there_costs_nothing_but_the_webhook(krea: Krea) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    plain = krea.new_job(webhook_url=f"http://127.0.0.1:{port}")
    secure = krea.new_job(webhook_url=f"https://127.0.0.1:{port}/hook")

    assert krea.move(plain, "completed") == [None]
    assert krea.move(secure, "completed") == [None]
    assert [one.http_status for one in krea.deliveries] == [None, None]


def test_cancelling_is_announced(krea: Krea, receiver: Receiver) -> None:
    job_id = krea.new_job(webhook_url=receiver.url)
    krea.call("DELETE", f"/jobs/{job_id}")
    krea.call("DELETE", f"/jobs/{job_id}")
    krea.wait_idle()

    assert receiver.statuses == ["cancelled"]


@pytest.mark.parametrize(
    ("prompt", "statuses"),
    [
        ("A cat", ["completed"]),
        ("[no_webhook]", []),
        ("[duplicate_webhook]", ["completed"] * 5),
        ("[duplicate_webhook:2]", ["completed"] * 2),
        ("[reordered_webhook]", ["completed", "processing"]),
        ("[late_webhook:0.05]", ["completed"]),
    ],
)
def test_a_walk_ends_with_these_webhooks(
    start: KreaFactory, receiver: Receiver, prompt: str, statuses: list[str]
) -> None:
    krea = start(seconds=0.05)
    krea.new_job(prompt, receiver.url)
    krea.wait_idle()

    assert receiver.statuses == statuses


def test_a_late_webhook_comes_after_the_end(start: KreaFactory, receiver: Receiver) -> None:
    krea = start(seconds=0, misbehave=["late_webhook:0.5"])
    krea.new_job(webhook_url=receiver.url)
    krea.wait(lambda: krea.paid)
    ended = time.monotonic()
    assert receiver.bodies == []
    krea.wait_idle()

    assert time.monotonic() - ended > 0.3
    assert receiver.statuses == ["completed"]


def test_running_states_can_be_announced_too(krea: Krea, receiver: Receiver) -> None:
    job_id = krea.new_job("[running_webhook]", receiver.url)
    for status in ("processing", "sampling", "completed"):
        krea.move(job_id, status)

    assert receiver.statuses == ["processing", "sampling", "completed"]


def test_an_early_webhook_comes_before_the_answer_of_the_post(
    krea: Krea, receiver: Receiver
) -> None:
    answer = krea.generate("[early_webhook]", receiver.url)

    assert answer.json()["status"] == "backlogged"
    assert receiver.statuses == ["completed"]
    assert krea.job(answer.json()["job_id"])["status"] == "completed"


def test_an_early_webhook_may_come_twice_and_its_answer_not_at_all(
    krea: Krea, receiver: Receiver
) -> None:
    with pytest.raises(requests.ConnectionError):
        krea.generate("[early_webhook] [duplicate_webhook:2] [lost_answer]", receiver.url)

    assert receiver.statuses == ["completed", "completed"]


def test_a_webhook_can_name_another_job(krea: Krea, receiver: Receiver) -> None:
    job_id = krea.new_job("[webhook_other_job]", receiver.url)
    krea.move(job_id, "completed")

    assert json.loads(receiver.bodies[0])["job_id"] != job_id


def test_a_webhook_can_be_unreadable(krea: Krea, receiver: Receiver) -> None:
    krea.move(krea.new_job("[webhook_not_json]", receiver.url), "completed")

    with pytest.raises(ValueError):
        json.loads(receiver.bodies[0])


def test_a_webhook_can_be_too_large(krea: Krea, receiver: Receiver) -> None:
    krea.move(krea.new_job("[webhook_too_large]", receiver.url), "completed")

    assert len(receiver.bodies[0]) > 4 * 65536


def test_waiting_sees_what_happens_in_another_thread(krea: Krea) -> None:
    job_id = krea.new_job()
    mover = threading.Thread(target=krea.move, args=(job_id, "completed"))
    mover.start()

    assert krea.wait(lambda: krea.paid)[0].id == job_id
    mover.join()


def test_waiting_in_vain_tells_what_there_was(krea: Krea) -> None:
    krea.new_job()

    with pytest.raises(TimeoutError, match="backlogged"):
        krea.wait_idle(timeout=0.05)


def test_only_known_states_of_known_jobs_can_be_set(krea: Krea) -> None:
    job_id = krea.new_job()

    with pytest.raises(ValueError, match="No such state"):
        krea.move(job_id, "done")
    with pytest.raises(ValueError, match="No such job"):
        krea.move("none", "completed")


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="negative"):
        Sandbox(seconds=-1)
