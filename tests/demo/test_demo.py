"""``manage.py demo``: real processes, and what is left of them."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests

from hailuo_django.tokens import PATTERN
from tests import effort

MANAGE = Path(__file__).parents[2] / "manage.py"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP][: effort.SIGNALS]


class Demo(subprocess.Popen[str]):
    """A demo under way, and what it has printed so far."""

    def __init__(self, temporary: Path, *options: str, stdin: int = subprocess.DEVNULL) -> None:
        self.temporary = temporary
        self.printed = ""
        # As a shell starts what it puts into the background: with SIGINT ignored.
        command = shlex.join([sys.executable, str(MANAGE), "demo", *options])
        super().__init__(
            ["sh", "-c", f"trap '' INT; exec {command}"],  # noqa: S607
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "example_project.settings",
                "TMPDIR": str(temporary),
                # Else a process that sets its title writes over the environment that names it.
                "SPT_NOENV": "1",
            },
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, words: str) -> None:
        """Read on until these words were printed."""
        assert self.stdout is not None
        while words not in self.printed:
            line = self.stdout.readline()
            assert line, self.printed
            self.printed += line

    def end(self) -> int:
        """Wait for its end, read the rest, and return the exit code."""
        self.printed += self.communicate(timeout=60)[0]
        return self.returncode

    def processes(self) -> list[psutil.Process]:
        """Return the processes that a demo with this directory has started and not ended."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                directory = process.environ().get("HAILUO_DEMO_DIR", "")
                if Path(directory).is_relative_to(self.temporary):
                    found.append(process)
        return found

    def cluster(self) -> psutil.Process:
        """Return the master of the cluster."""
        children = psutil.Process(self.pid).children()
        return next(child for child in children if "qcluster" in " ".join(child.cmdline()))

    def value(self, pattern: str) -> str:
        """Return what was printed at the group of a pattern."""
        match = re.search(pattern, self.printed)
        assert match, self.printed
        return match[1]


@contextmanager
def demo(temporary: Path, *options: str, **more: int) -> Iterator[Demo]:
    """Start a demo; end it, and whatever it left, with the block."""
    with Demo(temporary, *options, **more) as process:
        try:
            yield process
        finally:
            process.kill()
            for left in process.processes():
                left.kill()


def test_once_exits_0_when_the_webhook_brought_the_video(tmp_path: Path) -> None:
    with demo(tmp_path, "--once") as process:
        code = process.end()
        assert "Completed by its webhook." in process.printed
        assert re.search(r"\d s +completed .*\(webhook\)$", process.printed, re.MULTILINE)
        assert code == 0, process.printed
        assert process.processes() == []
        assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_without_webhooks_polling_brings_it(tmp_path: Path) -> None:
    with demo(tmp_path, "--once", "--no-webhooks", "--seconds=1") as process:
        code = process.end()
        assert "hailuo_sweep --loop" in process.printed
        assert "Completed by polling." in process.printed
        assert code == 0, process.printed
        assert process.processes() == []


def test_it_serves_what_it_printed_until_ctrl_c(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with demo(tmp_path, f"--keep={kept}", "--seconds=1") as process:
        process.read_until("until Ctrl-C.")
        site = process.value(r"Site +(\S+)")
        account = ("operator", process.value(r"password (\S+)"))
        jobs = requests.get(f"{site}api/jobs/", auth=account, timeout=20).json()["results"]
        video = requests.get(jobs[0]["video_url"], timeout=20)
        index = requests.get(site, timeout=20).text
        paths = ["admin/", "static/admin/css/base.css", *re.findall(r'href="/([^"]+)"', index)]
        # What is for signed-in users says so; nothing is missing.
        answers = {path: requests.get(site + path, timeout=20).status_code for path in paths}
        assert len(process.processes()) > 3

        process.send_signal(signal.SIGINT)
        assert process.end() == 0, process.printed
        assert process.processes() == []

    assert jobs[0]["video_url"] in process.printed
    assert video.headers["Content-Type"] == "video/mp4"
    assert set(answers.values()) <= {200, 403}, answers
    assert len(answers) > 5
    logs = {path.name: path.read_text() for path in kept.glob("*.log")}
    assert "[webhook token]" in logs["web.log"]
    assert not PATTERN.search("".join(logs.values()))


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_it_leaves_nothing_when_it_is_stopped_early(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path, "--seconds=60") as process:
        process.read_until("Making the database" if number == signal.SIGINT else "Sign in")
        process.send_signal(number)
        assert process.end() == 128 + number, process.printed
        assert "Traceback" not in process.printed
        assert process.processes() == []
        assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_it_ends_with_its_terminal_also_when_nobody_tells_it(tmp_path: Path) -> None:
    window, terminal = pty.openpty()
    with demo(tmp_path, "--seconds=60", stdin=terminal) as process:
        os.close(terminal)
        process.read_until("Sign in")
        os.close(window)
        assert process.end() == 128 + signal.SIGHUP, process.printed
        assert process.processes() == []


@pytest.mark.slow
def test_it_does_not_wait_for_ever_for_a_cluster_that_does_not_stop(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds=0") as process:
        process.read_until("until Ctrl-C.")
        process.cluster().suspend()
        process.send_signal(signal.SIGTERM)
        process.read_until("Stopping")
        # The second one is for the impatient; without it this takes ten seconds.
        process.send_signal(signal.SIGINT)
        assert process.end() == 0, process.printed
        assert process.processes() == []


@pytest.mark.slow
def test_once_exits_1_when_no_webhook_comes(tmp_path: Path) -> None:
    options = ("--once", "--seconds=0", "--misbehave=no_webhook", "--timeout=3")
    with demo(tmp_path, *options) as process:
        assert process.end() == 1
        assert "after 3 seconds" in process.printed
        assert "Traceback" not in process.printed
        assert process.processes() == []


@pytest.mark.slow
def test_it_ends_with_a_cluster_that_dies_and_takes_the_orphans_along(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds=0") as process:
        process.read_until("until Ctrl-C.")
        master = process.cluster()
        assert len(master.children()) > 0
        master.kill()
        assert process.end() == 1
        assert "“cluster” ended by itself (-9)" in process.printed
        assert "Q Cluster" in process.printed
        assert process.processes() == []


def test_it_names_the_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for option in ("--port", "--sandbox-port"):
            with demo(tmp_path, f"{option}={port}") as process:
                assert process.end() == 1
                assert f"{option} {port} cannot be used" in process.printed
                assert "Traceback" not in process.printed


@pytest.mark.slow
def test_two_demos_do_not_share_a_directory(tmp_path: Path) -> None:
    kept = f"--keep={tmp_path / 'kept'}"
    with demo(tmp_path, kept) as first:
        first.read_until("Making the database")
        with demo(tmp_path / "second", kept) as second:
            assert second.end() == 1
            assert "Another demo is at work" in second.printed
