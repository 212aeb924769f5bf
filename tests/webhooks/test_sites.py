"""The same answers in every site: its middleware, its addresses, its database settings."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, set_script_prefix
from django.utils import translation
from pytest_django import Settings

from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from tests.site import configure

from .rows import SITE, everything, post, running

pytestmark = pytest.mark.django_db

METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]


@pytest.mark.proves("B4")
@pytest.mark.parametrize("method", METHODS)
def test_every_other_method_is_refused(krea: Sandbox, client: Client, method: str) -> None:
    pair = running(krea)
    before = everything()
    answer = client.generic(method, pair.path, pair.news("completed"))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert everything() == before


@pytest.mark.proves("B4")
def test_it_needs_no_session_no_csrf_token_and_no_login(
    krea: Sandbox, client: Client, settings: Settings
) -> None:
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    pair = running(krea)
    assert client.get("/admin/").status_code == 302
    assert post(client, pair.path, pair.news("completed")) == 200
    assert pair.row.status == Status.COMPLETED
    assert not client.cookies


@pytest.mark.proves("B4")
def test_it_stays_out_of_atomic_requests(
    krea: Sandbox, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connections[VideoJob.database()]
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    depths: list[int] = []

    def note_depth(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE"):
            depths.append(len(connection.savepoint_ids))
        return execute(sql, *args)

    pair = running(krea)
    outside = len(connection.savepoint_ids)
    with connection.execute_wrapper(note_depth):
        assert post(client, pair.path, pair.news("completed")) == 200
    # One transaction, its own: of the tests' frame, and not of a request.
    assert set(depths) == {outside + 1}


def test_under_a_script_prefix(krea: Sandbox, client: Client, settings: Settings) -> None:
    configure(settings, krea, WEBHOOK_BASE_URL=f"{SITE}/shop")
    settings.FORCE_SCRIPT_NAME = "/shop"
    set_script_prefix("/shop/")
    try:
        in_a_request = running(krea, "made where a request is under way")
    finally:
        set_script_prefix("/")
    in_a_worker = running(krea, "made in a worker")

    for pair in (in_a_request, in_a_worker):
        assert pair.path.startswith("/shop/hailuo/webhook/")
        below = pair.path.removeprefix("/shop")
        assert post(client, below, pair.news("completed"), SCRIPT_NAME="/shop") == 200


urlpatterns = i18n_patterns(path("hailuo/", include("hailuo_django.urls")))


@pytest.mark.urls("tests.webhooks.test_sites")
def test_under_a_language_prefix(krea: Sandbox, client: Client, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "de"
    with translation.override("fr"):
        pair = running(krea)
    assert pair.path.startswith("/de/hailuo/webhook/"), "the site's language, not the worker's"
    for language in ("de", "ja"):
        answer = post(client, pair.path, pair.news("completed"), HTTP_ACCEPT_LANGUAGE=language)
        assert answer == 200


def with_body_read(get_response: Any) -> Any:
    """A host's middleware that looks into every body first."""

    def middleware(request: HttpRequest) -> HttpResponse:
        assert isinstance(request.body, bytes)
        answer: HttpResponse = get_response(request)
        return answer

    return middleware


def test_after_a_middleware_that_reads_every_body(
    krea: Sandbox, client: Client, settings: Settings
) -> None:
    settings.MIDDLEWARE = ["tests.webhooks.test_sites.with_body_read", *settings.MIDDLEWARE]
    pair = running(krea)
    assert post(client, pair.path, pair.news("completed")) == 200


def test_a_site_without_the_address_lets_polling_do_it(krea: Sandbox, settings: Settings) -> None:
    settings.ROOT_URLCONF = "django.contrib.auth.urls"
    running(krea)
    assert krea.jobs[0].webhook_url is None


def test_https_only_sites_are_called_on_https(
    krea: Sandbox, client: Client, settings: Settings
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    configure(settings, krea, WEBHOOK_BASE_URL="https://testserver")
    pair = running(krea)
    assert pair.url.startswith("https://testserver/hailuo/webhook/")
    answer = client.post(
        pair.path, pair.news("completed"), content_type="application/json", secure=True
    )
    assert answer.status_code == 200
