"""Run a whole site under random faults, and compare Krea's ledger with its tables.

    python -m tests.chaos --jobs 300 --seed 1 --database postgres --broker redis

The site is real: a web process, two clusters of django-q2 and two sweeping loops, which are
killed every second or two, on a database whose server crashes as well. Krea is the sandbox,
over HTTP, and misbehaves at random. Prints one line of figures, then what may not be; the
exit code is 0 when there is no such thing.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import django

from hailuo_django.sandbox import Sandbox

from .orders import GRACE_SECONDS, TIMEOUT_SECONDS

VIDEO_SECONDS = 2.0
BACKLOG = 512


def main() -> int:
    """Do what the command line says; return the exit code."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is to be ended
    began = time.monotonic()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(_directory()))
        krea = stack.enter_context(Sandbox(seconds=VIDEO_SECONDS))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=BACKLOG))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        logs = asked.logs or directory
        logs.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=logs / "people.log")
        _configure(asked, directory, _hailuo(krea, url, adopt=asked.adopt))
        crash = _start_servers(asked, stack)

        from .run import run

        outcome = run(
            krea,
            jobs=asked.jobs,
            seed=asked.seed,
            url=url,
            listener=listener.fileno(),
            logs=logs,
            crash=crash,
        )
    figures = outcome.figures | {"seconds": round(time.monotonic() - began)}
    line = ", ".join(f"{name} {figure}" for name, figure in figures.items())
    print(f"{asked.database}, {asked.broker}, seed {asked.seed}, {line}")  # noqa: T201
    for offence in outcome.offences:
        print(offence)  # noqa: T201
    return 1 if outcome.offences else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--broker", choices=["orm", "redis"], default="orm")
    parser.add_argument("--adopt", action="store_true", help="with ADOPT_STRANGERS")
    parser.add_argument("--logs", type=Path, help="a directory that keeps the processes' words")
    return parser.parse_args()


@contextmanager
def _directory() -> Iterator[str]:
    """Make a directory that a server under another user can enter; remove it in the end."""
    path = tempfile.mkdtemp(prefix="hailuo-chaos-")
    try:
        os.chmod(path, 0o755)  # noqa: S103
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _hailuo(krea: Sandbox, url: str, *, adopt: bool) -> dict[str, Any]:
    """Return the site's settings: all waiting times are short."""
    return {
        "KREA_API_TOKEN": krea.token,
        "KREA_BASE_URL": krea.url,
        "KREA_TIMEOUT_SECONDS": TIMEOUT_SECONDS,
        "WEBHOOK_BASE_URL": url,
        "WEBHOOK_GRACE_SECONDS": 3,
        "POLL_INTERVAL_SECONDS": 1,
        "POLL_MAX_INTERVAL_SECONDS": 2,
        "UNCONFIRMED_GRACE_SECONDS": GRACE_SECONDS,
        "ADOPT_STRANGERS": adopt,
        "RESULT_HOSTS": ["127.0.0.1"],
        # One account asks for all of the site's people, and is in a hurry.
        "API_THROTTLE_RATES": {"read": None, "submit": None},
        "API_SYNC_COOLDOWN_SECONDS": 0,
    }


def _configure(asked: argparse.Namespace, directory: Path, hailuo: dict[str, Any]) -> None:
    """Set up Django here and, by the environment, in every process that is started."""
    chaos = {"database": asked.database, "broker": asked.broker, "hailuo": hailuo}
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
        "HAILUO_TEST_DIR": str(directory),
        "HAILUO_CHAOS": json.dumps(chaos),
    }
    django.setup()


def _start_servers(asked: argparse.Namespace, stack: ExitStack) -> Callable[[], None] | None:
    """Start what the site needs, with empty tables; return what crashes the database server."""
    from django.db import connection

    from tests.servers import postgres_server, redis_server

    crash = None
    if asked.database == "postgres":
        crash = stack.enter_context(postgres_server())
    if asked.broker == "redis":
        stack.enter_context(redis_server())
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    stack.callback(connection.close)
    return crash


if __name__ == "__main__":
    sys.exit(main())
