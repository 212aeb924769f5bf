"""What is hard to read: long words, narrow screens, two directions of writing."""

from __future__ import annotations

import pytest
from django.utils.timezone import localtime
from playwright.sync_api import Page, expect

from hailuo_django.testing import make_job
from tests.admin.pages import page_of

from .checks import check_fits
from .looks import ARABIC, NARROWEST
from .pages import admin_page
from .stage import Stage

ENDS_OF_WORDS = """([cell, ...words]) => words.map(word => {
    const found = document.createNodeIterator(cell, NodeFilter.SHOW_TEXT);
    let text = found.nextNode();
    while (!text.data.includes(word)) text = found.nextNode();
    const range = document.createRange();
    range.setStart(text, text.data.indexOf(word));
    range.setEnd(text, text.data.indexOf(word) + word.length);
    return range.getBoundingClientRect().right;
})"""


def stand_in_order(page: Page, cell: str, *words: str) -> bool:
    """Tell whether these words of one line stand from left to right."""
    handle = page.locator(cell).first.element_handle()
    ends: list[float] = page.evaluate(ENDS_OF_WORDS, [handle, *words])
    return ends == sorted(ends)


def propose(page: Page) -> None:
    """Ask on the list what all its jobs cost."""
    page.goto(admin_page("videojob_changelist"))
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("submit_selected")
    page.locator("button[name=index]").click()


def test_a_long_word_leaves_state_and_price_in_sight(operator: Page, stage: Stage) -> None:
    stage.draft("A" * 5000)
    operator.goto(admin_page("videojob_changelist"))

    expect(operator.get_by_role("cell", name="0.2835 USD")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("look", [NARROWEST], ids=["320 px"])
def test_what_a_job_costs_is_read_on_the_narrowest_screen(operator: Page, stage: Stage) -> None:
    make_job(owner=stage.operator, resolution="512p", duration=8)
    propose(operator)

    check_fits(operator)
    advice = operator.get_by_role("cell", name="10 s at 512p costs less").bounding_box()
    assert advice
    assert advice["width"] > advice["height"] / 2


@pytest.mark.parametrize("look", [ARABIC], ids=["ar"])
def test_amounts_and_advice_keep_their_order_from_right_to_left(
    operator: Page, stage: Stage
) -> None:
    make_job(owner=stage.operator, resolution="512p", duration=8)
    operator.goto(admin_page("videojob_changelist"))
    expect(operator.locator("html")).to_have_attribute("dir", "rtl")
    assert stand_in_order(operator, ".field-price", "0,3780", "USD")

    propose(operator)
    assert stand_in_order(operator, "tfoot td", "0,3780", "USD")
    assert stand_in_order(operator, "tbody td.hailuo-wordy", "10", "s at 512p")


@pytest.mark.parametrize("look", [ARABIC], ids=["ar"])
def test_times_and_titles_keep_their_order_from_right_to_left(operator: Page, stage: Stage) -> None:
    batch = stage.batch()
    confirmed = localtime(batch.confirmed_at)
    operator.goto(admin_page("videojob_batch", batch.pk))
    assert stand_in_order(operator, "h1", "Jobs submitted", "0 of", "6")
    # In Arabic the day stands on the right, in between English words.
    when = (f"{confirmed:%H:%M:%S}", f"{confirmed:%Y}", f"{confirmed:%d}".lstrip("0"))
    assert stand_in_order(operator, "[data-hailuo-outcomes] caption", "Confirmed", *when, "by")

    job = stage.resubmitted()
    operator.goto(page_of(job))
    assert stand_in_order(operator, ".fieldBox.field-duration .readonly", "6", "s")
    assert stand_in_order(operator, ".hailuo-since", "0", "s later")
    assert stand_in_order(operator, ".hailuo-what span:has-text('spent')", "0,2835", "USD spent")
