"""What becomes of one order: how each end of the POST is told, and that it is never repeated."""

from __future__ import annotations

import json

import pytest

from hailuo_django import __version__
from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.wire import GENERATE_PATH, generate_body
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import FailureCode
from tests.krea.conftest import BODY, JOB_ID, TOKEN, WEBHOOK_URL, Net, Peer, answer, job

JOB = json.dumps(job()).encode()


def test_an_order_that_krea_takes_comes_back_with_its_id(krea: Sandbox, client: KreaClient) -> None:
    report = client.generate(BODY, webhook_url="http://127.0.0.1:9/hook")
    (created,) = krea.jobs
    assert (report.krea_job_id, report.status) == (created.id, "backlogged")
    assert created.webhook_url == "http://127.0.0.1:9/hook"
    assert created.body == BODY


def test_the_request_has_exactly_what_krea_documents(net: Net) -> None:
    server = net.serve(answer(200, job()))
    net.client(server.url + "/prefix/").generate(BODY, webhook_url=WEBHOOK_URL)
    (request,) = server.requests
    head, _, body = request.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0] == f"POST /prefix{GENERATE_PATH} HTTP/1.1"
    assert dict(line.split(": ", 1) for line in lines[1:]) == {
        "Host": f"localhost:{server.port}",
        "User-Agent": f"hailuo_django/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Webhook-URL": WEBHOOK_URL,
        "Authorization": f"Bearer {TOKEN}",
    }
    assert json.loads(body) == BODY


def test_images_are_in_the_body_only_when_there_are_any() -> None:
    assert generate_body(prompt="A cat", resolution="512p", duration=10) == {
        "prompt": "A cat",
        "expand_prompt": True,
        "resolution": "512p",
        "duration": 10,
    }
    images = generate_body(
        prompt="A cat",
        start_image="https://a.example/1.png",
        end_image="https://a.example/2.png",
        expand_prompt=False,
        resolution="1080p",
        duration=6,
    )
    assert images["start_image"] == "https://a.example/1.png"
    assert images["end_image"] == "https://a.example/2.png"
    assert images["expand_prompt"] is False


ENDS: dict[str, type[errors.KreaError]] = {
    "invalid_request": errors.Refused,
    "forbidden": errors.Refused,
    "model_unavailable": errors.Refused,
    "validation": errors.Refused,
    "unauthorized": errors.AccountProblem,
    "payment_required": errors.AccountProblem,
    "rate_limited": errors.RateLimited,
    "server_error": errors.Ambiguous,
    "server_error_accepted": errors.Ambiguous,
    "bad_gateway_html": errors.Ambiguous,
    "redirect": errors.Ambiguous,
    "garbage": errors.Ambiguous,
    "lost_request": errors.Ambiguous,
    "lost_answer": errors.Ambiguous,
    "cut_answer": errors.Ambiguous,
}


@pytest.mark.proves("M3")
@pytest.mark.parametrize(("fault", "end"), ENDS.items())
def test_each_trouble_is_told_by_what_may_be_done_next_and_asked_once(
    krea: Sandbox, client: KreaClient, fault: str, end: type[errors.KreaError]
) -> None:
    krea.misbehave(fault)
    with pytest.raises(errors.KreaError) as caught:
        client.generate(BODY)
    assert type(caught.value) is end
    assert [(method, path) for method, path, _ in krea.requests] == [("POST", GENERATE_PATH)]


NO_WORD_OF_KREAS = (b"", b"<h1>x</h1>", b"[]", b"null", b"\xff")


@pytest.mark.parametrize("status", [400, 403, 404, 410, 422])
def test_only_krea_can_refuse_for_good_and_a_gateway_may_have_passed_it_on(
    net: Net, status: int
) -> None:
    for body in NO_WORD_OF_KREAS:
        client = net.client(net.serve(answer(status, body)).url)
        with pytest.raises(errors.Ambiguous) as caught:
            client.generate(BODY)
        assert caught.value.status == status
    client = net.client(net.serve(answer(status, {"error": "no"})).url)
    with pytest.raises(errors.Refused):
        client.generate(BODY)


