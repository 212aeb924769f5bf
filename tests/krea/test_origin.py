"""Who gets to see the token: Krea at its address, over a verified connection, and nobody else."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from tests.krea.conftest import BODY, JOB_ID, TOKEN, Net, Peer, answer, job


@pytest.mark.proves("M6")
def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    net: Net, tls: ssl.SSLContext
) -> None:
    server = net.serve(answer(200, job()), context=tls)
    with pytest.raises(errors.NotSent, match="CERTIFICATE_VERIFY_FAILED"):
        net.client(server.url).generate(BODY)
    with pytest.raises(errors.Temporary, match="CERTIFICATE_VERIFY_FAILED"):
        net.client(server.url).get(JOB_ID)
    assert server.requests == []


def test_a_certificate_of_another_name_is_refused(
    net: Net, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = net.serve(answer(200, job()), context=tls)
    with pytest.raises(errors.NotSent, match="CERTIFICATE_VERIFY_FAILED"):
        net.client(f"https://127.0.0.1:{server.port}").generate(BODY)
    assert server.requests == []


def test_a_site_may_bring_its_own_authority(
    net: Net, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = net.serve(answer(200, job()), context=tls)
    client = net.client(server.url)
    assert client.generate(BODY).krea_job_id == JOB_ID
    assert client.get(JOB_ID).krea_job_id == client.get(JOB_ID).krea_job_id
    assert server.connections == 2


def test_tls_to_a_server_that_does_not_speak_it_is_certainly_not_sent(net: Net) -> None:
    server = net.serve(script=lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(errors.NotSent):
        net.client(server.url.replace("http:", "https:")).generate(BODY)


@pytest.mark.proves("M6")
def test_the_token_wins_over_a_netrc_entry(
    net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = net.serve(answer(200, job()))
    net.client(server.url).get(JOB_ID)
    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in server.requests[0]


@pytest.mark.proves("M6")
def test_a_redirect_is_not_followed(net: Net) -> None:
    canary = net.serve(answer(200, job()))
    server = net.serve(answer(307, b"", f"Location: {canary.url}/jobs/{JOB_ID}"))
    client = net.client(server.url)
    for ask in (lambda: client.get(JOB_ID), client.list, lambda: client.cancel(JOB_ID)):
        with pytest.raises(errors.Temporary) as caught:
            ask()
        assert caught.value.status == 307
    assert (len(server.requests), canary.connections) == (3, 0)


def test_cookies_are_not_kept(net: Net) -> None:
    server = net.serve(answer(200, job(), "Set-Cookie: session=1; Path=/"))
    client = net.client(server.url)
    client.get(JOB_ID)
    client.get(JOB_ID)
    assert b"ookie" not in server.requests[1]


def test_a_proxy_of_the_environment_is_used(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = net.serve(answer(200, job()))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    net.client("http://krea.example").generate(BODY)
    assert proxy.requests[0].startswith(b"POST http://krea.example/generate/")


@pytest.mark.parametrize(
    "script",
    [
        lambda peer: (peer.read_request(), peer.send(b"HTTP/1.1 407 No\r\n\r\n")),
        lambda peer: peer.read_request(),
        Peer.reset,
    ],
    ids=["refuses", "closes", "resets"],
)
def test_a_proxy_that_does_not_connect_us_is_certainly_not_sent_through(
    net: Net, monkeypatch: pytest.MonkeyPatch, script: object
) -> None:
    proxy = net.serve(script=script)  # type: ignore[arg-type]
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(errors.NotSent):
        net.client("https://krea.example").generate(BODY)
    assert proxy.connections == 1


def test_a_proxy_that_our_deadline_could_not_watch_is_refused(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://localhost:1")
    with pytest.raises(errors.NotSent, match="only HTTP proxies"):
        net.client("https://krea.example").generate(BODY)


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Evil: 1", "a b", "tök", "a\x00", "€"])
def test_a_token_that_is_no_header_is_refused_without_naming_it(token: str) -> None:
    with pytest.raises(ValueError, match="API token") as caught:
        KreaClient(base_url="https://api.krea.example", token=token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://a/\r\nX-Evil: 1", "http://a/ b", "http://a/ü", "http://a/€"]
)
def test_a_webhook_url_that_is_no_header_is_certainly_not_sent(net: Net, url: str) -> None:
    server = net.serve(answer(200, job()))
    with pytest.raises(errors.NotSent) as caught:
        net.client(server.url).generate(BODY, webhook_url=url)
    assert url not in str(caught.value)
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.krea.example",
        "ftp://api.krea.example",
        "https://",
        "https://user:word@api.krea.example",
        "https://api.krea.example/?x=1",
        "https://api.krea.example/#x",
        "https://api.krea.example:port",
        "https://[api",
    ],
)
def test_the_base_url_must_be_a_plain_address(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        KreaClient(base_url=url, token=TOKEN)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_the_time_must_be_some(seconds: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        KreaClient(base_url="https://api.krea.example", token=TOKEN, timeout_seconds=seconds)
