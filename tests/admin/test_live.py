"""Pages that refresh themselves: what they ask for, what they are told, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from pytest_django import Settings

from hailuo_django.admin.live import MAX_FOLLOWED
from hailuo_django.models import Submission, VideoJob
from hailuo_django.pricing import DURATIONS, RESOLUTIONS
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, Page, grant, page_of, person
from .test_job_page import HOSTILE, VIDEO, live_nodes

pytestmark = pytest.mark.django_db

LIVE = "admin:hailuo_django_videojob_live"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The moment at which a story stands still."""
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


def running(owner: User, *, seconds: float = 30, **fields: Any) -> VideoJob:
    """A job that was sent so long ago."""
    job = wanted(owner, **fields)
    sent_at = timezone.now() - timedelta(seconds=seconds)
    values = {"status": Status.PROCESSING, "krea_job_id": f"krea-{job.pk}", "sent_at": sent_at}
    Submission.objects.filter(job=job).update(**values)
    VideoJob.objects.filter(pk=job.pk).update(status=Status.PROCESSING)
    return job


def completed(owner: User, seconds: Sequence[float]) -> None:
    """Jobs that took so long."""
    then = timezone.now() - timedelta(days=1)
    for took in seconds:
        end = then + timedelta(seconds=took)
        job = ended(owner, Status.COMPLETED, sent_at=then, ended_at=end, result_url=VIDEO)
        VideoJob.objects.filter(pk=job.pk).update(completed_at=end)


def address(*jobs: VideoJob) -> str:
    """What a page asks for to refresh what it shows of ``jobs``."""
    return f"{reverse(LIVE)}?ids={'.'.join(job.pk.hex for job in jobs)}"


def parts(page: Page) -> dict[str, dict[str, str]]:
    """The attributes of every part of a page that may change, by its name."""
    named = (attrs for _, attrs in page.attributes if "data-hailuo-part" in attrs)
    return {attrs["data-hailuo-part"]: attrs for attrs in named}


def test_what_runs_is_followed_until_it_has_ended(browser: Browser, grace: User) -> None:
    job, done, waiting = running(grace), ended(grace, Status.FAILED), draft(grace)

    found = parts(browser.open(reverse(LIST)))

    mark = found[f"state-{job.pk.hex}"]
    assert mark["data-hailuo-follow"] == reverse(LIVE)
    assert mark["data-hailuo-job"] == job.pk.hex
    assert mark["data-hailuo-seconds"] == "5"
    assert mark["data-hailuo-said"] == "a lighthouse: processing"
    for other in (done, waiting):
        assert "data-hailuo-follow" not in found[f"state-{other.pk.hex}"]


def test_a_twin_that_may_still_be_billed_keeps_a_job_followed(
    browser: Browser, grace: User
) -> None:
    job = running(grace)
    VideoJob.objects.update(status=Status.COMPLETED, result_url=VIDEO)

    assert "data-hailuo-follow" in parts(browser.open(reverse(LIST)))[f"state-{job.pk.hex}"]


def test_the_answer_is_what_the_list_would_show_now(browser: Browser, grace: User) -> None:
    jobs = [running(grace), running(grace), running(grace)]
    before = browser.open(address(*jobs[:2]))
    assert {*parts(before)} == {f"{n}-{j.pk.hex}" for j in jobs[:2] for n in ("state", "spent")}

    Submission.objects.filter(job=jobs[0]).update(status=Status.COMPLETED)
    VideoJob.objects.filter(pk=jobs[0].pk).update(status=Status.COMPLETED, result_url=VIDEO)
    answer = browser.open(address(jobs[0]))
    page = browser.open(reverse(LIST))

    assert answer.text.startswith("✓ completed")
    assert answer.text.endswith("0.2835 USD")
    state, spent = parts(answer).values()
    assert parts(page)[state["data-hailuo-part"]] == state
    assert parts(page)[spent["data-hailuo-part"]] == spent
    assert "data-hailuo-follow" not in state, "there is nothing more to come"