@pytest.mark.parametrize("body", [*NO_WORD_OF_KREAS, b'{"error": "no"}'])
@pytest.mark.parametrize(
    ("status", "end"),
    [
        *[(status, errors.AccountProblem) for status in (401, 402)],
        (429, errors.RateLimited),
        *[(status, errors.Ambiguous) for status in (200, 201, 202, 204, 206)],
        *[(status, errors.Ambiguous) for status in (103, 301, 302, 303, 304, 307, 308)],
        *[(status, errors.Ambiguous) for status in (405, 407, 408, 409, 413, 418, 425, 499)],
        *[(status, errors.Ambiguous) for status in (500, 502, 503, 504, 599, 999)],
    ],
)
def test_the_status_decides_whatever_the_body_is(
    net: Net, status: int, end: type[errors.KreaError], body: bytes
) -> None:
    canary = net.serve(answer(200, job()))
    server = net.serve(answer(status, body, f"Location: {canary.url}/"))
    with pytest.raises(errors.KreaError) as caught:
        net.client(server.url).generate(BODY)
    assert type(caught.value) is end
    assert caught.value.status == status
    assert len(server.requests) == 1
    assert canary.connections == 0


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_job_id_counts_with_any_success(net: Net, status: int) -> None:
    server = net.serve(answer(status, job()))
    assert net.client(server.url).generate(BODY).krea_job_id == JOB_ID


@pytest.mark.proves("M3")
@pytest.mark.parametrize("kept", range(0, len(answer(200, JOB)), 9))
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_an_answer_cut_anywhere_leaves_the_outcome_unknown(
    net: Net, kept: int, reset: bool
) -> None:
    def script(peer: Peer) -> None:
        arrived.append(peer.read_request())
        peer.send(answer(200, JOB)[:kept])
        if reset:
            peer.reset()

    arrived: list[bytes] = []
    server = net.serve(script=script)
    with pytest.raises(errors.Ambiguous):
        net.client(server.url).generate(BODY)
    assert (len(arrived), server.connections) == (1, 1)


def test_a_connection_reset_before_the_request_is_read_leaves_the_outcome_unknown(
    net: Net,
) -> None:
    def script(peer: Peer) -> None:
        # One byte tells that the client is writing; reset any earlier, it may not have begun.
        peer.connection.recv(1)
        peer.reset()

    server = net.serve(script=script)
    with pytest.raises(errors.Ambiguous):
        net.client(server.url).generate(BODY)
    assert server.connections == 1


def test_a_refusal_is_certain_even_when_its_body_is_cut(net: Net) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer(400, b'{"error": "no', length=500))

    with pytest.raises(errors.Refused) as caught:
        net.client(net.serve(script=script).url).generate(BODY)
    assert caught.value.raw == '{"error": "no'


def test_a_whole_job_in_a_cut_answer_is_not_thrown_away(net: Net) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer(200, JOB, length=len(JOB) + 100))

    report = net.client(net.serve(script=script).url).generate(BODY)
    assert report.krea_job_id == JOB_ID


def test_an_answer_of_a_size_that_no_job_has_is_unreadable(net: Net) -> None:
    server = net.serve(answer(200, job(padding="x" * 1024 * 1024)))
    with pytest.raises(errors.Ambiguous) as caught:
        net.client(server.url).generate(BODY)
    assert len(caught.value.raw) == 16 * 1024


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 70000])
def test_what_is_not_http_leaves_the_outcome_unknown(net: Net, garbage: bytes) -> None:
    server = net.serve(garbage)
    with pytest.raises(errors.Ambiguous):
        net.client(server.url).generate(BODY)


