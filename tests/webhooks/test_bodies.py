"""Whatever is sent to a valid address is answered 200 or 202, and is stored or ignored whole."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import socket
import struct
from typing import Any
from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIHandler
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from hailuo_django.sandbox import Sandbox
from hailuo_django.states import RUNNING, Status
from tests import effort
from tests.site import configure

from .rows import SITE, Pair, everything, look, post, running

pytestmark = pytest.mark.django_db

LIMIT = 65536

DAMAGED = {
    "nothing": b"",
    "no JSON": b"<html><body>Bad gateway</body></html>",
    "form": b"job_id=1&status=completed",
    "cut": b'{"job_id": "1", "status": "comp',
    "no UTF-8": b"\xff\xfe{}",
    "a list": b"[]",
    "null": b"null",
    "no job id": b'{"status": "completed"}',
    "a number as job id": b'{"job_id": 1, "status": "completed"}',
    "deep": b"[" * 30_000,
    "deep and closed": b'{"job_id": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
}

LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.just(10**399),
    st.text(st.characters()),
    st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3),
    st.sampled_from(["\x00", "\ud800", "", "completed", "a" * 5000, "https://gen.krea.ai/\u202e"]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)
KEYS = ["status", "result", "error", "created_at", "completed_at", "job_id", "type", "url", "urls"]
STATUSES = st.sampled_from([*Status.values, "upscaling", "Completed", "\x00", "x" * 300])


@pytest.mark.proves("B1")
@pytest.mark.parametrize("body", DAMAGED.values(), ids=DAMAGED.keys())
def test_what_cannot_be_read_makes_the_row_due_and_changes_nothing(
    krea: Sandbox, client: Client, body: bytes
) -> None:
    pair = running(krea)
    krea.move(pair.upstream.id, "completed", deliver=False)
    before, due = everything(), pair.submission.due_at

    assert post(client, pair.path, body) == 202

    jobs, _, events = everything()
    assert (jobs, events) == (before[0], before[2])
    now_due = pair.submission.due_at
    assert due and now_due and now_due < due
    look()
    assert pair.row.status == Status.COMPLETED


@pytest.mark.proves("B1")
@pytest.mark.slow
def test_no_body_makes_a_server_error(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    honest = json.loads(pair.news("completed"))

    @settings(max_examples=effort.ODD_BODIES)
    @given(STATUSES, st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
    def check(status: str, changes: dict[str, Any]) -> None:
        body = json.dumps(honest | {"status": status} | changes).encode()
        assert post(client, pair.path, body) in (200, 202)
        assert pair.row.status in Status.values
        assert pair.submission.krea_job_id == pair.upstream.id

    check()


@pytest.mark.slow
@pytest.mark.proves("B1")
def test_no_bytes_make_a_server_error(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    honest = pair.news("completed")

    @settings(max_examples=effort.DAMAGED_BODIES)
    @given(st.binary(max_size=30), st.integers(0, len(honest)), st.integers(0, 30))
    def check(noise: bytes, place: int, gone: int) -> None:
        body = honest[:place] + noise + honest[place + gone :]
        assert post(client, pair.path, body) in (200, 202)
        assert pair.row.status in {*RUNNING, Status.COMPLETED}

    check()


@pytest.mark.slow
@pytest.mark.proves("W1")
def test_without_a_valid_token_no_body_does_anything(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    path = pair.path.replace(pair.token, pair.token[:-1] + ("a" if pair.token[-1] != "a" else "b"))
    honest, before = json.loads(pair.news("completed")), everything()

    @settings(max_examples=effort.FORGED_BODIES)
    @given(STATUSES, st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
    def check(status: str, changes: dict[str, Any]) -> None:
        assert post(client, path, json.dumps(honest | {"status": status} | changes).encode()) == 403

    check()
    assert everything() == before


@pytest.mark.proves("B3")
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 202), (10 * LIMIT, 202)])
def test_the_limit_of_a_body_is_exact(
    krea: Sandbox, client: Client, size: int, status: int
) -> None:
    pair = running(krea)
    assert post(client, pair.path, pair.news("completed").ljust(size)) == status
    assert (pair.row.status == Status.COMPLETED) is (status == 200)


@pytest.mark.proves("B3")
@pytest.mark.parametrize("declared", ["", "nonsense", "-1", "9" * 30])
def test_a_length_that_says_nothing_is_no_error(
    krea: Sandbox, client: Client, declared: str
) -> None:
    pair = running(krea)
    assert post(client, pair.path, pair.news("completed"), CONTENT_LENGTH=declared) in (200, 202)


@pytest.mark.proves("B3")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 202)])
def test_a_body_of_undeclared_length_is_measured(krea: Sandbox, size: int, status: int) -> None:
    """A server that decodes chunked bodies hands them on without a length."""
    pair = running(krea)
    assert _post_chunks(pair, pair.news("completed").ljust(size)) == status
    assert (pair.row.status == Status.COMPLETED) is (status == 200)


def _post_chunks(pair: Pair, body: bytes) -> int:
    host = [(b"host", b"testserver"), (b"transfer-encoding", b"chunked")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": pair.path}
    scope |= {
        "headers": host,
        "query_string": b"",
        "server": ("testserver", 80),
        "http_version": "1.1",
    }
    chunks = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    parts = [{"type": "http.request", "body": part, "more_body": True} for part in chunks]
    parts.append({"type": "http.request", "body": b"", "more_body": False})
    answers: list[dict[str, Any]] = []

    async def receive() -> Any:
        return parts.pop(0) if parts else await asyncio.Event().wait()

    async def send(answer: Any) -> None:
        answers.append(answer)

    async_to_sync(ASGIHandler())(scope, receive, send)
    return int(answers[0]["status"])


class Endless(io.RawIOBase):
    """A body that never ends, and how much of it was read."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "all of it was asked for"
        self.taken += size
        return b" " * size