def test_no_news_is_a_304(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    Submission.objects.update(created_at=timezone.now() - timedelta(minutes=5, seconds=20))
    first = browser.get(address(job))
    again = {"if-none-match": first.headers["ETag"]}

    answer = browser.get(address(job), headers=again)
    assert (answer.status_code, answer.content) == (304, b"")

    VideoJob.objects.update(status=Status.CANCELLED)
    assert browser.get(address(job), headers=again).status_code == 200


def test_nothing_keeps_an_answer_for_somebody_else(browser: Browser, grace: User) -> None:
    assert "no-store" in browser.get(address(wanted(grace))).headers["Cache-Control"]


@pytest.mark.parametrize(
    "ids",
    ["", "nonsense", "..", "%00", "1", ".".join(["0" * 32] * (MAX_FOLLOWED + 1))],
    ids=["none", "words", "dots", "nul", "number", "too many"],
)
def test_an_address_that_names_no_jobs_is_refused_in_words(browser: Browser, ids: str) -> None:
    answer = browser.get(f"{reverse(LIVE)}?ids={ids}")

    assert answer.status_code == 400
    assert answer.content.decode() == (
        "Name 1 to 100 jobs in ?ids= by their ids, with dots between them."
    )


def test_jobs_that_do_not_exist_are_left_out(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    html = browser.open(address(VideoJob(), job, VideoJob())).html
    assert html.count("data-hailuo-part") == 2


def test_refreshing_changes_nothing_and_takes_no_other_method(
    browser: Browser, grace: User
) -> None:
    job = wanted(grace)
    for path in (address(job), page_of(job, "live_page")):
        token = {
            "csrfmiddlewaretoken": browser.open(reverse(LIST)).forms["logout-form"][
                "csrfmiddlewaretoken"
            ][0]
        }
        assert browser.post(path, token).status_code == 405
        assert browser.head(path).status_code == 200


@pytest.mark.parametrize("view", ["live", "live_page"])
def test_refreshing_needs_the_right_to_see(db: None, view: str) -> None:
    user = person("eve", "submit", "cancel", "add")
    job = wanted(user)
    path = address(job) if view == "live" else page_of(job, view)

    assert Browser().open(path).address.startswith(reverse("admin:login"))
    assert Browser(user).open(path).status == 403
    assert grant(user, "view_videojob").open(path).status == 200


def test_a_guessed_id_shows_nothing_of_another_owner(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.admin.own_desk"
    mine, locked = wanted(grace), wanted(grace, reference="locked")
    others = wanted(person("olga"))

    page = browser.open(address(mine, others, locked))

    assert {*parts(page)} == {f"state-{mine.pk.hex}", f"spent-{mine.pk.hex}"}
    assert browser.open(page_of(mine, "live_page")).status == 200
    assert browser.open(page_of(locked, "live_page")).status == 403
    assert browser.open(page_of(others, "live_page")).status == 404
    assert browser.open(f"{reverse(LIST)}nonsense/live/").status == 404


def test_a_host_can_switch_refreshing_off(
    browser: Browser, grace: User, now: datetime, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.admin.own_desk"
    job = running(grace)

    for path in (reverse(LIST), page_of(job)):
        page = browser.open(path)
        assert "sent 30 s ago" in page.text
        assert "data-hailuo-follow" not in page.html
        assert "data-hailuo-page" not in page.html


def test_each_of_two_admins_asks_its_own_pages(
    settings: Settings, browser: Browser, grace: User
) -> None:
    settings.ROOT_URLCONF = "tests.admin.two_offices"
    job = running(grace)
    for prefix in ("/staff/", "/admin/"):
        page = browser.open(f"{prefix}hailuo_django/videojob/{job.pk}/change/")
        assert f'data-hailuo-follow="{prefix}' in page.html
        assert f'data-hailuo-page="{prefix}' in page.html


@pytest.mark.parametrize("rows", [1, MAX_FOLLOWED])
def test_one_row_and_a_hundred_cost_seven_queries(browser: Browser, grace: User, rows: int) -> None:
    # Session, user, two kinds of permissions; the jobs, their submissions; and what is known
    # of this kind of video, of which there are fifteen at most.
    jobs = [running(grace) for _row in range(rows)]

    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        answer = browser.open(address(*jobs))

    assert len(parts(answer)) == 2 * rows
    assert len(queries) == 7


def test_many_running_jobs_cost_the_list_as_many_queries_as_one(
    browser: Browser, grace: User, now: datetime
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
            assert "sent 30 s ago" in browser.open(reverse(LIST)).text
        return len(queries)

    running(grace)
    one = count()
    for duration in DURATIONS:
        for resolution in RESOLUTIONS:
            running(grace, resolution=resolution, duration=duration)

    assert count() == one


def test_an_ended_job_asks_for_no_expectation(browser: Browser, grace: User) -> None:
    completed(grace, [60] * 20)
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        browser.open(reverse(LIST))
    assert not [q for q in queries if "completed_at" in q["sql"].partition("ORDER BY")[2]]


@pytest.mark.parametrize(
    ("status", "fields", "words"),
    [
        (Status.UNSENT, {"created_at": 40}, "waiting for 40 s"),
        (Status.SUBMITTING, {"sent_at": 3}, "sent 3 s ago"),
        (Status.PROCESSING, {"sent_at": 130}, "sent 2 min ago"),
        (Status.UNCONFIRMED, {"sent_at": 12_000}, "sent 3 h 20 min ago"),
        (Status.COMPLETED, {"sent_at": 130, "ended_at": 5}, "took 2 min 5 s"),
        (Status.FAILED, {"sent_at": 90_000, "ended_at": 0}, "after 1 d 1 h"),
        (Status.CANCELLED, {"sent_at": 1, "ended_at": 5}, "after 0 s"),
    ],
)
def test_the_time_stands_on_the_page_without_any_script(
    browser: Browser,
    grace: User,
    now: datetime,
    status: Status,
    fields: dict[str, float],
    words: str,
) -> None:
    job = wanted(grace)
    moments = {name: now - timedelta(seconds=seconds) for name, seconds in fields.items()}
    Submission.objects.update(status=status, **moments)
    VideoJob.objects.update(status=status)

    for path in (reverse(LIST), page_of(job)):
        assert words in browser.open(path).text


def test_a_job_that_nobody_sent_tells_no_time(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.CANCELLED)
    ended(grace, Status.FAILED, sent_at=timezone.now(), ended_at=None)

    for path in (reverse(LIST), page_of(job)):
        assert 'class="hailuo-time"' not in browser.open(path).html


def test_the_time_of_a_job_is_that_of_its_first_video(
    browser: Browser, grace: User, now: datetime
) -> None:
    spans = {"sent_at": now - timedelta(minutes=60), "ended_at": now - timedelta(minutes=58)}
    job = ended(grace, Status.FAILED, **spans)
    job.resubmit()
    Submission.objects.filter(number=2).update(
        status=Status.COMPLETED, sent_at=now - timedelta(minutes=50), ended_at=now
    )
    Submission.objects.filter(number=1).update(status=Status.COMPLETED)
    VideoJob.objects.update(status=Status.COMPLETED)

    assert "took 2 min" in browser.open(reverse(LIST)).text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (10, "sent 10 s ago; usually done after 2 min (by {usual})"),
        (130, "sent 2 min ago; 9 of 10 are done after 3 min (by {long})"),
        (200, "sent 3 min ago; longer than usual: 9 of 10 took no longer than 3 min"),
    ],
)
def test_the_end_that_may_be_expected_stands_beside_it(
    browser: Browser, grace: User, now: datetime, seconds: float, words: str
) -> None:
    completed(grace, [100] * 17 + [170] * 4)
    job = running(grace, seconds=seconds)
    sent_at = timezone.localtime(now) - timedelta(seconds=seconds)
    usual, long = (
        date_format(sent_at + timedelta(minutes=minutes, seconds=59), "TIME_FORMAT")
        for minutes in (2, 3)
    )

    for path in (reverse(LIST), address(job), page_of(job)):
        assert words.format(usual=usual, long=long) in browser.open(path).text


def test_nothing_is_expected_below_twenty_samples(
    browser: Browser, grace: User, now: datetime
) -> None:
    completed(grace, [100] * 19)
    page = browser.open(page_of(running(grace)))

    assert "sent 30 s ago" in page.text
    assert "usually" not in page.text


def test_nothing_is_expected_of_what_krea_does_not_work_on(browser: Browser, grace: User) -> None:
    completed(grace, [100] * 20)
    running(grace)
    Submission.objects.filter(status=Status.PROCESSING).update(status=Status.UNCONFIRMED)

    assert "usually" not in browser.open(reverse(LIST)).text


def test_an_end_of_another_day_is_named_with_its_date(
    browser: Browser, grace: User, now: datetime
) -> None:
    completed(grace, [26 * 3600] * 20)
    end = timezone.localtime(now) + timedelta(hours=26, seconds=59)

    text = browser.open(page_of(running(grace, seconds=0))).text

    assert f"usually done after 1 d 2 h (by {date_format(end, 'SHORT_DATE_FORMAT')} " in text


def test_a_site_without_time_zones_expects_as_well(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.USE_TZ = False
    completed(grace, [40] * 20)
    job = running(grace, seconds=1)
    sent_at = Submission.objects.get(job=job).sent_at
    assert sent_at
    end = date_format(sent_at + timedelta(seconds=40 + 59), "TIME_FORMAT")

    assert f"usually done after 40 s (by {end})" in browser.open(page_of(job)).text


def test_an_answer_speaks_the_readers_language(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.LANGUAGE_CODE = "de"
    job = ended(grace, Status.COMPLETED, result_url=VIDEO)

    assert "0,2835 USD" in browser.open(address(job)).text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_when_it_is_refreshed(
    browser: Browser, grace: User, text: str
) -> None:
    calm, wild = wanted(grace, prompt="calm"), wanted(grace, prompt=text)

    for path in (address, lambda job: page_of(job, "live_page")):
        pages = [browser.open(path(job)) for job in (calm, wild)]
        assert live_nodes(pages[0]) == live_nodes(pages[1])


def test_the_page_of_a_job_is_asked_for_without_what_stands_around_it(
    browser: Browser, grace: User
) -> None:
    job = ended(grace, Status.COMPLETED, result_url=VIDEO)
    # A message waits for the page that its reader opens next.
    page = browser.open(reverse(LIST))
    data = {**page.forms["changelist-form"], "action": "sync_selected", "index": "0"}
    browser.post(reverse(LIST), {**data, "_selected_action": str(job.pk)})

    answer = browser.open(page_of(job, "live_page"))

    assert [video["src"] for video in answer.all("video")] == [VIDEO]
    for words in ("completed", "0.2835 USD", "Submission 1", "What happened", "a lighthouse"):
        assert words in answer.text
    assert not {"html", "form", "script", "link", "input"} & {*answer.nodes}
    assert "A worker will look at 1 job." in browser.open(page_of(job)).text


def test_what_is_refreshed_of_a_page_is_what_the_page_itself_shows(
    browser: Browser, grace: User
) -> None:
    job = running(grace)
    page, answer = browser.open(page_of(job)), browser.open(page_of(job, "live_page"))

    notice = next(attrs for _, attrs in page.attributes if "data-hailuo-page" in attrs)
    assert notice["data-hailuo-page"] == page_of(job, "live_page")
    assert "hidden" in notice, "it is shown only when refreshing fails"
    shown = [attrs for attrs in page.all("div") if attrs.get("class") == "readonly"]
    assert len(shown) == len([a for a in answer.all("div") if a.get("class") == "readonly"])
    assert {*parts(page)} == {*parts(answer)} >= {"submissions", "timeline"}


def test_scripts_and_styles_come_from_wherever_the_site_keeps_them(
    browser: Browser, grace: User, settings: Settings, tmp_path: Path
) -> None:
    manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    settings.STATIC_URL, settings.STATIC_ROOT = "https://cdn.example/s/", str(tmp_path)
    call_command("collectstatic", verbosity=0, interactive=False)

    for path in (reverse(LIST), page_of(running(grace))):
        page = browser.open(path)
        [script] = [s for s in page.all("script") if "live" in s.get("src", "")]
        [style] = [s for s in page.all("link") if "hailuo_django" in s.get("href", "")]
        assert script["type"] == "module"
        assert script["src"].startswith("https://cdn.example/s/hailuo_django/live.")
        assert style["href"].startswith("https://cdn.example/s/hailuo_django/admin.")
        assert not [attrs for _, attrs in page.attributes if "style" in attrs]
