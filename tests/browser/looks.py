"""How somebody looks at a page: on what screen, in which theme, with or without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from playwright.sync_api import Page


@dataclass(frozen=True)
class Look:
    """One way to look at pages."""

    width: int = 1280
    height: int = 800
    theme: Literal["light", "dark"] = "light"
    touch: bool = False
    java_script: bool = True
    locale: str = "en-US"

    def options(self) -> dict[str, Any]:
        """What Playwright's ``new_context`` takes for it."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "is_mobile": self.touch,
            "has_touch": self.touch,
            "color_scheme": self.theme,
            "java_script_enabled": self.java_script,
            "reduced_motion": "reduce",
            "locale": self.locale,
            "timezone_id": "UTC",
        }

    def change(self, page: Page) -> None:
        """Look so at a page that is open already."""
        page.set_viewport_size({"width": self.width, "height": self.height})
        page.emulate_media(color_scheme=self.theme)


DESKTOP = Look()
DARK = Look(theme="dark")
PHONE = Look(width=360, height=740, touch=True)
DARK_PHONE = Look(width=360, height=740, touch=True, theme="dark")
WITHOUT_JAVASCRIPT = Look(java_script=False)
NARROWEST = Look(width=320, height=640, touch=True, theme="dark")
ARABIC = Look(locale="ar")
