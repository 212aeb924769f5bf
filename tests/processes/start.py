"""How the tests start processes of their own site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def start(*arguments: str, site: dict[str, Any], **pipes: Any) -> subprocess.Popen[str]:
    """Start Python on the database of this run, as a site with the setting ``HAILUO = site``."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.processes.site",
        "HAILUO_TEST_SETTINGS": os.environ["DJANGO_SETTINGS_MODULE"],
        "HAILUO_TEST_SITE": json.dumps(site),
    }
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)
