"""Somebody who works without a mouse."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

FAR = 120
"""More stops than any page of ours has."""


def tab_to(target: Locator) -> Locator:
    """Press Tab until ``target`` has the focus, and want it to be seen there."""
    for _ in range(FAR):
        target.page.keyboard.press("Tab")
        if target.evaluate("node => node === document.activeElement"):
            assert target.evaluate("node => node.matches(':focus-visible')")
            return target
    raise AssertionError(f"{target} cannot be reached with Tab")


def skip_to_content(page: Page) -> None:
    """Follow the first link of a page in the admin, past all that stands on each of them."""
    link = page.get_by_role("link", name="Skip to main content")
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")


def press_enter(page: Page) -> None:
    """Press Enter on a link or a button, and be where it leads."""
    with page.expect_navigation():
        page.keyboard.press("Enter")
