"""What is ordered in the gallery: paid for once whatever happens, and never unseen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Route, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django.models import IdempotencyKey, VideoJob

from .visitor import JOBS, ORDERED, QUOTE, order, press
from .watching import Complaints
from .windows import enter

Ending = Callable[[Route], None]

PAGES_CLOCK = """
AbortSignal.timeout = (milliseconds) => {
  const late = new AbortController();
  setTimeout(() => late.abort(new DOMException("late", "TimeoutError")), milliseconds);
  return late.signal;
};
"""
"""Has the limit of a request go by the clock that a story moves, as the page's other times do."""


def lost(route: Route) -> None:
    """The order arrives, and its answer does not."""
    route.fetch()
    route.abort()


def broken_off(route: Route) -> None:
    """The order arrives, and half of its answer does."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text()[:100])


def a_page(route: Route) -> None:
    """The order does not arrive: somebody on the way answers in the place of the site."""
    route.fulfill(status=200, content_type="text/html", body="<h1>Sign in to the network</h1>")


def away(route: Route) -> None:
    """The order does not arrive, and whoever is on the way says so."""
    route.fulfill(status=503, body="<h1>Away</h1>")


def by_a_proxy(status: int, body: str = "<h1>No</h1>") -> Ending:
    """The order arrives, and whoever is on the way says no in the place of the site."""

    def ending(route: Route) -> None:
        route.fetch()
        route.fulfill(status=status, body=body)

    return ending


def unanswered(route: Route) -> None:
    """The order arrives, and its answer takes forever."""
    route.fetch()


def order_that_ends(page: Page, ending: Ending) -> None:
    """Order, where the first try ends so and the next one is not due before the clock is moved."""
    endings = [ending]

    def intercept(route: Route) -> None:
        if route.request.method == "POST" and endings:
            endings.pop()(route)
        else:
            route.fallback()

    page.clock.install()
    page.route(JOBS, intercept)
    order(page)


def assert_ordered_once(page: Page) -> None:
    expect(page.get_by_role("status")).to_have_text(ORDERED)
    expect(page.get_by_role("listitem")).to_have_count(1)
    assert VideoJob.objects.count() == 1


def test_a_double_click_orders_once(gallery: Page) -> None:
    gallery.get_by_label("Prompt").fill("A lighthouse at dusk.")
    expect(gallery.locator("#price")).to_contain_text("It costs")
    gallery.get_by_role("button", name="Make this video").dblclick()
    assert_ordered_once(gallery)


@pytest.mark.parametrize(
    ("ending", "complaint"),
    [
        (lost, "net::ERR_FAILED: POST"),
        (broken_off, ""),
        (a_page, ""),
        (away, "503: POST"),
        (by_a_proxy(425), "425: POST"),
        (by_a_proxy(408), "408: POST"),
        (by_a_proxy(403, '{"message": "Forbidden"}'), "403: POST"),
        (by_a_proxy(400, '{"code": 400, "errors": [{"code": 7}]}'), "400: POST"),
        (by_a_proxy(404, "null"), "404: POST"),
        (by_a_proxy(410, '{"error": {"code": "ResourceNotFound", "message": "No"}}'), "410: POST"),
        (by_a_proxy(421, '{"errors": [{"code": "route_not_found"}]}'), "421: POST"),
        (by_a_proxy(406, '{"code": "not_acceptable"}'), "406: POST"),
        (by_a_proxy(200, "{}"), ""),
    ],
)
def test_an_order_without_an_answer_is_asked_again_by_itself(
    gallery: Page, complaints: Complaints, ending: Ending, complaint: str
) -> None:
    order_that_ends(gallery, ending)
    expect(gallery.get_by_role("status")).to_contain_text("counts once")
    gallery.clock.run_for(2_000)

    assert_ordered_once(gallery)
    if complaint:  # the browser has none about what looks like an answer
        complaints.take(complaint)


def test_what_the_site_may_have_forgotten_is_not_ordered_again(
    gallery: Page, complaints: Complaints
) -> None:
    """A laptop that slept over a weekend: after 24 hours the same key is another order."""
    order_that_ends(gallery, lost)
    expect(gallery.get_by_role("status")).to_contain_text("counts once")
    IdempotencyKey.objects.all().delete()
    gallery.clock.fast_forward("21:00:00")

    expect(gallery.get_by_role("status")).to_contain_text("look for it among your videos")
    assert VideoJob.objects.count() == 1
    expect(gallery.get_by_label("Prompt")).to_be_enabled()
    complaints.take("net::ERR_FAILED: POST")


def test_nothing_is_ordered_for_more_than_the_page_shows(
    gallery: Page, settings: Settings, complaints: Complaints
) -> None:
    gallery.get_by_label("Prompt").fill("A lighthouse at dusk.")
    expect(gallery.locator("#price")).to_contain_text("It costs 0.2835 USD.")
    settings.HAILUO = {**settings.HAILUO, "PRICES": {"768p": {6: "9.99"}}}
    press(gallery)

    expect(gallery.get_by_role("status")).to_contain_text("Nothing was asked for.")
    expect(gallery.locator("#price")).to_contain_text("It costs 9.99 USD.")
    assert not VideoJob.objects.exists()
    complaints.take("409: POST")
    press(gallery)
    expect(gallery.get_by_role("status")).to_have_text("Ordered for 9.99 USD.")


def test_a_reload_in_the_middle_orders_once(gallery: Page) -> None:
    with gallery.expect_request(JOBS):
        order_that_ends(gallery, unanswered)
    gallery.reload()

    assert_ordered_once(gallery)
    # It is in the list and in the answer, and is watched once.
    asked: list[str] = []
    gallery.on("request", lambda request: asked.append(request.url))
    path = f"/api/jobs/{VideoJob.objects.get().pk}/"
    with gallery.expect_response(lambda answer: answer.url.endswith(path)):
        gallery.clock.run_for(10_000)
    assert len(asked) == 1


def test_who_was_signed_out_meanwhile_orders_once(
    gallery: Page, ada: User, live_server: LiveServer, complaints: Complaints
) -> None:
    order_that_ends(gallery, lost)
    expect(gallery.get_by_role("status")).to_contain_text("counts once")
    Session.objects.all().delete()
    gallery.clock.run_for(2_000)

    expect(gallery.get_by_role("status")).to_contain_text("It may have been ordered")
    expect(gallery.get_by_label("Prompt")).to_be_disabled()
    enter(gallery, live_server.url, ada)
    gallery.reload()
    assert_ordered_once(gallery)
    complaints.take("net::ERR_FAILED: POST", "403: ")


def test_who_sits_down_at_the_same_screen_pays_for_nothing(
    gallery: Page, ada: User, grace: User, live_server: LiveServer, complaints: Complaints
) -> None:
    order_that_ends(gallery, away)
    expect(gallery.get_by_role("status")).to_contain_text("counts once")
    enter(gallery, live_server.url, grace)
    gallery.reload()
    expect(gallery.get_by_role("status")).to_have_text("There are no videos yet.")
    assert not VideoJob.objects.exists()

    enter(gallery, live_server.url, ada)
    gallery.reload()
    assert_ordered_once(gallery)
    assert VideoJob.objects.get().owner == ada
    complaints.take("503: POST")


def test_nothing_is_ordered_before_its_price_is_seen(gallery: Page) -> None:
    price = gallery.locator("#price")
    expect(price).to_contain_text("It costs 0.2835 USD.")
    gallery.get_by_label("Prompt").fill("A lighthouse at dusk.")
    gallery.clock.install()
    gallery.get_by_label("Duration").select_option("10 s")
    press(gallery)

    expect(gallery.get_by_role("status")).to_have_text("See what it costs first.")
    expect(price).to_be_empty()
    gallery.clock.run_for(300)
    expect(price).to_contain_text("It costs 0.4725 USD.")
    press(gallery)
    expect(gallery.get_by_role("status")).to_have_text("Ordered for 0.4725 USD.")
    assert VideoJob.objects.get().duration == 10


def test_a_price_that_nobody_told_is_asked_for_again(gallery: Page, complaints: Complaints) -> None:
    price = gallery.locator("#price")
    expect(price).to_contain_text("It costs")
    gallery.clock.install()
    gallery.route(QUOTE, away, times=1)
    gallery.get_by_label("Duration").select_option("10 s")
    gallery.clock.run_for(300)
    expect(price).to_have_text("The site does not say what it costs.")
    gallery.clock.run_for(5_000)

    expect(price).to_contain_text("It costs 0.4725 USD.")
    assert complaints.pop().startswith("503")


def test_a_price_that_is_not_told_at_all_is_asked_for_again(gallery: Page) -> None:
    price = gallery.locator("#price")
    expect(price).to_contain_text("It costs")
    gallery.clock.install()
    gallery.evaluate(PAGES_CLOCK)
    gallery.route(QUOTE, lambda route: None, times=1)
    with gallery.expect_request(QUOTE):
        gallery.get_by_label("Duration").select_option("10 s")
        gallery.clock.run_for(300)
    gallery.clock.run_for(30_000)
    expect(price).to_have_text("The site does not say what it costs.")
    gallery.clock.run_for(5_000)

    expect(price).to_contain_text("It costs 0.4725 USD.")


def test_a_page_without_tls_orders_as_well(gallery: Page) -> None:
    gallery.evaluate("Object.defineProperty(crypto, 'randomUUID', { value: undefined })")
    order(gallery)
    assert_ordered_once(gallery)
    assert len({*IdempotencyKey.objects.values_list("key", flat=True)}) == 1


def test_the_keyboard_goes_on_where_it_was(gallery: Page) -> None:
    order(gallery)
    expect(gallery.get_by_role("status")).to_have_text(ORDERED)
    expect(gallery.get_by_label("Prompt")).to_be_focused()
