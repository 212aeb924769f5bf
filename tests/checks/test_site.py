"""What is set without effect, and what the site lacks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import Model
from django.urls import include, path

from hailuo_django.models import VideoJob

from .reports import ids, with_token, without


def urlconf(*patterns: Any) -> ModuleType:
    module = ModuleType("some_urls")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    return module


def test_a_webhook_address_needs_the_url_of_the_webhook() -> None:
    hailuo = with_token(WEBHOOK_BASE_URL="https://www.example.com")
    assert ids(hailuo) == []
    assert ids(hailuo, ROOT_URLCONF=urlconf()) == ["W005"]
    assert ids(with_token(), ROOT_URLCONF=urlconf()) == []


def test_the_url_is_not_found_within_another_namespace() -> None:
    ours = path("hailuo/", include("hailuo_django.urls"))
    hidden = urlconf(path("shop/", include(([ours], "shop"))))
    hailuo = with_token(WEBHOOK_BASE_URL="https://www.example.com")
    assert ids(hailuo, ROOT_URLCONF=hidden) == ["W005"]


@pytest.mark.parametrize("written", [True, False])
def test_the_schedule_may_be_on_or_off_without_a_task_queue(written: bool) -> None:
    assert ids(with_token(SCHEDULE=written), INSTALLED_APPS=without("django_q")) == []


def test_the_api_needs_the_rest_framework_for_its_pages() -> None:
    api = path("v1/", include("hailuo_django.api.urls"))
    nested = urlconf(path("shop/", include(([api], "shop"))))
    apps = without("rest_framework")
    assert ids(with_token(), INSTALLED_APPS=apps) == ["W006"]
    assert ids(with_token(), INSTALLED_APPS=apps, ROOT_URLCONF=nested) == ["W006"]
    assert ids(with_token(), INSTALLED_APPS=apps, ROOT_URLCONF=urlconf()) == []


def test_a_broken_urlconf_is_left_to_djangos_own_checks() -> None:
    broken = "no.such.urls"
    assert ids(with_token(), INSTALLED_APPS=without("rest_framework"), ROOT_URLCONF=broken) == []


def test_workers_need_a_database_that_commits_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    database = connections[VideoJob.database()].settings_dict
    monkeypatch.setitem(database, "AUTOCOMMIT", False)
    assert ids(with_token()) == ["E004"]


class UsersApart:
    """A router that keeps users in a database of their own."""

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return "users" if model is User else None


@pytest.mark.parametrize(
    ("users", "expected"), [({"NAME": "users"}, ["E003"]), ({"CONN_MAX_AGE": 60}, [])]
)
def test_video_jobs_are_where_the_users_are(
    users: dict[str, Any], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = connections.settings[VideoJob.database()]
    monkeypatch.setitem(connections.settings, "users", {**ours, **users})
    routers = [UsersApart(), *site.DATABASE_ROUTERS]
    assert ids(with_token(), DATABASE_ROUTERS=routers) == expected
