"""What something costs, as it is written and as it is confirmed."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from hailuo_django.models import Submission

from .pages import admin_page
from .stage import Stage
from .watching import Complaints

LATER = "They appear here when you save."


def quote(page: Page) -> Locator:
    """Where the form of a draft tells its price and advice."""
    return page.locator("[data-hailuo-quote]")


def test_price_and_advice_follow_the_fields_and_the_prompt_stays_where_it_is(
    operator: Page, stage: Stage, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "1"}}
    asked: list[str] = []
    operator.on("request", lambda request: asked.append(request.url + str(request.post_data)))
    operator.goto(admin_page("videojob_add"))
    told = quote(operator)
    expect(told).to_contain_text("0.2835 USD")
    expect(told).to_contain_text("The site's budget of a day: 0.7165 USD stay after it.")
    expect(told).not_to_contain_text(LATER)

    operator.get_by_label("Resolution").select_option("512p")
    operator.get_by_label("Duration").select_option("8 s")
    expect(told).to_contain_text("0.3780 USD")
    expect(told).to_contain_text("10 s at 512p costs less")
    operator.get_by_label("Duration").select_option("10 s")
    expect(told).to_contain_text("0.1575 USD")
    operator.get_by_label("Start image").fill("https://pictures.example/a.png")
    expect(told).not_to_contain_text("start image")
    operator.get_by_role("textbox", name="Prompt").fill("secret " * 300)
    expect(told).to_contain_text("at most 2000 characters of a prompt; this has 2099.")

    assert not [address for address in asked if "secret" in address or "pictures" in address]


def test_a_price_that_may_be_wrong_is_not_shown(
    operator: Page, stage: Stage, complaints: Complaints
) -> None:
    operator.goto(admin_page("videojob_add"))
    told = quote(operator)
    expect(told).to_contain_text("0.2835 USD")

    operator.route("**/quote/**", lambda route: route.abort())
    operator.get_by_label("Resolution").select_option("1080p")
    expect(told).to_have_text(LATER)
    assert "ERR_FAILED" in complaints.pop()

    operator.unroute("**/quote/**")
    operator.get_by_label("Duration").select_option("10 s")
    expect(told).to_contain_text("0.9450 USD")


def test_a_double_click_buys_once(operator: Page, stage: Stage) -> None:
    jobs = [stage.draft(), stage.draft()]
    operator.goto(admin_page("videojob_changelist"))
    operator.locator("#action-toggle").check()
    operator.get_by_label("Action:").select_option("submit_selected")
    operator.locator("button[name=index]").click()

    operator.get_by_role("button", name="Submit 2 jobs for 0.5670 USD").dblclick()

    expect(operator.get_by_role("heading", name="Jobs submitted: 2 of 2")).to_be_visible()
    assert Submission.objects.count() == len(jobs)
