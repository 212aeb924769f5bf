"""One request has one total time, whatever the other side does with its bytes."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import pytest

from hailuo_django.krea import deadline, errors
from hailuo_django.sandbox import Sandbox
from tests.krea.conftest import BODY, JOB_ID, Net, Peer, answer, job

SECONDS = 1.0
MARGIN = 1.0
UNSUPPORTED_FAMILY = 255


class Given(NamedTuple):
    """A request, and how it has to end."""

    call: Callable[[], object]
    ends: type[Exception]


def give_up_in_time(*given: Given) -> None:
    """Make all the requests at once: each of them has a time of its own."""

    def give_up(one: Given) -> None:
        with within(SECONDS), pytest.raises(one.ends):
            one.call()

    with ThreadPoolExecutor(len(given)) as pool:
        list(pool.map(give_up, given))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds + MARGIN


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.hold()


def drips_headers(peer: Peer) -> None:
    peer.read_request()
    peer.drip(answer(200, job()))


def drips_body(peer: Peer) -> None:
    peer.read_request()
    head, _, body = answer(200, job()).partition(b"\r\n\r\n")
    peer.send(head + b"\r\n\r\n")
    peer.drip(body)


def drips_body_without_a_length(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    peer.drip(answer(200, job()).partition(b"\r\n\r\n")[2])


def drips_chunks(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"1\r\n{\r\n" * 1000)


def says_continue_for_ever(peer: Peer) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, seconds_between=0.001)


def does_not_hang_up(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + answer(200, job()).partition(b"\r\n\r\n")[2])
    peer.hold()


@pytest.mark.proves("M6")
@pytest.mark.parametrize(
    "script",
    [
        silent,
        drips_headers,
        drips_body,
        drips_body_without_a_length,
        drips_chunks,
        says_continue_for_ever,
    ],
)
def test_an_answer_that_does_not_come_in_time_is_given_up(net: Net, script: object) -> None:
    server = net.serve(script=script)  # type: ignore[arg-type]
    client = net.client(server.url, timeout_seconds=SECONDS)
    give_up_in_time(
        Given(partial(client.generate, BODY), errors.Ambiguous),
        Given(partial(client.get, JOB_ID), errors.Temporary),
        Given(client.list, errors.Temporary),
    )
    assert server.connections == 3


def test_a_whole_job_from_a_server_that_does_not_hang_up_is_taken_at_the_deadline(
    net: Net,
) -> None:
    # Long enough for the answer to arrive on a busy machine.
    client = net.client(net.serve(script=does_not_hang_up).url, timeout_seconds=2 * SECONDS)
    with within(2 * SECONDS):
        assert client.generate(BODY).krea_job_id == JOB_ID


def test_it_is_taken_although_a_busy_machine_notices_the_deadline_late(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LateTimer(threading.Timer):
        def __init__(self, interval: float, function: Callable[[], None]) -> None:
            super().__init__(interval + MARGIN / 2, function)

    monkeypatch.setattr("hailuo_django.krea.deadline.threading.Timer", LateTimer)
    client = net.client(net.serve(script=does_not_hang_up).url, timeout_seconds=2 * SECONDS)
    with within(2 * SECONDS):
        assert client.generate(BODY).krea_job_id == JOB_ID


@pytest.mark.parametrize("fault", ["late_answer", "drip"])
def test_the_sandbox_is_given_up_as_krea_would_be(krea: Sandbox, net: Net, fault: str) -> None:
    client = net.client(krea.url, token=krea.token, timeout_seconds=SECONDS)
    krea.misbehave(fault)
    with within(SECONDS), pytest.raises(errors.Ambiguous, match="1 s"):
        client.generate(BODY)
    assert len(krea.jobs) == 1


def test_a_server_that_does_not_read_is_given_up(net: Net) -> None:
    client = net.client(net.serve(script=Peer.hold).url, timeout_seconds=SECONDS)
    # More than the kernel keeps for a reader that does not come.
    with within(SECONDS), pytest.raises(errors.Ambiguous):
        client.generate(BODY | {"prompt": "x" * 16_000_000})


def test_a_handshake_that_does_not_end_is_certainly_not_sent(net: Net) -> None:
    server = net.serve(script=Peer.hold)
    client = net.client(server.url.replace("http:", "https:"), timeout_seconds=SECONDS)
    # By the deadline of the whole call, or by that of the handshake, which is as long.
    with within(SECONDS), pytest.raises(errors.NotSent, match=r"1 s|handshake .* timed out"):
        client.generate(BODY)


def test_a_handshake_that_drips_is_certainly_not_sent(net: Net) -> None:
    def script(peer: Peer) -> None:
        peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 10_000)

    client = net.client(net.serve(script=script).url.replace("http:", "https:"), timeout_seconds=1)
    with within(1), pytest.raises(errors.NotSent, match="1 s"):
        client.generate(BODY)


def test_a_connection_that_was_kept_open_is_watched_too(net: Net) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer(200, job()))
        drips_headers(peer)

    server = net.serve(script=script)
    client = net.client(server.url, timeout_seconds=SECONDS)
    client.get(JOB_ID)
    with within(SECONDS), pytest.raises(errors.Temporary):
        client.get(JOB_ID)
    assert server.connections == 1


@pytest.mark.parametrize("status", [200, 302, 400])
def test_an_endless_answer_is_not_read_to_its_end(net: Net, status: int) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(f"HTTP/1.1 {status} Word\r\nLocation: /x\r\n\r\n".encode())
        for _ in range(64):
            peer.send(b"x" * 2**20)
            sent.append(2**20)

    sent: list[int] = []
    server = net.serve(script=script)
    with pytest.raises(errors.KreaError):
        net.client(server.url, timeout_seconds=30).generate(BODY)
    server.close()
    assert sum(sent) < 32 * 2**20


def test_connecting_gets_only_its_part_of_the_time(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "MAX_CONNECT_SECONDS", SECONDS)
    server = net.serve(script=Peer.hold)
    client = net.client(server.url.replace("http:", "https:"), timeout_seconds=60)
    with within(SECONDS), pytest.raises(errors.NotSent, match="1 s"):
        client.generate(BODY)


def test_an_answer_may_take_longer_than_connecting_may(
    net: Net, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, certificate: object
) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.stopping.wait(2 * SECONDS)
        peer.send(answer(200, job()))

    monkeypatch.setattr(deadline, "MAX_CONNECT_SECONDS", SECONDS)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    client = net.client(net.serve(script=script, context=tls).url, timeout_seconds=60)
    assert client.generate(BODY).krea_job_id == JOB_ID


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that neither takes nor refuses connections: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.proves("M6")
def test_a_host_behind_a_black_hole_is_certainly_not_sent_to(net: Net, black_hole: int) -> None:
    client = net.client(f"http://127.0.0.1:{black_hole}", timeout_seconds=SECONDS)
    give_up_in_time(
        Given(partial(client.generate, BODY), errors.NotSent),
        Given(partial(client.get, JOB_ID), errors.Temporary),
    )


def resolve_to(
    monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int], family: int = socket.AF_INET
) -> None:
    """Let every name have an address of ``family`` first, and then ``addresses``."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]
    if family != socket.AF_INET:
        found.insert(0, (family, socket.SOCK_STREAM, 0, "", ("nowhere", 1)))  # type: ignore[arg-type]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)


