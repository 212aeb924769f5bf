"""The caller's last word: after connecting, before the first byte of the order."""

from __future__ import annotations

import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from hailuo_django.krea import errors
from hailuo_django.sandbox import Sandbox
from tests.krea.conftest import BODY, JOB_ID, Net, Peer, RawServer, answer, job


class LeaseLostError(Exception):
    pass


class Door:
    """A server that says when somebody has connected and when anything was read."""

    def __init__(self) -> None:
        self.connected = threading.Event()
        self.read = threading.Event()
        self.bytes = b""

    def script(self, peer: Peer) -> None:
        self.connected.set()
        # A TLS client that leaves early has not read everything, and so ends with a reset.
        with suppress(ConnectionResetError):
            self.bytes = peer.read_request()
        if self.bytes:
            peer.send(answer(200, job()))
        self.read.set()


@pytest.fixture(params=["http", "https"])
def door(request: pytest.FixtureRequest) -> Door:
    return Door()


@pytest.fixture
def server(
    door: Door,
    net: Net,
    request: pytest.FixtureRequest,
    certificate: Path,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> RawServer:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    secure = request.node.callspec.params["door"] == "https"
    return net.serve(script=door.script, context=tls if secure else None)


def test_it_is_asked_once_in_this_thread_when_connected_and_before_any_byte(
    net: Net, door: Door, server: RawServer
) -> None:
    def before_write() -> None:
        assert door.connected.wait(5)
        seen.append((threading.current_thread(), door.read.is_set()))

    seen: list[tuple[threading.Thread, bool]] = []
    report = net.client(server.url).generate(BODY, before_write=before_write)
    assert report.krea_job_id == JOB_ID
    assert seen == [(threading.current_thread(), False)]
    assert door.bytes.startswith(b"POST ")


@pytest.mark.parametrize(
    "refusal", [LeaseLostError(), BrokenPipeError(), ConnectionResetError(104, "x"), ValueError()]
)
def test_when_it_refuses_nothing_is_written(
    net: Net, door: Door, server: RawServer, refusal: Exception
) -> None:
    def before_write() -> None:
        assert door.connected.wait(5)
        raise refusal

    with pytest.raises(errors.NotSent) as caught:
        net.client(server.url).generate(BODY, before_write=before_write)
    assert caught.value.__cause__ is refusal
    assert door.read.wait(5)
    assert door.bytes == b""


def test_when_it_takes_all_the_time_nothing_is_written(
    net: Net, door: Door, server: RawServer
) -> None:
    def before_write() -> None:
        # The watch ends the connection at the deadline, which the server sees.
        assert door.read.wait(5)

    with pytest.raises(errors.NotSent):
        net.client(server.url, timeout_seconds=0.4).generate(BODY, before_write=before_write)
    assert door.bytes == b""


def test_it_is_not_asked_where_nobody_could_connect(net: Net, free_port: int) -> None:
    asked: list[bool] = []
    with pytest.raises(errors.NotSent):
        net.client(f"http://127.0.0.1:{free_port}").generate(
            BODY, before_write=lambda: asked.append(True)
        )
    assert asked == []


def test_what_it_raises_to_end_the_process_goes_through(krea: Sandbox, net: Net) -> None:
    def before_write() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        net.client(krea.url, token=krea.token).generate(BODY, before_write=before_write)
    assert krea.requests == []
