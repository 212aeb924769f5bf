"""What the stories about the sandbox need: a client of it, and a receiver of webhooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from hailuo_django.sandbox import Sandbox

GENERATE = "/generate/video/minimax/hailuo-02"


class Krea(Sandbox):
    """The sandbox together with a client that has its token, over one connection."""

    http: requests.Session

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self.http.request(
            method, self.url + path, timeout=10, allow_redirects=False, **kwargs
        )

    def generate(self, prompt: str = "A cat", webhook_url: str | None = None) -> requests.Response:
        headers = {"X-Webhook-URL": webhook_url} if webhook_url else {}
        return self.call("POST", GENERATE, json={"prompt": prompt}, headers=headers)

    def new_job(self, prompt: str = "A cat", webhook_url: str | None = None) -> str:
        """Submit a job that is accepted, and return its id."""
        answer = self.generate(prompt, webhook_url)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> Any:
        return self.call("GET", f"/jobs/{job_id}").json()


class KreaFactory:
    """Starts sandboxes and stops them after the test."""

    def __init__(self) -> None:
        self.started: list[Krea] = []

    def __call__(self, **kwargs: Any) -> Krea:
        krea = Krea(**kwargs)
        krea.http = requests.Session()
        krea.http.trust_env = False
        krea.http.headers["Authorization"] = f"Bearer {krea.token}"
        self.started.append(krea)
        return krea

    def stop(self) -> None:
        for krea in self.started:
            krea.http.close()
            krea.stop()


@pytest.fixture
def start() -> Iterator[KreaFactory]:
    """Starts a sandbox with the given options."""
    factory = KreaFactory()
    yield factory
    factory.stop()


@pytest.fixture
def krea(start: KreaFactory) -> Krea:
    """A sandbox whose jobs move by hand."""
    return start(manual=True)


class Receiver(ThreadingHTTPServer):
    """A site that receives webhooks: remembers their bodies, and answers ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ReceiverHandler)
        self.status = 200
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook/secret?a=1"

    @property
    def statuses(self) -> list[str]:
        return [json.loads(body)["status"] for body in self.bodies]


class _ReceiverHandler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
