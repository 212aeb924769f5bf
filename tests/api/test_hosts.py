"""The API keeps its word on sites that are set up quite differently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import hailuo_django

STRANGE_HOST = Path(__file__).with_name("strange_host.py")


def test_a_site_with_other_defaults_gets_the_same_api() -> None:
    package = str(Path(hailuo_django.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, str(STRANGE_HOST)],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": package},
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)

    status, location, price, in_transaction = told.pop("made")
    assert (status, price, in_transaction) == (202, "0.2835", False)
    assert location.startswith("http://testserver/acme/v1/jobs/")
    assert told == {
        "visitor": 403,
        "found": 200,
        "their filter": 400,
        "listed": ["y", "x"],
        "next page": ["x"],
        "conflict": 409,
        "prices": "0.2835",
        "form": 415,
        "throttled": 429,
    }
