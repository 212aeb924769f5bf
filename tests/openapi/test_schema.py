"""The description of the API: what is checked in, what it shows, and what other sites get."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.urls import reverse

import hailuo_django
from hailuo_django.api.filters import VideoJobFilter
from hailuo_django.api.urls import urlpatterns
from tests.api.people import API
from tests.docs.pages import ROOT, code, rows

CHECKED_IN = ROOT / "docs" / "openapi.yaml"
COMMAND = ("spectacular", "--validate", "--fail-on-warn", "--file")


def said_by(*command: str, **environment: str) -> str:
    """What ``python`` says with the package and the tests at hand."""
    package = str(Path(hailuo_django.__file__).parents[1])
    paths = {"PYTHONPATH": os.pathsep.join([package, str(ROOT)])}
    run = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        check=False,
        env=os.environ | paths | environment,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def schema() -> Any:
    """What is checked in."""
    return yaml.safe_load(CHECKED_IN.read_text())


def operations(schema: Any) -> Iterator[tuple[str, str, Any]]:
    """Each path and method with what is said of it."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_what_is_checked_in_is_what_the_example_site_serves(tmp_path: Path) -> None:
    """With one version of everything: tox runs this in one environment."""
    file = tmp_path / "openapi.yaml"
    said_by("-m", "django", *COMMAND, str(file), DJANGO_SETTINGS_MODULE="example_project.settings")
    assert file.read_text() == CHECKED_IN.read_text(), (
        "run: python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"
    )


def test_a_shop_with_an_api_of_its_own_gets_both_described() -> None:
    told = json.loads(said_by(str(Path(__file__).with_name("shop_host.py"))))
    assert told == {
        "complaints": [],
        "own paths": True,
        "own words": True,
        "version": "3.0.3",
        "in the path": ["branch", "pk"],
        "required": ["Idempotency-Key", "branch", "pk"],
        "shop's mark": True,
        "statuses": "202, 400, 401, 402, 403, 404, 406, 409, 412, 413, 415, 422, 429",
    }


def test_every_path_and_parameter_is_described(schema: Any) -> None:
    prefix = reverse("hailuo_django_api:job-list").removesuffix("jobs/")
    routes = {str(pattern.pattern).replace("<str:pk>", "{id}") for pattern in urlpatterns}
    assert {path.removeprefix(prefix) for path in schema["paths"]} == routes
    parameters = schema["paths"][f"{prefix}jobs/"]["get"]["parameters"]
    queried = {one["name"] for one in parameters if one["in"] == "query"}
    assert queried == {*VideoJobFilter.filters, *VideoJobFilter.others}


def test_every_code_that_the_page_lists_is_described_and_no_other(schema: Any) -> None:
    parts = schema["components"]["schemas"]
    described = {
        (name.removeprefix("VideoJobErrorCode"), one)
        for name, part in parts.items()
        if name.startswith("VideoJobErrorCode")
        for one in part["enum"]
    }
    listed = {
        (status, name)
        for statuses, names, *_ in rows(API, "| status | `code` |")
        for status in statuses.split(", ")
        for name in code(names)
    }
    # A method that a path does not have is no operation to describe.
    assert described == {pair for pair in listed if pair[0] != "405"}
    fields = {name for row in rows(API, "| `code` of a field |") for name in code(row[0])}
    assert {*parts["VideoJobFieldCode"]["enum"]} == fields


def test_every_status_is_described_with_an_example_that_fits(schema: Any) -> None:
    for path, method, operation in operations(schema):
        assert operation["summary"] and operation["description"]
        bodies = [operation.get("requestBody"), *operation["responses"].values()]
        for body in filter(None, bodies):
            body = resolved(schema, body)
            assert "content" in body or body["description"]
            for media in body.get("content", {}).values():
                whole = {**media["schema"], "components": schema["components"]}
                validator = jsonschema_rs.validator_for(whole, validate_formats=True)
                assert media["examples"], (path, method)
                for example in media["examples"].values():
                    validator.validate(example["value"])


def resolved(schema: Any, part: Any) -> Any:
    """The part itself, where a reference names it."""
    name = part.get("$ref", "").rpartition("/")[2]
    return schema["components"]["responses"][name] if name else part
