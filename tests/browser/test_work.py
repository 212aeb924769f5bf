"""An operator at work: with a mouse, with keys alone, and where no script runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from hailuo_django.models import KreaAccount, VideoJob
from hailuo_django.states import Status
from tests.admin.pages import page_of

from .checks import check_accessible
from .keys import press_enter, skip_to_content, tab_to
from .looks import WITHOUT_JAVASCRIPT
from .pages import admin_page
from .stage import Stage

PROMPT = "Two cranes over a rice field at first light."
CONFIRM = "Submit 1 job for 0.2835 USD"


def test_a_job_is_written_and_submitted_with_keys_alone(operator: Page, stage: Stage) -> None:
    keys = operator.keyboard
    operator.goto(admin_page("videojob_changelist"))
    skip_to_content(operator)
    tab_to(operator.get_by_role("link", name="Add video job").last)
    press_enter(operator)
    expect(operator.get_by_role("textbox", name="Prompt")).to_be_focused()
    keys.type(PROMPT)
    tab_to(operator.get_by_role("button", name="Save", exact=True))
    press_enter(operator)
    skip_to_content(operator)
    tab_to(operator.get_by_role("row", name=PROMPT).get_by_role("checkbox"))
    keys.press("Space")
    tab_to(operator.get_by_label("Action:"))
    keys.type("Submit")
    tab_to(operator.get_by_role("button", name=re.compile("^(Go|Run)")))
    press_enter(operator)
    keys.press("Tab")  # from where the list was skipped to, which the browser has kept
    expect(operator.get_by_role("button", name="No, take me back")).to_be_focused()
    tab_to(operator.get_by_role("button", name=CONFIRM))
    press_enter(operator)

    expect(operator.get_by_text("1 job submitted")).to_be_visible()
    assert VideoJob.objects.get().status == Status.UNSENT


@pytest.mark.parametrize("look", [WITHOUT_JAVASCRIPT], ids=["no JavaScript"])
def test_a_job_is_written_and_submitted_without_javascript(operator: Page, stage: Stage) -> None:
    operator.goto(admin_page("videojob_add"))
    operator.get_by_role("textbox", name="Prompt").fill(PROMPT)
    operator.get_by_role("button", name="Save and submit…").click()
    operator.get_by_role("button", name=CONFIRM).click()

    expect(operator.get_by_text("1 job submitted")).to_be_visible()
    assert VideoJob.objects.get().status == Status.UNSENT


def test_a_video_plays_on_the_page_of_its_job_and_nothing_loads_before(
    operator: Page, stage: Stage
) -> None:
    asked: list[str] = []
    operator.on("request", lambda request: asked.append(request.url))
    operator.goto(page_of(stage.completed()), wait_until="networkidle")
    assert not [url for url in asked if url.startswith(stage.krea.url)]

    video = operator.locator("video")
    video.press("Space")
    expect(video).to_have_js_property("ended", True)
    assert {url for url in asked if url.startswith(stage.krea.url)} == {
        f"{stage.krea.url}/videos/{stage.krea.jobs[0].id}.mp4"
    }


def test_a_verdict_is_not_sent_before_it_is_confirmed(operator: Page, stage: Stage) -> None:
    job = stage.lost()
    operator.goto(admin_page("videojob_reconcile", job.pk, 1))
    give_up = operator.get_by_role("button", name="Give up")

    give_up.click()
    expect(operator.locator("#sure-give-up")).to_be_focused()
    assert VideoJob.objects.get().status == Status.UNCONFIRMED

    operator.locator("#sure-give-up").check()
    give_up.click()
    expect(operator.get_by_text("Gave submission 1 up.").first).to_be_visible()
    assert VideoJob.objects.get().status == Status.FAILED


def test_an_account_is_let_send_again_from_the_list(operator: Page, stage: Stage) -> None:
    stage.paused()
    operator.goto(admin_page("kreaaccount_changelist"))
    operator.get_by_role("row").get_by_role("checkbox").last.check()
    operator.get_by_label("Action:").select_option("Resume sending")
    operator.get_by_role("button", name=re.compile("^(Go|Run)")).click()

    expect(operator.get_by_text("1 account may send again.")).to_be_visible()
    assert KreaAccount.objects.get().send_after is None


def test_the_admins_own_switch_of_themes_reaches_our_pages(operator: Page, stage: Stage) -> None:
    operator.goto(page_of(stage.failed()))
    switch = operator.get_by_role("button", name="Toggle theme").first
    switch.click()  # from "auto" to what the system does not ask for
    expect(operator.locator("html")).to_have_attribute("data-theme", "dark")
    check_accessible(operator)
