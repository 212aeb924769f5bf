"""Every misbehaviour of the sandbox, met as a client meets it."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import requests

from hailuo_django.sandbox import MISBEHAVIOURS, Sandbox
from tests.sandbox.conftest import GENERATE, Krea, KreaFactory, Receiver

REFUSALS = [
    ("unauthorized", 401),
    ("invalid_request", 400),
    ("moderated_request", 400),
    ("payment_required", 402),
    ("forbidden", 403),
    ("unknown_endpoint", 404),
    ("model_unavailable", 410),
    ("validation", 422),
    ("rate_limited", 429),
    ("server_error", 500),
    ("other_refusal:409", 409),
    ("other_refusal:413", 413),
    ("unavailable", 503),
    ("bad_gateway_html", 502),
    ("redirect", 302),
]


@pytest.mark.parametrize(("name", "status"), REFUSALS)
def test_a_refused_post_makes_no_job(krea: Krea, name: str, status: int) -> None:
    assert krea.generate(f"A cat [{name}]").status_code == status
    assert [(post.status, post.job_id) for post in krea.posts] == [(status, None)]
    assert krea.jobs == []


def test_refusals_have_the_shapes_that_were_documented_or_seen(krea: Krea) -> None:
    assert set(krea.generate("[payment_required]").json()) == {"message"}
    assert krea.generate("[moderated_request]").json()["error"]["code"] == "moderation"
    assert krea.generate("[model_unavailable]").json()["error"] == "model_unavailable"
    assert krea.generate("[validation]").json()["issues"][0]["path"] == ["prompt"]
    assert krea.generate("[bad_gateway_html]").headers["Content-Type"].startswith("text/html")


def test_a_redirect_that_is_followed_is_seen(krea: Krea) -> None:
    requests.post(
        krea.url + GENERATE,
        json={"prompt": "[redirect]"},
        headers={"Authorization": f"Bearer {krea.token}"},
        timeout=10,
    )

    assert krea.requests == [("POST", GENERATE, 302), ("GET", "/redirected", 404)]


@pytest.mark.parametrize(("option", "header"), [("", None), (":2", "2"), (":1.5", "1.5")])
def test_a_rate_limit_may_say_how_long_it_lasts(
    krea: Krea, option: str, header: str | None
) -> None:
    assert krea.generate(f"[rate_limited{option}]").headers.get("Retry-After") == header


def test_a_rate_limit_may_name_a_date(krea: Krea) -> None:
    krea.misbehave("rate_limited", retry_after="Mon, 01 Jun 2026 00:00:00 GMT")

    assert krea.generate().headers["Retry-After"].startswith("Mon, 01 Jun")


@pytest.mark.parametrize(
    ("name", "how"), [("lost_request", "RemoteDisconnected"), ("cut_request", "ConnectionReset")]
)
def test_a_lost_request_arrives_and_makes_no_job(krea: Krea, name: str, how: str) -> None:
    with pytest.raises(requests.ConnectionError, match=how):
        krea.generate(f"[{name}]")

    assert [(post.status, post.job_id) for post in krea.posts] == [(None, None)]
    assert krea.jobs == []


def test_the_answer_of_an_accepted_post_is_lost(krea: Krea) -> None:
    with pytest.raises(requests.ConnectionError):
        krea.generate("[lost_answer]")

    (job,), (post,) = krea.jobs, krea.posts
    assert (post.status, post.job_id) == (None, job.id)


def test_the_answer_of_an_accepted_post_is_cut(krea: Krea) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        krea.generate("[cut_answer]")

    assert len(krea.jobs) == 1


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("garbage", 200),
        ("empty_answer", 200),
        ("answer_without_id", 200),
        ("server_error_accepted", 500),
        ("gateway_timeout", 504),
    ],
)
def test_the_answer_of_an_accepted_post_says_something_else(
    start: KreaFactory, name: str, status: int
) -> None:
    krea = start(seconds=0.05)
    answer = krea.generate(f"[{name}]")
    krea.wait_idle()

    assert answer.status_code == status
    assert "job_id" not in answer.text
    assert [job.id for job in krea.paid] == [krea.posts[0].job_id]


@pytest.mark.parametrize(
    ("name", "status"),
    [("answer_with_number", 200), ("answer_in_list", 200), ("other_success:204", 204)],
)
def test_the_answer_of_an_accepted_post_has_another_shape(
    krea: Krea, name: str, status: int
) -> None:
    answer = krea.generate(f"[{name}]")

    assert answer.status_code == status
    assert not answer.text.startswith('{"job_id": "')
    assert len(krea.jobs) == 1


@pytest.mark.parametrize("end", ["completed", "failed"])
def test_a_job_may_have_ended_in_the_answer_of_its_post(
    krea: Krea, receiver: Receiver, end: str
) -> None:
    answer = krea.generate(f"[{end}_at_once]", receiver.url)
    krea.wait_idle()

    assert answer.json()["status"] == end
    assert receiver.statuses == [end]
    assert len(krea.paid) == (end == "completed")


def test_a_late_answer_comes_after_the_job_went_on(start: KreaFactory) -> None:
    krea = start(seconds=0)
    began = time.monotonic()
    answer = krea.generate("[late_answer:0.3]")

    assert time.monotonic() - began >= 0.3
    assert answer.json()["status"] == "backlogged"
    assert krea.paid


@pytest.mark.parametrize("prompt", ["[late_answer:0.05]", "[drip:0.0001]", "A cat"])
def test_a_job_walks_once_whether_its_answer_is_slow_or_not(
    start: KreaFactory, prompt: str
) -> None:
    krea = start(seconds=0.5)
    krea.new_job(prompt)
    krea.wait_idle()

    (job,) = krea.jobs
    assert len(job.history) == len(set(job.history)) == 7


def test_a_dripped_answer_comes_byte_by_byte_headers_included(krea: Krea) -> None:
    began = time.monotonic()
    answer = krea.generate("[drip:0.002]")

    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.002 * len(answer.content + str(answer.headers).encode())


@pytest.mark.parametrize("prompt", ["[late_answer]", "[drip]"])
def test_stopping_ends_a_slow_answer(start: KreaFactory, prompt: str) -> None:
    krea = start(manual=True)
    with pytest.raises(requests.Timeout):
        krea.http.post(krea.url + GENERATE, json={"prompt": prompt}, timeout=0.2)
    began = time.monotonic()
    krea.stop()

    assert time.monotonic() - began < 2


def test_stopping_closes_idle_connections(start: KreaFactory) -> None:
    krea = start(manual=True)
    krea.call("GET", "/jobs")
    krea.stop()

    with pytest.raises(requests.ConnectionError):
        krea.call("GET", "/jobs")
    assert krea.requests == [("GET", "/jobs", 200)]


@pytest.mark.parametrize(
    ("name", "code"), [("moderation", "moderation"), ("fails", "provider_error")]
)
def test_a_job_fails_with_a_reason_and_without_a_bill(
    start: KreaFactory, name: str, code: str
) -> None:
    krea = start(seconds=0.05)
    job_id = krea.new_job(f"[{name}]")
    krea.wait_idle()

    job = krea.job(job_id)
    assert (job["status"], job["error"]["code"], job["result"]) == ("failed", code, None)
    assert job["completed_at"]
    assert krea.paid == []


def test_the_error_may_be_in_the_result(krea: Krea) -> None:
    job_id = krea.new_job("[error_in_result]")
    krea.move(job_id, "failed")

    assert "error" not in krea.job(job_id)
    assert isinstance(krea.job(job_id)["result"]["error"], str)


def test_an_error_may_be_hostile(krea: Krea) -> None:
    job_id = krea.new_job("[hostile_text]")
    krea.move(job_id, "failed")

    message = krea.job(job_id)["error"]["message"]
    assert len(message) > 100_000
    assert "\0" not in message
    for hostile in ("<script>", "\r\n", "\x1b", "\u202e"):
        assert hostile in message


def test_a_stuck_job_stays_where_it_is(start: KreaFactory) -> None:
    krea = start(seconds=0)
    krea.new_job("[stuck]")
    krea.wait(lambda: krea.jobs[0].status == "processing")

    with pytest.raises(TimeoutError):
        krea.wait_idle(timeout=0.1)
    assert krea.jobs[0].history[-1] == "processing"


def test_an_unknown_state_comes_between(start: KreaFactory) -> None:
    krea = start(seconds=0)
    krea.new_job("[unknown_status]")
    krea.wait_idle()

    assert "upscaling" in krea.jobs[0].history
    assert krea.jobs[0].status == "completed"


def test_results_come_in_other_shapes(krea: Krea) -> None:
    def result(prompt: str) -> object:
        job_id = krea.new_job(prompt)
        krea.move(job_id, "completed")
        text = str(krea.job(job_id)["result"]).replace(krea.url, "KREA")
        return text.replace(job_id, "ID")

    assert result("[urls_as_objects]") == str(
        {"urls": [{"type": "video", "url": "KREA/videos/ID.mp4"}]}
    )
    assert result("[urls_as_map]") == str({"urls": {"video": "KREA/videos/ID.mp4"}})
    assert result("[result_empty]") == "{}"
    assert result("[foreign_result_host]") == str(
        {"urls": ["https://videos.example.com/videos/ID.mp4"]}
    )
    assert len(krea.paid) == 4


def test_a_list_lags_behind(krea: Krea) -> None:
    job_id = krea.new_job("[lagging_list:30]")

    def listed() -> list[str]:
        return [job["job_id"] for job in krea.call("GET", "/jobs").json()["items"]]

    assert krea.job(job_id)["job_id"] == job_id
    assert listed() == []
    krea.advance(30)
    assert listed() == [job_id]


def test_a_missing_job_is_accepted_listed_and_never_found(krea: Krea) -> None:
    job_id = krea.new_job("[missing]")

    assert krea.call("GET", f"/jobs/{job_id}").status_code == 404
    assert krea.call("DELETE", f"/jobs/{job_id}").status_code == 404
    assert len(krea.call("GET", "/jobs").json()["items"]) == 1


def test_secrets_are_echoed_in_jobs_errors_and_webhooks(krea: Krea, receiver: Receiver) -> None:
    refused = krea.generate("[echo] [invalid_request]", receiver.url).json()
    job_id = krea.new_job("[echo]", receiver.url)
    krea.move(job_id, "failed")
    shown = krea.job(job_id)

    for text in (refused["error"], str(shown["error"]), str(shown["request"])):
        assert krea.token in text
    assert receiver.url in refused["error"] + str(shown["error"])
    assert krea.token in receiver.bodies[0].decode()


def test_secrets_are_echoed_wherever_there_is_a_place(krea: Krea) -> None:
    krea.misbehave("echo", times=None)
    krea.misbehave("payment_required", on="list")
    krea.misbehave("bad_gateway_html", on="list")
    job_id = krea.new_job()

    assert krea.token in krea.call("GET", "/jobs").json()["message"]
    assert krea.token not in krea.call("GET", "/jobs").text
    assert krea.token in krea.job(job_id)["request"]["authorization"]
    assert krea.call("DELETE", f"/jobs/{job_id}").content == b""


def test_the_next_requests_misbehave_in_the_order_asked_for(krea: Krea) -> None:
    krea.misbehave("server_error", times=2)
    krea.misbehave("rate_limited", on="list")
    krea.misbehave("fails")
    statuses = [krea.call("GET", "/jobs").status_code for _ in range(4)]
    job_id = krea.new_job()
    krea.move(job_id, "failed")

    assert statuses == [500, 500, 429, 200]
    assert krea.job(job_id)["error"]["code"] == "provider_error"


def test_what_a_new_job_is_to_meet_waits_for_a_post_that_is_accepted(krea: Krea) -> None:
    krea.misbehave("rate_limited")
    krea.misbehave("webhook_not_json")
    assert krea.generate().status_code == 429
    krea.new_job()

    assert krea.jobs[0].faults == {"webhook_not_json": None}


def test_misbehaving_lasts_until_told_to_behave(krea: Krea) -> None:
    krea.misbehave("server_error", times=None, on="get")
    job_id = krea.new_job()
    assert [krea.call("GET", f"/jobs/{job_id}").status_code for _ in range(3)] == [500] * 3
    krea.behave()

    assert krea.call("GET", f"/jobs/{job_id}").status_code == 200


def test_every_job_meets_what_the_sandbox_was_started_with(start: KreaFactory) -> None:
    krea = start(misbehave=["rate_limited:7", "missing"], manual=True)

    assert [krea.generate().headers["Retry-After"] for _ in range(2)] == ["7", "7"]
    assert krea.call("GET", "/jobs").status_code == 200


@pytest.mark.parametrize("prompt", ["[rate_limited:soon]", "[fails:1]", "[drip:]", "[drip:-1]"])
def test_a_misbehaviour_with_an_impossible_option_is_refused(krea: Krea, prompt: str) -> None:
    answer = krea.generate(prompt)

    assert answer.status_code == 400
    assert prompt.strip("[]") in answer.json()["error"]


def test_camera_commands_are_no_misbehaviours(krea: Krea) -> None:
    krea.new_job("[push in] A cat. [truck left, pan_right] [shake]")

    assert krea.jobs[0].faults == {}


def test_misbehaviours_that_do_not_exist_are_refused(krea: Krea) -> None:
    for wrong in ("nonsense", "nonsense:1", "fails:1", "drip:x"):
        with pytest.raises(ValueError, match="No such misbehaviour"):
            Sandbox(misbehave=[wrong])
    with pytest.raises(ValueError, match="No such misbehaviour"):
        krea.misbehave("nonsense")
    with pytest.raises(ValueError, match="no option"):
        krea.misbehave("fails", seconds=1)
    with pytest.raises(ValueError, match="cannot act on"):
        krea.misbehave("fails", on="list")


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_no_misbehaviour_writes_a_secret_anywhere(
    start: KreaFactory,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:
    late = dict.fromkeys(["late_request", "late_answer", "late_webhook"], ":0.05")
    slow = late | {"drip": ":0.0001"}
    krea = start(token="canary-api-token", seconds=0.02)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, logger="urllib3")  # the client of this test
    with suppress(requests.RequestException):
        krea.generate(f"A cat [{name}{slow.get(name, '')}]", receiver.url)
    if name != "stuck":
        krea.wait_idle()
    krea.stop()

    written = caplog.text + "".join(capfd.readouterr())
    assert krea.token not in written
    assert urlsplit(receiver.url).path not in written
