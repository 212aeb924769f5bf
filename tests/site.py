"""How a test points the site at its sandbox."""

from __future__ import annotations

from typing import Any

from pytest_django import Settings

from hailuo_django.sandbox import Sandbox


def configure(settings: Settings, sandbox: Sandbox, **more: Any) -> None:
    """Let ``sandbox`` be the site's Krea; ``more`` holds further keys of HAILUO."""
    settings.HAILUO = {
        "KREA_API_TOKEN": sandbox.token,
        "KREA_BASE_URL": sandbox.url,
        "RESULT_HOSTS": ["127.0.0.1"],
        **more,
    }