@pytest.mark.proves("B3")
@pytest.mark.parametrize("declared", [LIMIT, 100 * 1024 * 1024])
def test_of_an_endless_body_no_more_than_the_limit_is_read(
    krea: Sandbox, client: Client, declared: int
) -> None:
    pair, body = running(krea), Endless()
    told = {"CONTENT_LENGTH": str(declared), "wsgi.input": body}
    assert post(client, pair.path, b"", **told) == 202
    assert body.taken <= LIMIT


def test_a_larger_limit_is_the_sites_choice(
    krea: Sandbox, client: Client, settings: Settings
) -> None:
    configure(settings, krea, WEBHOOK_BASE_URL=SITE, WEBHOOK_MAX_BODY_BYTES=10)
    pair = running(krea)
    assert post(client, pair.path, pair.news("completed")) == 202
    configure(settings, krea, WEBHOOK_BASE_URL=SITE, WEBHOOK_MAX_BODY_BYTES=2 * LIMIT)
    assert post(client, pair.path, pair.news("completed").ljust(2 * LIMIT)) == 200


@pytest.mark.django_db(transaction=True)
class TestOverHTTP:
    """What happens on the line."""

    @pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
    def test_a_sender_that_hangs_up(self, live_krea: Sandbox, reset: bool) -> None:
        pair = running(live_krea)
        parts = urlsplit(pair.url)
        head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 500\r\n\r\n"
        with socket.create_connection((parts.hostname, parts.port)) as line:
            line.sendall(head.encode() + pair.news("completed")[:50])
            if reset:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        live_krea.wait(lambda: pair.submission.webhook_count == 1)
        assert pair.row.status in RUNNING
        live_krea.move(pair.upstream.id, "completed", deliver=False)
        look()
        assert pair.row.status == Status.COMPLETED

    def test_a_chunked_body_that_the_server_hands_on_unread(self, live_krea: Sandbox) -> None:
        """wsgiref does not decode chunks: no length, so nothing is read, and Krea is asked."""
        pair = running(live_krea)
        parts = urlsplit(pair.url)
        line = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        line.request("POST", parts.path, iter([pair.news("completed")]), encode_chunked=True)
        assert line.getresponse().status == 202
        line.close()
        assert pair.row.status in RUNNING
