"""Every page, in both themes and widths: for everybody's eyes, under the strict policy."""

from __future__ import annotations

from collections.abc import Iterator

import django
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from .checks import check_accessible, check_fits
from .looks import DESKTOP, NARROWEST, WITHOUT_JAVASCRIPT
from .pages import PAGES
from .stage import Stage
from .watching import Complaints
from .windows import enter, window

# What an older Django has of its own is its markup, for which one look does.
LOOKS = (DESKTOP, NARROWEST) if django.VERSION >= (6, 1) else (DESKTOP,)


@pytest.fixture(scope="module")
def same_window(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """One window for all pages: a new one takes longer than a look."""
    with window(browser, live_server.url, DESKTOP) as page:
        yield page


@pytest.fixture
def reader(
    same_window: Page, live_server: LiveServer, grace: User, complaints: Complaints
) -> Iterator[Page]:
    """That window, in which Grace is signed in."""
    enter(same_window, live_server.url, grace)
    complaints.watch(same_window)
    yield same_window
    same_window.goto("about:blank")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_the_screen(reader: Page, stage: Stage, name: str) -> None:
    reader.goto(PAGES[name](stage))
    for look in LOOKS:
        look.change(reader)
        check_fits(reader)
        check_accessible(reader)


@pytest.mark.parametrize("look", [WITHOUT_JAVASCRIPT], ids=["no JavaScript"])
def test_all_pages_show_themselves_without_javascript(operator: Page, stage: Stage) -> None:
    for way_to in PAGES.values():
        operator.goto(way_to(stage))
        expect(operator.locator("#content h1")).to_be_visible()
