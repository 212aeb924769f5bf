"""What the stories about the client need: servers that do to the bytes what a script says."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.wire import generate_body
from hailuo_django.sandbox import Sandbox
from tests.servers import lacking

TOKEN = "0b9fdc1e-0000-4000-8000-5f5a2f0c9b4e:s3cr3t-half-of-the-token"
WEBHOOK_URL = "https://site.example/hailuo/webhook/eyJzIjoxfQ:1vAbCd:aSignatureOfManyLetters/"
JOB_ID = "6f1f7c3e-4b1c-4df5-9f6b-0a8c54f3f7f1"
BODY = generate_body(prompt="A cat", resolution="768p", duration=6)

Script = Callable[["Peer"], None]


def job(**changes: Any) -> dict[str, Any]:
    """A job as Krea answers it, with ``changes``."""
    return {
        "job_id": JOB_ID,
        "status": "queued",
        "created_at": "2026-11-01T12:00:00.000Z",
        "completed_at": None,
        "result": None,
    } | changes


def answer(status: int, body: object = b"", *headers: str, length: int | None = None) -> bytes:
    """The bytes of an HTTP answer; ``length`` overrides the Content-Length."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(content) if length is None else length
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + content


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self.connection = connection
        self.stopping = stopping

    def read_request(self) -> bytes:
        """Return the next whole request; empty when the client is gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (chunk := self.connection.recv(65536)):
                return data
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length and (chunk := self.connection.recv(65536)):
            body += chunk
        return head + b"\r\n\r\n" + body

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes, seconds_between: float = 0.02) -> None:
        """Send byte by byte, until the client has had enough."""
        for byte in data:
            self.connection.sendall(bytes([byte]))
            if self.stopping.wait(seconds_between):
                return

    def reset(self) -> None:
        """Close with a reset instead of an orderly end."""
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def hold(self) -> None:
        """Keep the connection open and silent until the test ends."""
        self.stopping.wait()


class RawServer:
    """A TCP (or TLS) server on a port of its own that runs ``script`` for each connection."""

    def __init__(self, script: Script | None, context: ssl.SSLContext | None = None) -> None:
        self.script = script or self._answer_all
        self.context = context
        self.requests: list[bytes] = []
        self.connections = 0
        self.answers: list[bytes] = []
        self.stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://localhost:{self.port}"
        self._start(self._accept)

    def close(self) -> None:
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self.stopping.is_set():
                connection, _ = self._listener.accept()
                self.connections += 1
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            if self.context is None:
                self.script(Peer(connection, self.stopping))
                return
            with self.context.wrap_socket(connection, server_side=True) as secure:
                self.script(Peer(secure, self.stopping))

    def _answer_all(self, peer: Peer) -> None:
        """Give every request the next of ``answers``, and the last one for ever."""
        while request := peer.read_request():
            self.requests.append(request)
            peer.send(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


class Net:
    """Starts servers and clients, and closes them after the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def serve(
        self, *answers: bytes, script: Script | None = None, context: ssl.SSLContext | None = None
    ) -> RawServer:
        server = RawServer(script, context)
        server.answers.extend(answers)
        self._stack.callback(server.close)
        return server

    def client(self, url: str, *, token: str = TOKEN, **options: Any) -> KreaClient:
        options = {"timeout_seconds": 5} | options
        return self._stack.enter_context(KreaClient(base_url=url, token=token, **options))


@pytest.fixture
def net() -> Iterator[Net]:
    with ExitStack() as stack:
        yield Net(stack)


@pytest.fixture
def krea() -> Iterator[Sandbox]:
    """The sandbox; its jobs stay until they are moved."""
    with Sandbox(manual=True) as sandbox:
        yield sandbox


@pytest.fixture
def client(krea: Sandbox, net: Net) -> KreaClient:
    """A client of the sandbox."""
    return net.client(krea.url, token=krea.token)


@pytest.fixture
def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, signed by nobody else, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        lacking("openssl")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
