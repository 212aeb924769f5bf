"""What the checks say about a site."""

from __future__ import annotations

from typing import Any

from django.conf import settings as site
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings


def messages(hailuo: Any, *, deploy: bool = False, **site: Any) -> list[CheckMessage]:
    """What our checks say about a site with this ``HAILUO`` setting."""
    with override_settings(HAILUO=hailuo, **site):
        found = run_checks(tags=["hailuo_django"], include_deployment_checks=deploy)
        return [message for message in found if not message.is_silenced()]


def ids(hailuo: Any, *, deploy: bool = False, **site: Any) -> list[str]:
    """Their ids in order, without our name before each."""
    found = messages(hailuo, deploy=deploy, **site)
    return sorted(str(message.id).removeprefix("hailuo_django.") for message in found)


def with_token(**more: Any) -> dict[str, Any]:
    """A setting that nothing is wrong with, and more."""
    return {"KREA_API_TOKEN": "a-token", **more}


def without(*apps: str) -> list[str]:
    """The apps of this site but for some."""
    return [app for app in site.INSTALLED_APPS if app not in apps]
