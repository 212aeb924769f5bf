"""Webhook tokens and the API token reach no log, no mail, no page, no answer, no task, no table."""

from __future__ import annotations

import copy
import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import django
import pytest
import requests
from django.apps import apps
from django.contrib.auth.models import User
from django.core import mail
from django.core.handlers.wsgi import WSGIHandler
from django.core.mail import EmailMessage
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.log import AdminEmailHandler
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django.models import KreaAccount, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.tokens import Addressee, make_token
from hailuo_django.worker import tasks
from hailuo_django.worker.sweep import sweep
from tests.site import configure
from tests.trouble import failing_at

from .rows import SITE, Pair, look, post, running, unconfirmed

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = "c0ffee00-cafe-4bad-babe-feedfacef00d:canary-of-the-api-token"

ADMINS: Any = ["admin@site.example"]
if django.VERSION < (6, 0):
    ADMINS = [("Admin", "admin@site.example")]


class Eavesdropper(logging.Handler):
    """Hears every record of every logger, and mails warnings and errors to the admins."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.texts: list[str] = []
        self.mailers = [AdminEmailHandler(include_html=html) for html in (False, True)]

    def emit(self, record: logging.LogRecord) -> None:
        # Before the formatter, which leaves its text on the record.
        self.texts += [record.getMessage(), repr(record.args), str(record.msg)]
        self.texts.append(logging.Formatter().format(copy.copy(record)))
        if record.levelno >= logging.WARNING:
            self._mail(record)

    def _mail(self, record: logging.LogRecord) -> None:
        mailers, self.mailers = self.mailers, []  # to render a mail is to log, too
        for mailer in mailers:
            mailer.emit(copy.copy(record))
        self.mailers = mailers


@pytest.fixture
def heard(settings: Settings) -> Iterator[Callable[[], str]]:
    """All that was logged and mailed since, at level DEBUG, as one text."""
    settings.ADMINS = ADMINS
    ear = Eavesdropper()
    loggers = [logging.root, *map(logging.getLogger, logging.root.manager.loggerDict)]
    before = [(one, one.level) for one in loggers]
    ends = [one for one, _ in before if one is logging.root or not one.propagate]
    for one, _ in before:
        one.setLevel(logging.DEBUG)
    for one in ends:
        one.addHandler(ear)
    yield lambda: "\n".join([*ear.texts, *map(_mail_text, mail.outbox)])
    for one in ends:
        one.removeHandler(ear)
    for one, level in before:
        one.setLevel(level)


def _mail_text(message: EmailMessage) -> str:
    return message.message().as_string() + "".join(
        str(part) for part in [message.subject, message.body, getattr(message, "alternatives", "")]
    )


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox(manual=True, token=CANARY) as sandbox:
        configure(settings, sandbox, WEBHOOK_BASE_URL=SITE)
        yield sandbox


def signature(pair: Pair) -> str:
    """The part of a token without which it is worth nothing."""
    return pair.token.rpartition(".")[2]


def leaks(text: str, pairs: list[Pair]) -> list[str]:
    """The secrets in ``text``."""
    secrets = [CANARY, CANARY.partition(":")[2], *map(signature, pairs)]
    return [secret for secret in secrets if secret in text]


def that_raises(get_response: Any) -> Any:
    """A host's middleware with a bug, which knows the path."""

    def middleware(request: HttpRequest) -> HttpResponse:
        path = request.path
        raise RuntimeError(f"the site's own bug, {len(path)} letters from its door")

    return middleware


def that_reads(get_response: Any) -> Any:
    """A host's middleware that wants the whole body."""

    def middleware(request: HttpRequest) -> HttpResponse:
        assert request.body
        answer: HttpResponse = get_response(request)
        return answer

    return middleware


def with_middleware(settings: Settings, name: str) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"tests.webhooks.test_secrets.{name}"]


Refusal = Callable[[Client, Pair, Settings], int]


def no_such_host(client: Client, pair: Pair, settings: Settings) -> int:
    return post(client, pair.path, headers={"Host": "evil.example"})


def no_such_host_for_https(client: Client, pair: Pair, settings: Settings) -> int:
    settings.SECURE_SSL_REDIRECT = True
    return post(client, pair.path, headers={"Host": "evil.example"})


def expired(client: Client, pair: Pair, settings: Settings) -> int:
    settings.HAILUO = {**settings.HAILUO, "WEBHOOK_MAX_AGE_SECONDS": -1}
    return post(client, pair.path)


