"""The site of a test, with the sandbox in the place of Krea."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.test import override_settings

from hailuo_django.conf import configured
from hailuo_django.sandbox import Sandbox

_running: list[Sandbox] = []


class NoSandbox(RuntimeError):
    """There is no sandbox around this call, and nothing in tests may talk to the real Krea."""


@contextmanager
def sandbox(
    *, hailuo: Mapping[str, Any] | None = None, seconds: float = 0.0, **options: Any
) -> Iterator[Sandbox]:
    """Start a sandbox and point the site at it; yield the sandbox.

    A video takes ``seconds``. ``options`` are those of ``Sandbox``, and ``hailuo`` holds keys
    of the setting for this block; all others stay the site's, but for the webhook address,
    which is empty unless given here.
    """
    with Sandbox(seconds=seconds, **options) as krea:
        ours = {
            "KREA_API_TOKEN": krea.token,
            "KREA_BASE_URL": krea.url,
            "RESULT_HOSTS": [urlsplit(krea.url).hostname],
            "WEBHOOK_BASE_URL": "",
        }
        _running.append(krea)
        try:
            with override_settings(HAILUO={**configured(), **ours, **(hailuo or {})}):
                yield krea
        finally:
            _running.remove(krea)


def running_sandbox() -> Sandbox:
    """Return the innermost sandbox. Raises NoSandbox."""
    if not _running:
        raise NoSandbox("Use this within hailuo_django.testing.sandbox().")
    return _running[-1]
