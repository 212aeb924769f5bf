"""Time that passes in the browser alone, and tabs that come and go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

Pass = Callable[[int], None]

COUNT_WHAT_IS_UNDER_WAY = """
let underWay = 0;
const { fetch: ask } = window;
window.fetch = async (...asked) => {
    underWay += 1;
    try {
        const response = await ask(...asked);
        await response.clone().arrayBuffer();
        return response;
    } finally {
        underWay -= 1;
    }
};
const turn = () => new Promise(done => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage("after what is to be done now");
});
window.settle = async () => {
    do await turn(); while (underWay);
    for (let turns = 0; turns < 9; turns++) await turn();  // what is done with the answer
};
"""


def stop_time(page: Page) -> Pass:
    """Let no time pass on ``page`` but the seconds given, with time to answer after each."""
    page.add_init_script(COUNT_WHAT_IS_UNDER_WAY)
    page.clock.install(time=NOON)
    page.clock.pause_at(NOON + timedelta(seconds=1))

    def let_pass(seconds: int) -> None:
        for _second in range(seconds):
            page.clock.run_for(1000)
            page.evaluate("settle()")

    return let_pass


def show(page: Page, *, hidden: bool) -> None:
    """Put another tab in front of this one, or this one in front of the others."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