def test_every_order_has_its_own_connection(net: Net) -> None:
    server = net.serve(answer(200, job()))
    client = net.client(server.url)
    for _ in range(3):
        client.generate(BODY)
        client.get(JOB_ID)
    # Three for the orders, one for all the looks together.
    assert server.connections == 4


def test_a_refused_connection_may_be_tried_again(net: Net, free_port: int) -> None:
    with pytest.raises(errors.NotSent, match="refused"):
        net.client(f"http://127.0.0.1:{free_port}").generate(BODY)


def test_a_name_that_does_not_exist_may_be_tried_again(net: Net) -> None:
    with pytest.raises(errors.NotSent):
        net.client("http://krea.invalid").generate(BODY)


def test_without_a_token_nothing_is_sent(krea: Sandbox, net: Net) -> None:
    client = net.client(krea.url, token="")
    with pytest.raises(errors.AccountProblem):
        client.generate(BODY)
    assert krea.requests == []


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, {"error": "Prompt is too long"}, FailureCode.INVALID_REQUEST),
        (400, {"error": "Your prompt was flagged as NSFW"}, FailureCode.MODERATION),
        (422, {"message": "content policy violation"}, FailureCode.MODERATION),
        (403, {"error": {"code": "moderation_blocked"}}, FailureCode.MODERATION),
        (403, {"error": "no"}, FailureCode.INVALID_REQUEST),
        (404, {"error": "Not found"}, FailureCode.MODEL_UNAVAILABLE),
        (410, {"error": "gone"}, FailureCode.MODEL_UNAVAILABLE),
        (400, {"error": "model_unavailable", "message": "x"}, FailureCode.MODEL_UNAVAILABLE),
    ],
)
def test_a_refusal_is_sorted_into_our_failure_codes(
    net: Net, status: int, body: object, verdict: FailureCode
) -> None:
    with pytest.raises(errors.Refused) as caught:
        net.client(net.serve(answer(status, body)).url).generate(BODY)
    assert caught.value.failure_code == verdict


NOW = "Date: Sun, 01 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((), None),
        (("Retry-After: 7",), 7),
        (("Retry-After: 0",), 0),
        (("Retry-After: 1.5",), 1.5),
        (("Retry-After: " + "9" * 5000,), 3600),
        (("Retry-After: -5",), None),
        (("Retry-After: nan",), None),
        (("Retry-After: inf",), None),
        (("Retry-After: soon",), None),
        (("Retry-After: Sun, 01 Nov 2026 12:00:30 GMT", NOW), 30),
        (("Retry-After: Sun, 01 Nov 2026 12:00:30 -0000", NOW), 30),
        (("Retry-After: Sun, 01 Nov 2026 11:00:00 GMT", NOW), 0),
        (("Retry-After: Sun, 01 Nov 2020 11:00:00 GMT",), 0),
        (("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", NOW), 3600),
        (("Retry-After: Fri, 31 Dec 99999999999999999999 23:59:59 GMT", NOW), None),
        (("Retry-After: Fri, 31 Dec 9999 23:59:59 -9999", NOW), None),
    ],
)
def test_how_long_to_wait_is_a_sane_number_of_seconds(
    net: Net, headers: tuple[str, ...], seconds: float | None
) -> None:
    with pytest.raises(errors.RateLimited) as caught:
        net.client(net.serve(answer(429, {"error": "slow"}, *headers)).url).generate(BODY)
    assert caught.value.retry_after == seconds


def test_krea_announces_the_end_of_a_model_on_a_success(net: Net) -> None:
    sunset = "Sunset: Thu, 31 Dec 2026 23:59:59 GMT"
    server = net.serve(answer(200, job(), "Deprecation: true", sunset), answer(200, job()))
    client = net.client(server.url)
    assert client.generate(BODY).deprecation == f"Deprecation: true; {sunset}"
    assert client.generate(BODY).deprecation == ""
