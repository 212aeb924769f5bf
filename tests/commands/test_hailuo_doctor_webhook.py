"""``hailuo_doctor`` dials the site's own webhook address, as a sender would."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django.doctor import dial
from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.testing import make_submitted_job, sandbox
from hailuo_django.tokens import PATTERN
from hailuo_django.webhooks import REFUSAL
from hailuo_django.worker.sweep import sweep
from tests.krea.conftest import Net, Peer, RawServer, answer

from .doctor import finding, said

pytestmark = pytest.mark.django_db

OURS = answer(403, REFUSAL.encode())
FORM = b"<html><form method=post><input name=p type='password'></form>"


@pytest.fixture(autouse=True)
def krea() -> Iterator[Sandbox]:
    with sandbox(manual=True) as krea:
        yield krea


def dialed(settings: Settings, url: str, **more: Any) -> dict[str, Any]:
    """What the doctor finds behind this address."""
    settings.HAILUO = {**settings.HAILUO, "WEBHOOK_BASE_URL": url, **more}
    return finding("webhook")


def code(settings: Settings, server: RawServer) -> str:
    found = dialed(settings, server.url)
    assert found["level"] == "problem"
    assert found["fix"]
    return str(found["code"])


def test_a_site_that_takes_webhooks_is_well(settings: Settings, live_server: LiveServer) -> None:
    found = dialed(settings, live_server.url)
    assert (found["code"], found["level"]) == ("webhook.ok", "ok")


def every_row() -> dict[str, list[Any]]:
    alias = VideoJob.database()
    return {
        model._meta.label: list(model._default_manager.using(alias).order_by("pk").values())
        for model in apps.get_models()
    }


def test_to_dial_changes_no_row(settings: Settings, live_server: LiveServer) -> None:
    make_submitted_job()
    sweep()
    before = every_row()
    assert dialed(settings, live_server.url)["code"] == "webhook.ok"
    assert every_row() == before


def test_the_largest_webhook_goes_through(settings: Settings, live_server: LiveServer) -> None:
    found = dialed(settings, live_server.url, WEBHOOK_MAX_BODY_BYTES=1_000_000)
    assert found["code"] == "webhook.ok"


def test_a_host_that_is_not_allowed_is_named(settings: Settings, live_server: LiveServer) -> None:
    settings.ALLOWED_HOSTS = ["www.example.com"]
    found = dialed(settings, live_server.url)
    assert found["code"] == "webhook.host"
    assert "localhost is not in ALLOWED_HOSTS" in found["found"]


def test_a_host_that_a_proxy_changes_is_told_apart(settings: Settings, net: Net) -> None:
    server = net.serve(answer(400, b"<h1>Bad Request (400)</h1>"))
    found = dialed(settings, server.url)
    assert found["code"] == "webhook.host"
    assert "Host header" in found["fix"]


def test_a_wrong_prefix_is_a_404(settings: Settings, live_server: LiveServer) -> None:
    found = dialed(settings, f"{live_server.url}/shop")
    assert found["code"] == "webhook.prefix"
    assert "/shop/hailuo/webhook/[redacted]/" in found["found"]


def test_a_webhook_that_is_not_included_is_a_problem(settings: Settings) -> None:
    settings.ROOT_URLCONF = "hailuo_django.api.urls"
    assert dialed(settings, "https://www.example.com")["code"] == "webhook.no_url"


def test_a_redirect_is_told_and_not_followed(settings: Settings, net: Net) -> None:
    elsewhere = net.serve(OURS)
    server = net.serve(answer(301, b"", f"Location: {elsewhere.url}/hailuo/"))
    found = dialed(settings, server.url)
    assert found["code"] == "webhook.redirect"
    assert f"(301) to {elsewhere.url}/hailuo/." in found["found"]
    assert (len(server.requests), elsewhere.connections) == (1, 0)


@pytest.mark.parametrize(
    "bytes_answered",
    [
        answer(302, b"", "Location: /accounts/login/?next=/hailuo/"),
        answer(307, b"", "Location: https://sso.example.com/oauth2/start"),
        answer(401, b"", "WWW-Authenticate: Basic"),
        answer(200, FORM),
        answer(403, FORM),
    ],
)
def test_a_login_is_recognised(settings: Settings, net: Net, bytes_answered: bytes) -> None:
    assert code(settings, net.serve(bytes_answered)) == "webhook.login"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (403, b"Forbidden", "webhook.forbidden"),
        (403, b"CSRF verification failed.", "webhook.forbidden"),
        (404, b"", "webhook.prefix"),
        (413, b"", "webhook.large"),
        (500, b"", "webhook.broken"),
        (502, b"", "webhook.broken"),
        (200, b"Hello", "webhook.other"),
        (202, b"", "webhook.other"),
        (405, b"", "webhook.other"),
        (429, b"", "webhook.other"),
    ],
)
def test_whoever_else_answers(
    settings: Settings, net: Net, status: int, body: bytes, expected: str
) -> None:
    assert code(settings, net.serve(answer(status, body))) == expected


def test_a_proxy_that_takes_small_bodies_only_is_found(settings: Settings, net: Net) -> None:
    def script(peer: Peer) -> None:
        small = len(peer.read_request().partition(b"\r\n\r\n")[2]) < 1024
        peer.send(OURS if small else answer(413))

    found = dialed(settings, net.serve(script=script).url, WEBHOOK_MAX_BODY_BYTES=2000)
    assert found["code"] == "webhook.large"
    assert "2000 bytes (413)" in found["found"]


def test_a_site_that_signs_with_another_key_is_told_apart(settings: Settings, net: Net) -> None:
    assert code(settings, net.serve(OURS)) == "webhook.signature"


def test_a_site_whose_database_is_away_is_broken(settings: Settings, net: Net) -> None:
    assert code(settings, net.serve(OURS, answer(503))) == "webhook.broken"


def test_a_certificate_that_nobody_vouches_for_is_named(
    settings: Settings, net: Net, tls: ssl.SSLContext
) -> None:
    server = net.serve(OURS, context=tls)
    found = dialed(settings, server.url)
    assert found["code"] == "webhook.certificate"
    assert "self-signed" in found["found"] or "self signed" in found["found"]
    assert server.requests == []


def test_https_on_a_port_that_speaks_http_is_named(settings: Settings, net: Net) -> None:
    def script(peer: Peer) -> None:
        peer.connection.recv(65536)
        peer.send(answer(400))

    server = net.serve(script=script)
    found = dialed(settings, server.url.replace("http:", "https:"))
    assert found["code"] == "webhook.tls"


def test_where_nobody_listens_it_is_unreachable(settings: Settings, free_port: int) -> None:
    found = dialed(settings, f"http://127.0.0.1:{free_port}")
    assert found["code"] == "webhook.unreachable"
    assert "refused" in found["found"]


def test_a_name_without_an_address_is_named(settings: Settings) -> None:
    assert dialed(settings, "https://site.invalid")["code"] == "webhook.name"


def test_a_server_that_drips_does_not_hold_it_up(
    settings: Settings, net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "SECONDS", 1.5)

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)

    found = dialed(settings, net.serve(script=script).url)
    assert found["code"] == "webhook.silent"
    assert "No answer within 1.5 s" in found["found"]


def test_a_server_that_hangs_up_is_silent(settings: Settings, net: Net) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()

    assert code(settings, net.serve(script=script)) == "webhook.silent"


def test_no_token_is_printed_or_given_to_strangers(settings: Settings, net: Net) -> None:
    def script(peer: Peer) -> None:
        path = peer.read_request().split()[1]
        peer.send(answer(302, b"", f"Location: https://other.example{path.decode()}"))

    server = net.serve(script=script)
    settings.HAILUO = {**settings.HAILUO, "WEBHOOK_BASE_URL": server.url}
    text, _ = said()
    assert "https://other.example/hailuo/webhook/[redacted]/" in text
    assert not PATTERN.search(text)
    assert settings.HAILUO["KREA_API_TOKEN"] not in text


def test_what_is_sent_to_a_stranger_opens_nothing(settings: Settings, net: Net) -> None:
    server = net.serve(answer(404))
    dialed(settings, server.url)
    [request] = server.requests
    assert request.startswith(b"POST /hailuo/webhook/0000")
    assert b"authorization" not in request.lower()
    assert b"cookie" not in request.lower()
