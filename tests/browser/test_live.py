"""Pages that refresh themselves, with the clock of the browser in the hand of the story."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Request, expect

from hailuo_django.models import Submission, VideoJob
from hailuo_django.testing import make_submitted_job, work
from tests.admin.pages import page_of

from .pages import admin_page
from .passing import Pass, show
from .stage import Stage
from .watching import Complaints

LIST = "videojob_changelist"


@pytest.fixture
def asked(operator: Page) -> list[str]:
    """The addresses that the pages of the story ask for by themselves, in order."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/live/" in request.url and request.redirected_from is None:
            asked.append(request.url.partition("/videojob/")[2])

    operator.on("request", note)
    return asked


def state(page: Page, job: VideoJob) -> Locator:
    """Where a page shows the state of a job."""
    return page.locator(f"[data-hailuo-part=state-{job.pk.hex}]")


def play(video: Locator) -> None:
    """Go to a video and press the key that plays it."""
    video.focus()
    video.press("Space")


def complete(stage: Stage, job: VideoJob) -> None:
    """Krea is done with it, and a worker has seen so."""
    end(stage, job, "completed")


def end(stage: Stage, job: VideoJob, status: str) -> None:
    """It has come to this end at Krea, and a worker has seen so."""
    stage.krea.move(job.submissions.latest("number").krea_job_id or "", status)
    work()


def test_the_list_changes_by_itself_when_a_video_is_done(
    operator: Page, stage: Stage, let_pass: Pass
) -> None:
    job = stage.running("A lighthouse at dusk.")
    operator.goto(admin_page(LIST))
    expect(state(operator, job)).to_contain_text("processing")
    announcer = operator.get_by_role("status").filter(has_text="lighthouse")

    let_pass(6)
    expect(announcer).to_have_count(0)
    complete(stage, job)
    let_pass(6)

    expect(state(operator, job)).to_contain_text("✓ completed")
    expect(operator.locator(f"[data-hailuo-part=spent-{job.pk.hex}]")).to_have_text("0.2835 USD")
    expect(announcer).to_have_text("A lighthouse at dusk.: completed")


def test_nothing_is_asked_any_more_once_all_is_done(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str]
) -> None:
    job = stage.running()
    stage.completed("Two cranes over a rice field.")
    operator.goto(admin_page(LIST))

    complete(stage, job)
    let_pass(6)
    assert asked == [f"live/?ids={job.pk.hex}"], "one request, about what runs only"
    expect(state(operator, job)).to_contain_text("completed")

    operator.clock.run_for(3_600_000)
    assert len(asked) == 1


def test_a_page_on_which_nothing_runs_asks_for_nothing(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str]
) -> None:
    stage.completed()
    stage.draft()
    for address in (admin_page(LIST), page_of(stage.failed()), admin_page("videojob_add")):
        operator.goto(address)
        operator.clock.run_for(3_600_000)
    assert asked == []


def test_a_page_without_news_asks_less_and_less(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str]
) -> None:
    stage.running()
    operator.goto(admin_page(LIST))

    let_pass(60)
    assert len(asked) in (7, 8), "after 5 s, 5.5 s, 6.05 s and so on"
    let_pass(240)
    before = len(asked)
    let_pass(60)
    assert len(asked) - before == 2, "every 30 s in the end"


def test_a_tab_that_nobody_looks_at_asks_once_a_minute(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str]
) -> None:
    stage.running()
    operator.goto(admin_page(LIST))
    show(operator, hidden=True)

    let_pass(179)
    assert len(asked) == 2

    show(operator, hidden=False)
    let_pass(2)
    assert len(asked) == 3, "at once for whoever comes back"


def test_a_site_in_trouble_is_asked_ever_more_rarely(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str], complaints: Complaints
) -> None:
    job = stage.running()
    operator.goto(admin_page(LIST))
    operator.route("**/live/**", lambda route: route.fulfill(status=503))

    let_pass(5 + 10 + 20 + 40 + 1)
    assert len(asked) == 4
    complaints.take("503: GET")

    operator.unroute("**/live/**")
    complete(stage, job)
    let_pass(80)
    expect(state(operator, job)).to_contain_text("completed")


