"""The sockets: HTTP/1.1 over threads, and lines that break in every way. Logs nothing at all."""

from __future__ import annotations

import re
import socket
import struct
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import media
from .answers import Answer, error
from .api import Api, Request
from .clock import Clock

_MAX_BODY_BYTES = 10 * 1024 * 1024


class Server(ThreadingHTTPServer):
    """Serves one Api. Stopping it closes every connection, also the idle ones."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: Api) -> None:
        self.api = api
        self._open: set[socket.socket] = set()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Serve nobody any more."""
        self.api.upstream.clock.stop()
        self.shutdown()
        self.server_close()
        for line in list(self._open):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection. Keeps it alive unless a misbehaviour or the client ends it."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def handle(self) -> None:
        # A client that goes away is no error of ours.
        with suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._read_body()
        if body is None:
            self.close_connection = True
            self._send(error(400, "The length of the body is missing, unreadable or too large."))
        elif media.is_media(path):
            self._send(media.serve(self.server.api.upstream, path, self.headers.get("Range")))
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            port = self.client_address[1]
            self._answer(
                self.server.api.handle(Request(self.command, path, query, headers, body, port))
            )

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,9}", length):
            return None
        return self.rfile.read(int(length)) if int(length) <= _MAX_BODY_BYTES else None

    def _answer(self, answer: Answer) -> None:
        # The job goes on behind a slow answer, and otherwise after it.
        slow = answer.manner in ("late", "drip")
        try:
            if slow and answer.after:
                answer.after()
            self._send(answer)
        finally:
            if not slow and answer.after:
                answer.after()

    def _send(self, answer: Answer) -> None:
        if answer.manner in ("lost", "cut"):
            self.close_connection = True
        whole = self._head(answer) + (b"" if self.command == "HEAD" else answer.body)
        match answer.manner:
            case "lost":
                return
            case "reset":
                self._reset()
            case "cut":
                self.wfile.write(whole[: len(whole) - len(answer.body) // 2])
            case "drip":
                self._drip(whole, answer.seconds)
            case _:
                if self._clock.sleep(answer.seconds):
                    self.wfile.write(whole)

    @property
    def _clock(self) -> Clock:
        return self.server.api.upstream.clock

    def _drip(self, whole: bytes, seconds: float) -> None:
        for place in range(len(whole)):
            if not self._clock.sleep(seconds):
                return
            self.wfile.write(whole[place : place + 1])

    def _reset(self) -> None:
        self.close_connection = True
        # A close that waits for nothing tells the other side that the line broke.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())

    def _head(self, answer: Answer) -> bytes:
        phrase = HTTPStatus(answer.status).phrase if answer.status else ""
        headers = {
            # Inferred: every HTTP server sends it, and it tells Krea's clock.
            "Date": self.date_time_string(self._clock.now().timestamp()),
            **answer.headers,
            "Content-Length": str(len(answer.body)),
            **({"Connection": "close"} if self.close_connection else {}),
        }
        lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    # Log nothing: requests carry secrets.
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