def signed_with_a_lost_key(client: Client, pair: Pair, settings: Settings) -> int:
    settings.SECRET_KEY = "the new key"
    return post(client, pair.path)


def no_slash(client: Client, pair: Pair, settings: Settings) -> int:
    settings.APPEND_SLASH = False
    return post(client, pair.path.rstrip("/"))


def beyond(client: Client, pair: Pair, settings: Settings) -> int:
    return post(client, f"{pair.path}beyond/")


def wrong_method(client: Client, pair: Pair, settings: Settings) -> int:
    return client.get(pair.path).status_code


def too_large_for_the_host(client: Client, pair: Pair, settings: Settings) -> int:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    with_middleware(settings, "that_reads")
    return post(client, pair.path, b"x" * 1000)


def host_with_a_bug(client: Client, pair: Pair, settings: Settings) -> int:
    with_middleware(settings, "that_raises")
    return post(client, pair.path)


def our_own_fault(client: Client, pair: Pair, settings: Settings) -> int:
    with failing_at(2):
        return post(client, pair.path, _echoing(pair))


def _echoing(pair: Pair) -> bytes:
    echo = {"authorization": f"Bearer {CANARY}", "webhook_url": pair.url}
    return json.dumps(json.loads(pair.news("completed")) | {"request": echo}).encode()


@pytest.mark.proves("B7")
@pytest.mark.parametrize(
    ("refusal", "statuses"),
    [
        (no_such_host, {400}),
        (no_such_host_for_https, {400}),
        (expired, {403}),
        (signed_with_a_lost_key, {403}),
        (no_slash, {404}),
        (beyond, {404}),
        (wrong_method, {405}),
        (too_large_for_the_host, {400, 413}),
        (host_with_a_bug, {500}),
        (our_own_fault, {503}),
    ],
)
def test_an_answer_that_django_logs_and_mails_names_no_token(
    krea: Sandbox,
    heard: Callable[[], str],
    settings: Settings,
    refusal: Refusal,
    statuses: set[int],
) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    pair = running(krea)
    assert refusal(client, pair, settings) in statuses

    text = heard()
    assert "/hailuo/webhook/[webhook token]" in text, "the path was named"
    assert leaks(text, [pair]) == []


@pytest.mark.proves("B7")
@pytest.mark.parametrize(
    "mistake",
    [
        {"KREA_API_TOKEN": f"{CANARY}\n"},
        {"KREA_BASE_URL": "https://api.krea.ai?x=1"},
        {"KREA_TIMEOUT_SECONDS": 0},
    ],
    ids=lambda mistake: next(iter(mistake)),
)
def test_the_mail_about_a_wrong_setting_does_not_show_the_api_token(
    krea: Sandbox, heard: Callable[[], str], settings: Settings, mistake: dict[str, Any]
) -> None:
    settings.HAILUO = {**settings.HAILUO, **mistake}
    assert tasks.sweep() == "failed"

    text = heard()
    assert "_talk_to_krea" in text, "the frames were shown, with their variables"
    assert "[secret]" in text
    assert leaks(text, []) == []


def test_a_page_that_says_no_names_no_token(krea: Sandbox, settings: Settings) -> None:
    pair = running(krea)
    client = Client(raise_request_exception=False)
    for refusal in (beyond, wrong_method, signed_with_a_lost_key, host_with_a_bug):
        refusal(client, pair, settings)
        page = client.post(pair.path)
        assert leaks(page.content.decode() + str(page.headers), [pair]) == []


def test_the_development_server_names_no_token(krea: Sandbox, heard: Callable[[], str]) -> None:
    pair = running(krea)
    with WSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as server:
        server.set_app(WSGIHandler())
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}{pair.path}"
        # A PUT is refused before any query: this thread has no database.
        line = requests.Request("PUT", url).prepare()
        answer = _send_quietly(line)
        thread.join()
    assert answer == 405
    assert "PUT /hailuo/webhook/[webhook token]/ HTTP/1.1" in heard()
    assert leaks(heard(), [pair]) == []


def _send_quietly(prepared: requests.PreparedRequest) -> int:
    """Send as a stranger would, from a process of which the site hears no log."""
    logging.getLogger("urllib3").disabled = True
    logging.getLogger("urllib3.connectionpool").disabled = True
    try:
        with requests.Session() as session:
            return session.send(prepared, timeout=10).status_code
    finally:
        logging.getLogger("urllib3").disabled = False
        logging.getLogger("urllib3.connectionpool").disabled = False


