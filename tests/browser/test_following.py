"""The page of a batch, which follows the workers, with the clock of the browser in hand."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from hailuo_django.models import Batch
from hailuo_django.testing import work

from .pages import admin_page
from .passing import Pass, show
from .stage import Stage
from .watching import Complaints

WITHOUT_HEADING = {
    "admin/base_site.html": "{% extends 'admin/base.html' %}{% block content_title %}{% endblock %}"
}


@pytest.fixture
def batch(operator: Page, let_pass: Pass, stage: Stage) -> Batch:
    """Six jobs that wait for a worker, and their page."""
    batch = stage.batch()
    operator.goto(admin_page("videojob_batch", batch.pk))
    return batch


@pytest.fixture
def asked(operator: Page, batch: Batch) -> list[str]:
    """The addresses that the page asks for by itself, in order."""
    asked: list[str] = []
    operator.on("request", lambda request: asked.append(request.url))
    return asked


def leave_out(batch: Batch, *numbers: int) -> None:
    batch.items.filter(number__in=numbers).update(outcome="skipped", reason="why not")


def test_the_page_of_a_batch_follows_the_workers(
    operator: Page, batch: Batch, let_pass: Pass
) -> None:
    bar = operator.get_by_role("progressbar", name="0 of 6 jobs are dealt with.")
    expect(bar).to_be_visible()
    expect(operator.get_by_text("Reload this page")).to_be_hidden()

    leave_out(batch, 1)
    batch.items.filter(number=2).update(outcome="done")
    let_pass(3)
    bar = operator.get_by_role("progressbar", name="2 of 6 jobs are dealt with.")
    expect(bar).to_have_js_property("value", 2)
    expect(operator.get_by_role("heading", name="Jobs submitted: 1 of 6")).to_be_visible()
    expect(operator).to_have_title(re.compile("^Jobs submitted: 1 of 6"))

    work()
    operator.clock.run_for(3_000)
    expect(operator.get_by_role("progressbar")).to_be_hidden()
    expect(operator.get_by_role("heading", name="Jobs submitted: 1 of 6")).to_be_visible()


def test_whoever_listens_is_told_ten_times_at_most(
    operator: Page, batch: Batch, let_pass: Pass
) -> None:
    batch.items.filter(number__gt=1).delete()
    batch.job_count = 100
    batch.save()
    for number in range(2, 101):
        batch.items.create(number=number, fingerprint="-")
    operator.reload()
    told = operator.get_by_role("status")

    leave_out(batch, *range(1, 10))
    let_pass(3)
    expect(operator.get_by_role("progressbar")).to_have_js_property("value", 9)
    expect(told).to_be_empty()
    leave_out(batch, *range(1, 12))
    let_pass(3)
    expect(told).to_have_text("11 of 100 jobs are dealt with.")
    leave_out(batch, *range(1, 20))
    let_pass(3)
    expect(operator.get_by_role("progressbar")).to_have_js_property("value", 19)
    expect(told).to_have_text("11 of 100 jobs are dealt with.")


def test_a_batch_without_news_is_asked_for_less_and_less(
    batch: Batch, let_pass: Pass, asked: list[str]
) -> None:
    let_pass(300)
    before = len(asked)
    assert before < 40, "not every 3 s"
    let_pass(60)
    assert len(asked) - before == 2, "every 30 s in the end"


def test_a_batch_that_nobody_looks_at_is_asked_for_once_a_minute(
    operator: Page, batch: Batch, let_pass: Pass, asked: list[str]
) -> None:
    show(operator, hidden=True)
    let_pass(125)
    assert len(asked) == 2

    show(operator, hidden=False)
    let_pass(2)
    assert len(asked) == 3, "at once for whoever comes back"


def test_a_page_that_follows_no_more_says_how_to(
    operator: Page, batch: Batch, let_pass: Pass
) -> None:
    operator.context.clear_cookies()
    let_pass(3)
    expect(operator.get_by_text("Reload this page")).to_be_visible()


def test_a_site_without_headings_is_followed_as_well(
    operator: Page, stage: Stage, let_pass: Pass, settings: Settings, complaints: Complaints
) -> None:
    [templates] = settings.TEMPLATES
    loaders = [
        ("django.template.loaders.locmem.Loader", WITHOUT_HEADING),
        "django.template.loaders.app_directories.Loader",
    ]
    options = {**templates["OPTIONS"], "loaders": loaders}
    settings.TEMPLATES = [{**templates, "APP_DIRS": False, "OPTIONS": options}]
    batch = stage.batch()
    operator.goto(admin_page("videojob_batch", batch.pk))
    expect(operator.get_by_role("heading", level=1)).to_have_count(0)

    for number in (1, 2):
        leave_out(batch, number)
        let_pass(3)
        bar = operator.get_by_role("progressbar", name=f"{number} of 6 jobs are dealt with.")
        expect(bar).to_be_visible()
    assert complaints == []
