"""Windows of the browser in which somebody is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page

from .looks import Look


@contextmanager
def window(browser: Browser, site: str, look: Look) -> Iterator[Page]:
    """Yield the empty page of a new window; two windows share nothing."""
    with browser.new_context(base_url=site, **look.options()) as context:
        context.set_default_timeout(10_000)
        yield context.new_page()


def enter(page: Page, site: str, user: User) -> None:
    """Be ``user`` in this window, without a form."""
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}]
    )