@pytest.mark.parametrize("spelling", [str, lambda text: text.replace("-", "\\u002d")])
def test_a_body_full_of_secrets_leaves_none(
    krea: Sandbox, client: Client, spelling: Callable[[str], str]
) -> None:
    pair = unconfirmed(krea)
    for secret in (pair.token, CANARY, pair.url):
        assert post(client, pair.path, b'{"job_id": "%s"}' % spelling(secret).encode()) == 202
        told = json.loads(pair.news("failed")) | {"error": {"code": secret, "message": secret}}
        told["status"] = "failed " + secret
        assert post(client, pair.path, json.dumps(told).encode()) == 202
        assert leaks(_tables(), [pair]) == []
    assert pair.submission.candidate_id == pair.upstream.id


@pytest.mark.slow
@pytest.mark.proves("B7")
def test_a_whole_life_with_a_krea_that_echoes_leaves_no_secret_anywhere(
    settings: Settings, live_server: LiveServer, heard: Callable[[], str]
) -> None:
    connections[VideoJob.database()].force_debug_cursor = True
    try:
        with Sandbox(manual=True, token=CANARY, misbehave=["echo"]) as krea:
            configure(settings, krea, WEBHOOK_BASE_URL=live_server.url)
            pairs = _live(krea)
            texts = {
                "tables": _tables(),
                "tasks": _tasks(),
                "pages": _pages(pairs),
                "log and mail": heard(),
            }
    finally:
        connections[VideoJob.database()].force_debug_cursor = False

    assert "[redacted]" in texts["tables"], "Krea did echo"
    assert "hailuo_django.worker.tasks" in texts["tasks"]
    assert "INSERT INTO" in texts["log and mail"], "statements were heard with their values"
    assert {where: leaks(text, pairs) for where, text in texts.items()} == dict.fromkeys(texts, [])


def _live(krea: Sandbox) -> list[Pair]:
    """Every way that a job can go."""
    ways = {"completes": "completed", "[fails]": "failed", "[error_in_result]": "failed"}
    pairs = []
    for prompt, end in ways.items():
        pair = running(krea, prompt)
        pairs.append(pair)
        krea.move(pair.upstream.id, "processing")
        look()
        krea.move(pair.upstream.id, end)
        assert pair.row.status == end
    pairs.append(lost := running(krea, "[lost_answer]"))
    krea.move(lost.upstream.id, "completed")
    pairs.append(cancelled := running(krea, "is cancelled"))
    cancelled.row.cancel()
    look()
    assert (lost.row.status, cancelled.row.status) == (Status.COMPLETED, Status.CANCELLED)
    for refusal in ("invalid_request", "validation", "forbidden", "model_unavailable"):
        VideoJob(prompt=f"[{refusal}]").submit()
    VideoJob(prompt="[server_error]").submit()
    sweep()
    for refusal in ("unauthorized", "payment_required", "rate_limited"):
        VideoJob(prompt=f"[{refusal}]").submit()
        sweep()
        KreaAccount.objects.update(send_after=None, look_after=None)
    return pairs


def _tables() -> str:
    return "\n".join(
        repr(row) for model in apps.get_models() for row in model._default_manager.values()
    )


def _tasks() -> str:
    return "\n".join(repr(SignedPackage.loads(row.payload)) for row in OrmQ.objects.all())


def _pages(pairs: list[Pair]) -> str:
    client, texts = Client(), []
    client.force_login(User.objects.create_superuser("root", password="correct horse"))
    paths = [reverse("admin:hailuo_django_videojob_changelist"), "/api/jobs/"]
    for job in VideoJob.objects.all():
        paths.append(reverse("admin:hailuo_django_videojob_change", args=[job.pk]))
        paths += [f"/api/jobs/{job.pk}/", f"/api/jobs/{job.pk}/events/"]
    for path in paths:
        page = client.get(path)
        assert page.status_code == 200, path
        texts.append(page.content.decode())
    return "\n".join(texts)


def test_what_a_record_is_filled_from_by_name_is_redacted_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = make_token(Addressee(uuid.uuid4(), 1))
    with caplog.at_level(logging.INFO, "django.request"):
        logging.getLogger("django.request").info("Got %(path)s", {"path": f"/{token}/"})
    assert caplog.messages == ["Got /[webhook token]/"]