def test_a_network_that_is_gone_is_trouble_too(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str], complaints: Complaints
) -> None:
    stage.running()
    operator.goto(admin_page(LIST))
    operator.route("**/live/**", lambda route: route.abort())

    let_pass(5 + 10 + 20 + 1)

    assert len(asked) == 3
    complaints.take("net::ERR_FAILED: GET")


def test_whoever_is_signed_out_is_not_asked_for_again(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str]
) -> None:
    stage.running()
    operator.goto(admin_page(LIST))
    operator.context.clear_cookies()

    let_pass(120)

    assert len(asked) == 1
    expect(operator).to_have_title("Select video job to change | Django site admin")


def test_what_was_deleted_is_not_asked_for_again(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str]
) -> None:
    job, other = stage.running(), stage.running("Another one.")
    operator.goto(admin_page(LIST))
    end(stage, job, "failed")
    VideoJob.objects.get(pk=job.pk).delete()

    let_pass(12)

    assert asked[-1] == f"live/?ids={other.pk.hex}"


def test_more_rows_than_one_request_may_name_take_turns(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str]
) -> None:
    for _job in range(101):
        make_submitted_job(owner=stage.operator)
    operator.goto(f"{admin_page(LIST)}?all=")

    let_pass(18)

    counts = [address.count(".") + 1 for address in asked]
    assert counts == [100, 1, 100]
    assert asked[0] == asked[2]


def test_the_video_appears_on_the_page_of_its_job_and_plays(
    operator: Page, stage: Stage, let_pass: Pass, asked: list[str]
) -> None:
    job = stage.running()
    operator.goto(page_of(job))
    expect(operator.locator("video")).to_have_count(0)

    complete(stage, job)
    let_pass(6)

    expect(operator.locator(".field-spent .readonly").last).to_contain_text("0.2835 USD")
    expect(operator.locator(".hailuo-timeline > li").first).to_contain_text("completed")
    expect(operator.locator(".hailuo-card")).to_contain_text("completed")
    expect(operator.get_by_text("This job has changed.")).to_be_hidden()
    video = operator.locator("video")
    assert video.evaluate("video => video.readyState") == 0, "nothing is loaded"
    play(video)
    expect(video).to_have_js_property("ended", True)
    assert asked == [f"live/?ids={job.pk.hex}", f"{job.pk}/live/"]


def test_a_video_that_plays_goes_on_while_the_rest_of_the_page_changes(
    operator: Page, stage: Stage, let_pass: Pass
) -> None:
    job = stage.completed()
    Submission.objects.update(status="failed")
    VideoJob.objects.update(status="failed")
    job.resubmit()
    work()
    Submission.objects.filter(number=1).update(status="completed")
    VideoJob.objects.update(status="completed")
    operator.goto(page_of(job))
    videos = operator.locator("video")
    for which in (0, 1):
        videos.nth(which).evaluate("video => { video.loop = true; }")
        play(videos.nth(which))
        expect(videos.nth(which)).to_have_js_property("paused", False)

    stage.krea.move(job.submissions.get(number=2).krea_job_id or "", "cancelled")
    work()
    let_pass(6)

    notice = operator.get_by_role("link", name="This job has changed. Show it as it is now.")
    expect(notice).to_be_visible()
    for which in (0, 1):
        expect(videos.nth(which)).to_have_js_property("paused", False)
    notice.click()
    expect(operator.locator(".hailuo-card").first).to_contain_text("cancelled")
    expect(notice).to_have_count(0)


def test_what_the_reader_has_opened_stays_open(
    operator: Page, stage: Stage, let_pass: Pass
) -> None:
    job = stage.running()
    operator.goto(page_of(job))
    raw = operator.locator("details").filter(has_text="Last answer from Krea")
    raw.locator("summary").click()
    expect(raw).to_contain_text('"processing"')

    complete(stage, job)
    let_pass(6)

    expect(raw).to_contain_text('"completed"')
    assert raw.evaluate("details => details.open")


def test_the_link_that_somebody_has_reached_by_keys_stays_theirs(
    operator: Page, stage: Stage, let_pass: Pass
) -> None:
    job = stage.lost()
    operator.goto(admin_page(LIST))
    link = operator.get_by_role("link", name="Decide about submission 1")
    link.focus()
    before = state(operator, job).inner_text()

    Submission.objects.update(sent_at=timezone.now() - timedelta(hours=3))
    let_pass(6)

    assert state(operator, job).inner_text() != before
    expect(link).to_be_focused()
