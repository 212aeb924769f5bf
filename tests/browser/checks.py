"""What holds for every page, whoever looks at it and how."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Preloading puts styles into a document of its own, which the policy forbids and reports.
RUN = """
axe.run({preload: false, resultTypes: ["violations"]}).then(results => results.violations)
"""

NOT_OURS = {
    ("label-title-only", "#searchbar"): "Django labels its search by a picture's words",
    ("link-in-text-block", ".breadcrumbs > a"): "before 6.0, only a shade of blue marks a link",
    ("link-in-text-block", ".small > a"): "the same, beside the number of results",
}
"""What Django's own parts of a page break: a rule, the beginning of the node's path, and how."""


def check_accessible(page: Page) -> None:
    """Let axe-core look at the page with all its rules, and want nothing found."""
    # The colours of a theme come gradually.
    page.evaluate("Promise.all(document.getAnimations().map(motion => motion.finished))")
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    found = page.evaluate(RUN)
    faults = [line for violation in found for line in _faults(violation)]
    assert not faults, "\n".join(faults)


def _faults(violation: dict[str, Any]) -> list[str]:
    rule = violation["id"]
    nodes = [(" ".join(map(str, node["target"])), node) for node in violation["nodes"]]
    return [
        f"{rule} at {where}: {found['failureSummary']} {found['html'][:200]}"
        for where, found in nodes
        if not any(rule == excused and where.startswith(node) for excused, node in NOT_OURS)
    ]


def check_fits(page: Page) -> None:
    """Want nothing to be scrolled sideways, but within a part of the page made for it."""
    assert page.viewport_size is not None
    needed = "Math.max(document.documentElement.scrollWidth, window.innerWidth)"
    assert page.evaluate(needed) <= page.viewport_size["width"]
