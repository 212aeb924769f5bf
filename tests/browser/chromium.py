"""The browser of the machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.servers import lacking

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Nothing that the browser does of itself gets on the network."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium on the path, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary(), args=QUIET)
        # Playwright leaves its event loop in this thread, where Django then wants no database.
        before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE", "")
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        try:
            yield browser
        finally:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before
            browser.close()


def binary() -> str:
    """The path of the first browser that there is."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or lacking(f"browser: none of {', '.join(NAMES)} on the path")
