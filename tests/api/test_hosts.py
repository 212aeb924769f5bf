"""The API keeps its word on sites that are set up quite differently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django import Settings
from rest_framework import versioning
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer

import hailuo_django
from hailuo_django.api.base import HailuoViewSet
from hailuo_django.models import VideoJob

from .people import Visitor, address, complaints, draft

JOBS = reverse("hailuo_django_api:job-list")
PRICES = reverse("hailuo_django_api:prices")
ROOT = Path(__file__).parents[2]


def told_by(host: str) -> dict[str, Any]:
    """What a site in a process of its own says."""
    package = str(Path(hailuo_django.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(host))],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([package, str(ROOT)])},
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def test_a_site_with_other_defaults_gets_the_same_api() -> None:
    told = told_by("strange_host.py")
    status, location, price, in_transaction = told.pop("made")
    assert (status, price, in_transaction) == (202, "0.2835", False)
    assert location.startswith("http://testserver/acme/v1/jobs/")
    assert told == {
        "visitor": 403,
        "found": 200,
        "made just now": True,
        "their filter": 400,
        "a browser": [202, "application/json"],
        "the oldest": "x",
        "listed": ["y", "x"],
        "next page": ["x"],
        "conflict": 409,
        "prices": "0.2835",
        "form": 415,
        "throttled": 429,
    }


def test_a_headless_site_with_users_of_its_own_gets_the_same_api() -> None:
    assert told_by("token_host.py") == {
        "nobody": [401, "Customer", "not_authenticated"],
        "wrong token": "authentication_failed",
        "wrong version": "not_found",
        "without a key": "idempotency_key_required",
        "with a key": [202, 202],
        "once": [1, 1],
        "owner": True,
        "address": True,
        "no news": [304, True],
        "another's": 404,
        "wrong form": ["all"],
        "options": 405,
        "cancelled": "cancelled",
    }


class OddParser(BaseParser):
    """As of a format whose names need not be text."""

    media_type = "application/odd"

    def parse(self, *args: Any) -> Any:
        """Return what no JSON could be."""
        return {1: "x", None: "y", (2, 3): "z"}


def test_a_parser_of_the_site_may_know_names_that_are_no_text(
    client: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HailuoViewSet, "parser_classes", [OddParser])
    for path in (JOBS, reverse("hailuo_django_api:quote")):
        answer = client.generic("POST", path, "?", "application/odd")
        assert [*complaints(answer)] == ["1", "None", "(2, 3)"]


def test_nothing_is_ordered_at_a_host_that_is_none_of_the_sites(
    client: Visitor, settings: Settings
) -> None:
    common = "django.middleware.common.CommonMiddleware"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != common]
    settings.ALLOWED_HOSTS = ["www.example.com"]
    answer = client.post(JOBS, {"prompt": "x"}, headers={"Host": "mallory.example"})
    assert answer.status_code == 400
    assert not VideoJob.objects.exists()


def test_no_page_is_promised_that_nobody_has_a_template_for(
    client: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it was ordered, and the answer was a 500."""
    monkeypatch.setattr(HailuoViewSet, "renderer_classes", [JSONRenderer, TemplateHTMLRenderer])
    assert client.post(JOBS, {"prompt": "x"}, HTTP_ACCEPT="text/html").status_code == 406
    assert not VideoJob.objects.exists()


def test_too_many_parameters_are_refused_with_a_code(client: Visitor) -> None:
    many = "&".join(f"status=draft{number}" for number in range(1001))
    for answer in (client.get(f"{JOBS}?{many}"), client.get(f"{PRICES}?{many}")):
        assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize(
    ("scheme", "asked"),
    [
        (versioning.QueryParameterVersioning, {"data": {"version": "v1", "status": "draft"}}),
        (versioning.AcceptHeaderVersioning, {"HTTP_ACCEPT": "application/json; version=v1"}),
        (versioning.NamespaceVersioning, {}),
        (versioning.HostNameVersioning, {}),
    ],
)
def test_a_version_is_the_sites_business(
    client: Visitor, ada: User, monkeypatch: pytest.MonkeyPatch, scheme: Any, asked: Any
) -> None:
    monkeypatch.setattr(HailuoViewSet, "versioning_class", scheme)
    job = draft(ada)
    assert [one["id"] for one in client.get(JOBS, **asked).json()["results"]] == [str(job.pk)]
    made = client.create(prompt="x", submit=False)
    assert (made.status_code, client.get(made["Location"]).status_code) == (201, 200)


def test_a_site_that_authenticates_nobody_lets_in_whom_its_rule_lets_in(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HailuoViewSet, "authentication_classes", [])
    assert Visitor().create(prompt="x").status_code == 403
    settings.HAILUO = {"API_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"]}
    assert Visitor().create(prompt="x").status_code == 202
    assert VideoJob.objects.get().owner is None
    assert Visitor().get(address(VideoJob.objects.get())).status_code == 404
