"""An upstream may echo what it was sent; the token and the webhook URL come back to nobody."""

from __future__ import annotations

import html
import logging
import re
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any
from urllib.parse import quote

import pytest
from django.views.debug import ExceptionReporter

from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.text import redactor
from hailuo_django.sandbox import Sandbox
from tests.krea.conftest import BODY, JOB_ID, TOKEN, WEBHOOK_URL, Net, Peer, answer, job

PATH = "/hailuo/webhook/eyJzIjoxfQ:1vAbCd:aSignatureOfManyLetters/"
SIGNED = "eyJzIjoxfQ:1vAbCd:aSignatureOfManyLetters"
SECRETS = ("s3cr3t-half", "asignatureof")


def has_no_secret(text: str) -> bool:
    return not any(part in text.lower() for part in SECRETS)


def spellings(secret: str) -> list[str]:
    return [
        secret,
        quote(secret, safe=""),
        quote(secret, safe="").lower(),
        html.escape(secret),
        secret.replace("/", "\\/"),
        "".join(f"\\u{ord(letter):04x}" for letter in secret),
    ]


@pytest.mark.parametrize("secret", [TOKEN, WEBHOOK_URL, PATH, SIGNED])
def test_a_secret_is_taken_out_however_it_is_written(secret: str) -> None:
    redact = redactor(TOKEN, WEBHOOK_URL)
    for spelling in spellings(secret):
        redacted = redact(f"You sent {spelling} and more")
        assert redacted.startswith("You sent ")
        assert "[redacted]" in redacted
        assert redacted.endswith(" and more")
        assert has_no_secret(redacted)


def test_what_is_no_secret_stays_as_it_is() -> None:
    text = 'Sent \\u0041 to "https:\\/\\/gen.krea.ai\\/videos"'
    assert redactor(TOKEN, WEBHOOK_URL)(text) == text
    assert redactor("")(text) == text
    assert redactor("", "https://site.example/")(text) == text
    # The last word of a short path is a word, and stands in other texts too.
    assert redactor("", "https://site.example/webhook/videos")("videos") == "videos"


def echoes() -> Iterator[object]:
    for secret in (f"Bearer {TOKEN}", WEBHOOK_URL, SIGNED):
        for echoed in sorted(set(spellings(secret)[:4])):
            yield {"error": echoed}
            yield {"error": {"code": echoed, "message": echoed}}
            yield {"message": [echoed], "detail": [{"loc": [echoed], "msg": echoed}], "x": echoed}
        yield secret.encode()
        yield f'<p>{html.escape(secret)}</p>"{spellings(secret)[5]}"'.encode()


def kept(error: BaseException) -> str:
    """All that an error says, with everything it drags along."""
    said = ""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            said += f"{one!r} {one!s} {vars(one)!r}" + "".join(frames(one.__traceback__))
            todo += [one.__cause__, one.__context__]
    return said


def frames(traceback: TracebackType | None) -> Iterator[str]:
    """The variables of the package's own frames, as an error mail shows them."""
    while traceback is not None:
        if "hailuo_django" in traceback.tb_frame.f_globals["__name__"]:
            yield repr(traceback.tb_frame.f_locals)
        else:
            assert traceback.tb_frame.f_globals["__name__"].startswith("tests.")
        traceback = traceback.tb_next


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_no_error_repeats_a_secret(net: Net, status: int) -> None:
    for echo in echoes():
        client = net.client(net.serve(answer(status, echo)).url)
        with pytest.raises(errors.KreaError) as caught:
            client.generate(BODY, webhook_url=WEBHOOK_URL)
        assert has_no_secret(kept(caught.value))
        assert "[redacted]" in caught.value.raw


def test_no_report_repeats_a_secret(net: Net) -> None:
    echo = f"{TOKEN} {WEBHOOK_URL}"
    hostile = job(
        status="completed",
        result={"urls": [f"https://gen.krea.ai/{quote(TOKEN)}"], "error": echo},
        error={"code": echo, "message": echo},
        request={"authorization": f"Bearer {TOKEN}", "webhook": WEBHOOK_URL},
    )
    server = net.serve(answer(200, hostile, f"Deprecation: {echo}"))
    report = net.client(server.url).generate(BODY, webhook_url=WEBHOOK_URL)
    assert has_no_secret(repr(report))
    assert report.urls == ("https://gen.krea.ai/[redacted]",)


