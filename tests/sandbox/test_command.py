"""``manage.py hailuo_sandbox`` serves until Ctrl-C, on a site without a database."""

from __future__ import annotations

import ast
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

SITE = """
INSTALLED_APPS = ["hailuo_django"]
SECRET_KEY = "of a site without a database"
"""


def command(site: Path, *options: str) -> subprocess.Popen[str]:
    """Start the command in a site that has nothing but the app."""
    (site / "bare_site.py").write_text(SITE)
    paths = [str(site), str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "bare_site",
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "django", "hailuo_sandbox", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_prints_the_settings_serves_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    options = ("--port=0", "--token=mine", "--seconds=60", "--misbehave=rate_limited:7")
    with command(tmp_path, *options) as process:
        assert process.stdout is not None
        printed = ""
        while "Ctrl-C" not in printed:
            line = process.stdout.readline()
            assert line, process.communicate()
            printed += line
        literal = re.search(r"^HAILUO = ({.*?^})", printed, re.DOTALL | re.MULTILINE)
        assert literal, printed
        hailuo = ast.literal_eval(literal[1])
        answer = requests.post(
            f"{hailuo['KREA_BASE_URL']}/generate/video/minimax/hailuo-02",
            json={"prompt": "A cat"},
            headers={"Authorization": f"Bearer {hailuo['KREA_API_TOKEN']}"},
            timeout=10,
        )
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)

    assert hailuo["RESULT_HOSTS"] == ["127.0.0.1"]
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_it_says_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for option in ("--misbehave=nonsense", f"--port={port}", "--port=99999", "--seconds=-1"):
            with command(tmp_path, option) as process:
                _, errors = process.communicate(timeout=30)
            assert process.returncode == 1, errors
            assert "CommandError: " in errors
            assert "Traceback" not in errors