def test_all_addresses_of_a_name_share_one_time(
    net: Net, black_hole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, *[("127.0.0.1", black_hole)] * 4)
    client = net.client("http://krea.example", timeout_seconds=SECONDS)
    with within(SECONDS), pytest.raises(errors.NotSent):
        client.generate(BODY)


def test_the_next_address_of_a_name_is_tried(
    net: Net, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = net.serve(answer(200, job()))
    addresses = [("127.0.0.1", free_port), ("127.0.0.1", server.port)]
    resolve_to(monkeypatch, *addresses, family=UNSUPPORTED_FAMILY)
    assert net.client("http://krea.example").generate(BODY).krea_job_id == JOB_ID


def test_a_name_without_addresses_is_certainly_not_sent_to(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch)
    with pytest.raises(errors.NotSent, match="no address"):
        net.client("http://krea.example").generate(BODY)


def test_after_a_slow_name_lookup_nothing_is_written(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup = socket.getaddrinfo

    def slow_lookup(*args: object, **kwargs: object) -> object:
        threading.Event().wait(2 * SECONDS)
        return lookup(*args, **kwargs)  # type: ignore[arg-type]

    server = net.serve(answer(200, job()))
    monkeypatch.setattr(socket, "getaddrinfo", slow_lookup)
    with pytest.raises(errors.NotSent):
        net.client(server.url, timeout_seconds=SECONDS).generate(BODY)
    assert server.connections == 0


class LateTimer(threading.Timer):
    """Fires in the very moment in which it is cancelled, always."""

    def cancel(self) -> None:
        fired.append(self)


fired: list[threading.Timer] = []


def test_a_timer_that_fires_too_late_ends_nothing(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        for timer in fired:
            timer.join(5)
        peer.send(answer(200, job()))

    fired.clear()
    monkeypatch.setattr(threading, "Timer", LateTimer)
    monkeypatch.setattr(deadline, "MAX_CONNECT_SECONDS", SECONDS)
    client = net.client(net.serve(script=script).url, timeout_seconds=2)
    assert client.generate(BODY).krea_job_id == JOB_ID
    assert len(fired) == 2
    for timer in fired:
        timer.join(5)


def test_without_a_watch_nothing_is_written(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(timer: threading.Timer) -> None:
        raise RuntimeError("can't start new thread")

    server = net.serve(answer(200, job()))
    monkeypatch.setattr(threading.Timer, "start", start)
    with pytest.raises(errors.NotSent, match="new thread"):
        net.client(server.url).generate(BODY)
    assert server.connections == 0


def test_nothing_of_the_watch_is_left_behind(krea: Sandbox, net: Net) -> None:
    before = set(threading.enumerate())
    client = net.client(krea.url, token=krea.token, timeout_seconds=3600)
    report = client.generate(BODY)
    client.get(report.krea_job_id)
    for thread in set(threading.enumerate()) - before:
        if isinstance(thread, threading.Timer):
            thread.join(5)
            assert not thread.is_alive()