def test_a_secret_across_the_limit_of_a_text_is_taken_out_whole(net: Net) -> None:
    echo = "x" * (4000 - len(TOKEN) + 1) + TOKEN
    with pytest.raises(errors.Refused) as caught:
        net.client(net.serve(answer(400, {"error": echo})).url).generate(BODY)
    assert has_no_secret(kept(caught.value))


def test_a_look_repeats_no_webhook_token_of_any_request(net: Net) -> None:
    shape = re.compile(r"[a-z]+-1\.[A-Za-z]{20}")
    token = "abc-1." + "aSignatureOf" + "xyzxyzxy"
    echo = job(webhook_url=f"https://site.example/webhook/{token}/", message=token)
    page = {"items": [echo]}
    server = net.serve(answer(200, echo), answer(200, page), answer(404, echo))
    client = net.client(server.url, webhook_token=shape)
    assert has_no_secret(repr(client.get(JOB_ID)))
    assert has_no_secret(repr(client.list()))
    with pytest.raises(errors.NotFound) as caught:
        client.cancel(JOB_ID)
    assert has_no_secret(kept(caught.value))
    assert caught.value.message == "[redacted]"


def test_the_sandbox_echoes_and_nothing_is_kept(krea: Sandbox, net: Net) -> None:
    url = "http://127.0.0.1:9/webhook/" + SIGNED
    client = net.client(krea.url, token=krea.token)
    krea.misbehave("echo", times=None)
    report = client.generate(BODY, webhook_url=url)
    assert "[redacted]" in report.raw
    krea.misbehave("invalid_request")
    with pytest.raises(errors.Refused) as caught:
        client.generate(BODY, webhook_url=url)
    said = repr(report) + kept(caught.value)
    assert krea.token not in said
    assert SIGNED not in said


def lost(peer: Peer) -> None:
    peer.read_request()


def refuse() -> None:
    raise PermissionError("lease lost")


@pytest.mark.parametrize("before_write", [None, refuse])
def test_an_error_report_of_django_shows_no_secret(net: Net, before_write: object) -> None:
    client = net.client(net.serve(script=lost).url)
    try:
        order(client, before_write)
    except errors.KreaError:
        reporter = ExceptionReporter(None, *sys.exc_info())
    page = str(reporter.get_traceback_text())
    page += repr([frame["vars"] for frame in reporter.get_traceback_frames()])
    assert "generate" in page
    assert has_no_secret(page)


def order(client: KreaClient, before_write: object) -> None:
    client.generate(BODY, webhook_url=WEBHOOK_URL, before_write=before_write)  # type: ignore[arg-type]


@pytest.mark.proves("B7")
@pytest.mark.parametrize(
    "script",
    [
        lost,
        lambda peer: (peer.read_request(), peer.send(answer(200, job()))),
        lambda peer: (
            peer.read_request(),
            # What urllib3 cannot parse of the headers, it would log with a warning.
            peer.send(answer(400, b"", f"broken {TOKEN} {SIGNED}", "Content-Type: text/x")),
        ),
    ],
    ids=["lost", "taken", "broken headers"],
)
def test_no_log_record_of_any_logger_has_a_secret(
    net: Net, caplog: pytest.LogCaptureFixture, script: object
) -> None:
    caplog.set_level(logging.DEBUG)
    client = net.client(net.serve(script=script).url)  # type: ignore[arg-type]
    try:
        client.generate(BODY, webhook_url=WEBHOOK_URL)
    except errors.KreaError:
        logging.getLogger("tests").exception("It failed.")
    assert caplog.records
    assert has_no_secret(caplog.text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": f"{TOKEN}\n"},
        {"base_url": "https://krea.example?x=1"},
        {"timeout_seconds": 0},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_client_that_cannot_be_made_does_not_show_its_token(wrong: dict[str, Any]) -> None:
    right = {"base_url": "https://krea.example", "token": TOKEN, "timeout_seconds": 5}
    with pytest.raises(ValueError, match="token|URL|timeout") as caught:
        KreaClient(**{**right, **wrong})
    reporter = ExceptionReporter(None, caught.type, caught.value, caught.tb)
    ours = [frame for frame in reporter.get_traceback_frames() if "krea/" in frame["filename"]]
    client = [frame for frame in ours if frame["function"] == "__init__"]
    assert "[secret]" in repr(client)
    assert has_no_secret(repr(client) + str(caught.value))


def test_a_client_does_not_show_its_token(net: Net) -> None:
    client = net.client("http://krea.example")
    assert has_no_secret(repr(client))
