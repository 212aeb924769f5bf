"""What a visitor does in the gallery of the example project."""

from __future__ import annotations

from playwright.sync_api import Page, expect

JOBS = "**/api/jobs/"
QUOTE = "**/api/quote/"
ORDERED = "Ordered for 0.2835 USD."


def order(page: Page, prompt: str = "A lighthouse at dusk.") -> None:
    """Write a prompt, look at the price, and ask for the video."""
    page.get_by_label("Prompt").fill(prompt)
    expect(page.locator("#price")).to_contain_text("It costs")
    press(page)


def press(page: Page) -> None:
    """Ask for the video of what is written."""
    page.get_by_role("button", name="Make this video").click()
