"""What the site around us has to have for us and our settings to have their effect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils.translation import gettext as _

from hailuo_django.conf import conf

from .values import problem

API_URLS = "hailuo_django.api.urls"


def check_site(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Name what is set without effect, and what is missing for what."""
    return [*_about_token(), *_about_urls(), *_about_apps(), *_about_users(), *_about_commits()]


def _about_token() -> Iterable[CheckMessage]:
    if not conf.KREA_API_TOKEN:
        yield CheckWarning(
            _('HAILUO["KREA_API_TOKEN"] is empty: nothing is sent to Krea.'),
            hint=_("Give a token of your Krea account, or one of the sandbox."),
            id="hailuo_django.W001",
        )


def _about_urls() -> Iterable[CheckMessage]:
    if problem("WEBHOOK_BASE_URL") or not conf.WEBHOOK_BASE_URL:
        return
    try:
        reverse("hailuo_django:webhook", args=["token"])
    except NoReverseMatch:
        yield CheckWarning(
            _('HAILUO["WEBHOOK_BASE_URL"] has no effect: the URL of the webhook is not included.'),
            hint=_(
                'Add path("hailuo/", include("hailuo_django.urls")) to the ROOT_URLCONF, not'
                " within another namespace. Until then every job is polled."
            ),
            id="hailuo_django.W005",
        )


def _about_apps() -> Iterable[CheckMessage]:
    if not apps.is_installed("rest_framework") and _is_included(API_URLS, get_resolver()):
        yield CheckWarning(
            _("rest_framework is not in INSTALLED_APPS, but %(urls)s is included.")
            % {"urls": API_URLS},
            hint=_("Add it: without it the API has no pages for browsers, only JSON."),
            id="hailuo_django.W006",
        )


def _about_users() -> Iterable[CheckMessage]:
    ours = router.db_for_write(apps.get_model("hailuo_django", "VideoJob"))
    theirs = router.db_for_write(get_user_model())
    if _place(ours) != _place(theirs):
        names = {"ours": ours, "theirs": theirs}
        yield Error(
            _(
                'Video jobs are written to the database "%(ours)s", users to "%(theirs)s": the'
                " foreign keys of owners and actors cannot cross databases."
            )
            % names,
            hint=_('Let the router send hailuo_django to "%(theirs)s".') % names,
            id="hailuo_django.E003",
        )


def _about_commits() -> Iterable[CheckMessage]:
    alias = router.db_for_write(apps.get_model("hailuo_django", "VideoJob"))
    if not connections[alias].settings_dict["AUTOCOMMIT"]:
        yield Error(
            _('The database "%(alias)s" does not commit by itself: no worker sends anything.')
            % {"alias": alias},
            hint=_('Leave out "AUTOCOMMIT", or set it to True.'),
            id="hailuo_django.E004",
        )


def _place(alias: str) -> list[str]:
    """What tells one database from another: two aliases may name the same."""
    database = connections.settings[alias]
    return [str(database.get(key, "")) for key in ("ENGINE", "HOST", "PORT", "NAME")]


def _is_included(module: str, resolver: Any) -> bool:
    try:
        patterns = resolver.url_patterns
    except (ImportError, ImproperlyConfigured):
        return False  # Django's own checks name it
    nested = [pattern for pattern in patterns if hasattr(pattern, "urlconf_name")]
    return any(
        getattr(pattern.urlconf_name, "__name__", "") == module or _is_included(module, pattern)
        for pattern in nested
    )
