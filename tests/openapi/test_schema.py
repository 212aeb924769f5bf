"""The description of the API: what is checked in, and what other sites get."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hailuo_django
from tests.docs.pages import ROOT

CHECKED_IN = ROOT / "docs" / "openapi.yaml"
COMMAND = ("spectacular", "--validate", "--fail-on-warn", "--file")


def spectacular(file: Path, **environment: str) -> str:
    """What ``manage.py spectacular`` writes into ``file``, without a warning."""
    package = str(Path(hailuo_django.__file__).parents[1])
    paths = {"PYTHONPATH": os.pathsep.join([package, str(ROOT)])}
    run = subprocess.run(
        [sys.executable, "-m", "django", *COMMAND, str(file)],
        capture_output=True,
        check=False,
        env=os.environ | paths | environment,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return file.read_text()


def test_what_is_checked_in_is_what_the_example_site_serves(tmp_path: Path) -> None:
    """With one version of everything: tox runs this in one environment."""
    written = spectacular(
        tmp_path / "openapi.yaml", DJANGO_SETTINGS_MODULE="example_project.settings"
    )
    assert written == CHECKED_IN.read_text(), (
        "run: python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"
    )
