"""The gallery of the example project: how a page calls the API, and what a visitor sees of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings

from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.testing import make_job, work
from tests.api.people import person

from .checks import check_accessible, check_fits
from .conftest import SignIn
from .keys import tab_to
from .looks import DARK, DARK_PHONE, DESKTOP, NARROWEST, PHONE, WITHOUT_JAVASCRIPT
from .stage import HOSTILE
from .visitor import order
from .watching import Complaints

pytestmark = pytest.mark.usefixtures("example_site")


def test_a_visitor_sees_the_price_orders_watches_and_plays(gallery: Page, krea: Sandbox) -> None:
    expect(gallery.get_by_text("It costs 0.2835 USD.")).to_be_visible()
    gallery.get_by_label("Resolution").select_option("512p")
    gallery.get_by_label("Duration").select_option("8 s")
    expect(gallery.get_by_text("It costs 0.378 USD.")).to_be_visible()
    expect(gallery.locator("#price")).to_contain_text("10 s at 512p costs less")
    gallery.get_by_label("Prompt").fill("w" * 2001)
    expect(gallery.locator("#price")).to_contain_text("at most 2000 characters")
    gallery.get_by_label("Resolution").select_option("768p")
    gallery.get_by_label("Duration").select_option("6 s")

    order(gallery)

    expect(gallery.get_by_role("status")).to_have_text("Ordered for 0.2835 USD.")
    expect(gallery.get_by_label("Prompt")).to_have_value("")
    video = gallery.get_by_role("listitem").filter(has_text="A lighthouse at dusk.")
    expect(video).to_contain_text("waiting to be sent")
    work()
    krea.move(krea.jobs[0].id, "completed")
    work()
    gallery.reload()  # sooner than the ten seconds after which it asks by itself
    expect(video.locator(".state")).to_have_text("ready")
    player = video.locator("video")
    assert player.evaluate("video => [video.paused, video.readyState]") == [True, 0]
    player.evaluate("video => { video.muted = true; return video.play(); }")
    assert player.evaluate("video => video.videoWidth") > 0


def test_it_is_watched_until_its_end_and_no_longer(gallery: Page, krea: Sandbox) -> None:
    asked: list[tuple[int, str | None]] = []
    gallery.clock.install()
    order(gallery)
    video = gallery.get_by_role("listitem")
    expect(video.locator(".state")).to_have_text("waiting to be sent")
    path = f"/api/jobs/{VideoJob.objects.get().pk}/"

    def look() -> None:
        with gallery.expect_response(lambda answer: answer.url.endswith(path)) as answer:
            gallery.clock.run_for(60_000)
        condition = answer.value.request.header_value("if-none-match")
        asked.append((answer.value.status, condition))

    look()
    look()
    work()
    krea.move(krea.jobs[0].id, "completed")
    work()
    look()

    expect(video.locator(".state")).to_have_text("ready")
    expect(gallery.get_by_role("status")).to_have_text("ready: A lighthouse at dusk.")
    assert [status for status, _etag in asked] == [200, 304, 200]
    assert [bool(etag) for _status, etag in asked] == [False, True, True]
    gallery.on("request", lambda request: pytest.fail(f"{request.url} is asked for again"))
    gallery.clock.run_for(600_000)


def test_that_nobody_is_signed_in_any_more_is_said_at_the_video(
    gallery: Page, complaints: Complaints
) -> None:
    gallery.clock.install()
    order(gallery)
    expect(gallery.get_by_role("listitem")).to_have_count(1)
    gallery.context.clear_cookies()
    gallery.clock.run_for(60_000)

    expect(gallery.locator(".note")).to_have_text("Sign in again, please.")
    assert complaints.pop().startswith("403")


def test_what_the_budget_has_no_room_for_is_said_in_words(
    gallery: Page, settings: Settings, complaints: Complaints
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "0.1"}}
    gallery.reload()
    expect(gallery.locator("#price")).to_contain_text("The budget has room for 0.1 USD.")
    order(gallery)

    said = gallery.get_by_role("status")
    expect(said).to_contain_text("The budget has no room for 0.2835 USD until")
    assert complaints.pop().startswith("402")
    expect(gallery.get_by_label("Prompt")).to_have_value("A lighthouse at dusk.")
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "1"}}
    gallery.get_by_role("button", name="Make this video").click()
    expect(said).to_have_text("Ordered for 0.2835 USD.")


def test_what_is_wrong_stands_at_its_field(gallery: Page, complaints: Complaints) -> None:
    order(gallery, " ")

    field = gallery.get_by_label("Prompt")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(gallery.locator("#prompt-error")).to_have_text("Say what the video shows.")
    assert complaints.pop().startswith("400")
    check_accessible(gallery)


def test_ones_own_videos_are_there_page_by_page_and_nobody_elses(
    sign_in: SignIn, ada: User, grace: User
) -> None:
    for number in range(12):
        make_job(prompt=f"video {number}", owner=ada)
    make_job(prompt="a secret of Grace's", owner=grace)
    page = sign_in(ada)
    page.goto("/gallery/")

    expect(page.get_by_role("listitem")).to_have_count(10)
    tab_to(page.get_by_role("button", name="Older videos"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem")).to_have_count(12)
    expect(page.get_by_role("listitem").nth(10)).to_be_focused()
    expect(page.get_by_role("button", name="Older videos")).to_be_hidden()
    expect(page.get_by_text("secret")).to_have_count(0)


def test_hostile_words_are_words(gallery: Page, krea: Sandbox) -> None:
    order(gallery, HOSTILE)
    work()
    krea.misbehave("hostile_text", on="generate")
    order(gallery, "[fails] [hostile_text]")
    expect(gallery.get_by_role("listitem")).to_have_count(2)
    work()
    krea.move(krea.jobs[1].id, "failed")
    work()
    gallery.reload()

    expect(gallery.locator("#videos h2").last).to_have_text(HOSTILE)
    expect(gallery.locator("#videos")).to_contain_text("<script>alert(1)</script>")
    assert gallery.locator("#videos").locator("script, img, iframe, svg").count() == 0


def test_who_may_not_order_is_told_so(sign_in: SignIn, complaints: Complaints) -> None:
    page = sign_in(person("eve"))
    page.goto("/gallery/")

    expect(page.get_by_text("You may watch your videos, but not order any")).to_be_visible()
    expect(page.get_by_role("button", name="Make this video")).to_have_count(0)


def test_it_is_for_who_signs_in(sign_in: SignIn, ada: User) -> None:
    ada.set_password("correct horse")
    ada.save()
    page = sign_in(ada)
    page.context.clear_cookies()
    for path in ("/", "/gallery/"):
        answer = page.goto(path)
        assert answer and "default-src 'none'" in answer.headers["content-security-policy"]
        check_accessible(page)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Your videos")).to_be_visible()


def test_everybody_can_read_it_on_every_screen(gallery: Page, krea: Sandbox) -> None:
    order(gallery, "A lighthouse at dusk. " * 20 + "w" * 200)
    expect(gallery.get_by_role("listitem")).to_have_count(1)
    work()
    krea.move(krea.jobs[0].id, "completed")
    work()
    for look in (DESKTOP, DARK, PHONE, DARK_PHONE, NARROWEST):
        look.change(gallery)
        gallery.reload()
        expect(gallery.locator("video")).to_be_visible()
        check_fits(gallery)
        check_accessible(gallery)


def test_without_javascript_it_says_what_it_needs(sign_in: SignIn, ada: User) -> None:
    page = sign_in(ada, WITHOUT_JAVASCRIPT)
    page.goto("/gallery/")

    expect(page.locator("noscript p")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
