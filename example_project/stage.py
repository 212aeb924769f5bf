"""What the demo stands on: its directory, its ports, its sandbox, its environment."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from hailuo_django.sandbox import Sandbox

HOST = "127.0.0.1"
POLL_SECONDS = 1


@contextmanager
def directory_for(kept: Path | None) -> Iterator[Path]:
    """Yield the directory of database and logs: ``kept``, or one that ends with the block."""
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="hailuo-demo-") as name:
            yield Path(name)
        return
    with ExitStack() as stack:
        try:
            kept.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(open(kept / "demo.lock", "w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = _("Another demo is at work in %(directory)s.")
            raise CommandError(message % {"directory": kept}) from None
        except OSError as error:
            raise CommandError(str(error)) from None
        yield kept.resolve()


def sandbox(number: int, **options: Any) -> Sandbox:
    """Start the sandbox on a port. Raises CommandError."""
    try:
        return Sandbox(host=HOST, port=number, **options)
    except ValueError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(unavailable("--sandbox-port", number, error)) from None


def listen(number: int) -> socket.socket:
    """Open the site's port before anything needs it. Raises CommandError."""
    try:
        return socket.create_server((HOST, number), backlog=64)
    except OSError as error:
        raise CommandError(unavailable("--port", number, error)) from None


def unavailable(option: str, number: int, error: OSError) -> str:
    """Return why a port cannot be had, and what to do."""
    return _(
        "%(option)s %(number)d cannot be used: %(why)s. Leave the option out for a free one."
    ) % {
        "option": option,
        "number": number,
        "why": error.strerror or error,
    }


def environment_for(directory: Path, krea: Sandbox, webhook_url: str) -> dict[str, str]:
    """Return the variables that ``example_project.settings`` reads."""
    environment = {
        "HAILUO_DEMO_DIR": str(directory),
        "HAILUO_DEMO_SECRET_KEY": secrets.token_urlsafe(50),
        "HAILUO_DEMO_KREA_URL": krea.url,
        "HAILUO_DEMO_KREA_TOKEN": krea.token,
        "HAILUO_DEMO_WEBHOOK_URL": webhook_url,
        "PYTHONUNBUFFERED": "1",
        # A proxy knows no way to this machine's own loopback address.
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), HOST])),
    }
    environment["no_proxy"] = environment["NO_PROXY"]
    if not webhook_url:
        environment["HAILUO_DEMO_POLL_SECONDS"] = str(POLL_SECONDS)
    return environment
