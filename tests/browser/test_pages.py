"""Every page, in both themes and widths: for everybody's eyes, under the strict policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .checks import check_accessible, check_fits
from .looks import DESKTOP, PHONE, WITHOUT_JAVASCRIPT
from .pages import PAGES
from .stage import Stage

every_page = pytest.mark.parametrize("name", PAGES)


@every_page
@pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_page_is_accessible_in_both_themes_and_fits_the_screen(
    operator: Page, stage: Stage, name: str
) -> None:
    operator.goto(PAGES[name](stage))
    check_accessible(operator)
    check_fits(operator)
    operator.emulate_media(color_scheme="dark")
    check_accessible(operator)


@every_page
@pytest.mark.parametrize("look", [WITHOUT_JAVASCRIPT], ids=["no JavaScript"])
def test_a_page_shows_itself_without_javascript(operator: Page, stage: Stage, name: str) -> None:
    operator.goto(PAGES[name](stage))
    expect(operator.locator("#content h1")).to_be_visible()
