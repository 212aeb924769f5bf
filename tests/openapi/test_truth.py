"""Is the description true? schemathesis asks the running site all that it allows, and more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from hailuo_django.sandbox import Sandbox
from hailuo_django.states import ENDED
from tests import effort
from tests.api.people import draft, ended, wanted
from tests.docs.pages import ROOT

from .conftest import PASSWORD
from .test_schema import CHECKED_IN

CONFIG = Path(__file__).with_name("schemathesis.toml")


def schemathesis(url: str, *jobs: str) -> str:
    """What it says of the site at ``url``, where Ada has these ``jobs``. Nothing may be wrong."""
    site = json.dumps({"url": url, "auth": ["ada", PASSWORD], "jobs": jobs})
    arguments = (
        *("--config-file", CONFIG, "--no-color", "run", CHECKED_IN, "--url", url),
        *("--auth", f"ada:{PASSWORD}", "--max-examples", str(effort.REQUESTS)),
    )
    run = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"HAILUO_TEST_SITE": site},
        text=True,
        timeout=effort.count(1_000, 7_000),
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.proves("A2")
@pytest.mark.timeout(effort.count(1_000, 7_200))
def test_the_site_does_what_is_described(
    ada: User, krea: Sandbox, worker: None, live_server: LiveServer
) -> None:
    """All phases, right and wrong requests, and the same without signing in."""
    jobs = [draft(ada), wanted(ada), *(ended(ada, end) for end in ENDED)]
    told = schemathesis(live_server.url, *(str(job.pk) for job in jobs))
    cases = re.search(r"(\d+) generated", told)
    assert cases and int(cases[1]) >= effort.MADE_UP_REQUESTS, told
