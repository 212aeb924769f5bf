"""The overview: who may open it, what needs attention and the way out, how things stand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.urls import path, reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import pacing
from hailuo_django.admin import VideoJobAdmin
from hailuo_django.krea.errors import AccountProblem
from hailuo_django.models import JobEvent, KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted
from tests.webhooks.rows import SITE

from .overview import OVERVIEW, beat, change, concerns, links, move_back, overview
from .pages import LIST, Browser, grant, page_of, person

pytestmark = pytest.mark.django_db

VIDEO = "https://gen.krea.ai/v.mp4"
DECIDE = "admin:hailuo_django_videojob_reconcile"
APP = "/admin/hailuo_django/"
STRANGERS = "/admin/hailuo_django/stranger/?known=open"
ACCOUNTS = "/admin/hailuo_django/kreaaccount/"
HEARTBEATS = "/admin/hailuo_django/heartbeat/"
HOSTILE = "</bdi></text><script>alert(1)</script><img src=x>\u202e"


@pytest.fixture
def running_worker(db: None) -> None:
    """A worker that has just finished a sweep."""
    beat(seconds=20)


# Who may open it


def test_the_page_is_for_those_who_may_see_jobs() -> None:
    assert Browser().open(reverse(OVERVIEW)).address.startswith(reverse("admin:login"))
    user = person("eve", "add", "submit", "cancel", "delete", "reconcile")
    assert Browser(user).open(reverse(OVERVIEW)).status == 403
    assert grant(user, "view_videojob").open(reverse(OVERVIEW)).status == 200


def test_it_only_reads(browser: Browser) -> None:
    form = browser.open(reverse(OVERVIEW)).forms["logout-form"]
    assert browser.post(reverse(OVERVIEW), form).status_code == 405


def test_the_list_and_the_page_of_the_app_lead_to_it(browser: Browser) -> None:
    for address in (reverse(LIST), APP):
        assert reverse(OVERVIEW) in links(browser.open(address))
    assert reverse(OVERVIEW) not in links(browser.open(reverse(LIST) + "?_popup=1"))

    eve = grant(person("eve"), "view_heartbeat")
    assert reverse(OVERVIEW) not in links(eve.open(APP))


# What needs attention


def test_nothing_needs_attention_where_all_is_well(
    browser: Browser, grace: User, running_worker: None
) -> None:
    draft(grace)
    wanted(grace)
    ended(grace, Status.COMPLETED, result_url=VIDEO)
    ended(grace, Status.FAILED, failure_code="moderation")

    page = overview(browser)
    assert concerns(page) == []
    assert "Nothing needs attention." in page.text


def test_a_lost_answer_leads_whoever_may_decide_to_its_page(
    lost: VideoJob, judge: User, browser: Browser
) -> None:
    decide = reverse(DECIDE, args=[lost.pk, 1])
    page = overview(Browser(judge))
    assert "The answer to 1 submission was lost" in page.text
    assert "Decide about submission 1 of A lighthouse at dusk." in page.text
    assert {decide, f"{reverse(LIST)}?attention=unconfirmed"} <= {*links(page)}

    page = overview(browser)
    assert "Somebody who may decide about unconfirmed submissions is needed." in page.text
    assert decide not in links(page)
    assert page_of(lost) in links(page)


def test_what_is_decided_about_needs_no_attention(
    lost: VideoJob, judge: User, running_worker: None
) -> None:
    change(lost, candidate_id="krea-7")
    assert concerns(overview(Browser(judge))) == []


def test_what_takes_too_long_is_named(browser: Browser, grace: User, running_worker: None) -> None:
    late, done = wanted(grace), ended(grace, Status.COMPLETED, result_url=VIDEO)
    change(late, status=Status.PROCESSING, overdue_at=timezone.now())
    change(done, overdue_at=timezone.now())

    page = overview(browser)
    assert concerns(page) == ["overdue"]
    assert "1 submission takes longer than 4 h." in page.text
    assert page_of(late) in links(page)
    assert page_of(done) not in links(page)
    assert f"{reverse(LIST)}?attention=overdue" in links(page)


def test_what_never_ends_leads_whoever_may_decide_to_its_page(
    judge: User, running_worker: None
) -> None:
    never, unsent = wanted(judge), wanted(judge)
    change(never, status=Status.PROCESSING, krea_job_id="krea-7", overdue_at=timezone.now())
    change(unsent, overdue_at=timezone.now())
    page = overview(Browser(judge))
    assert "2 submissions take longer than 4 h." in page.text
    decide = [reverse(DECIDE, args=[job.pk, 1]) for job in (never, unsent)]
    assert [address in links(page) for address in decide] == [True, False]
    assert page_of(unsent) in links(page)


@pytest.mark.parametrize(
    "url",
    ["", "https://elsewhere.example/v.mp4", "http://gen.krea.ai/v.mp4", "https://gen.krea.ai.x/v"],
)
def test_a_video_that_cannot_be_linked_is_named(
    browser: Browser, grace: User, running_worker: None, url: str
) -> None:
    job = ended(grace, Status.COMPLETED, result_url=url)
    old = ended(grace, Status.COMPLETED, result_url=url)
    move_back(old, days=31)

    page = overview(browser)
    assert concerns(page) == ["flagged"]
    assert "1 video of the last 30 days has no address that this site links." in page.text
    assert page_of(job) in links(page)


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example/v.mp4", "HTTPS://Gen.Krea.ai:443/v", "http://127.0.0.1:9/v"]
)
def test_a_video_on_a_host_of_the_sites_is_fine(
    browser: Browser, grace: User, running_worker: None, settings: Settings, url: str
) -> None:
    hosts = ["gen.krea.ai", "elsewhere.example", "127.0.0.1"]
    settings.HAILUO = {**settings.HAILUO, "RESULT_HOSTS": hosts}
    ended(grace, Status.COMPLETED, result_url=url)
    assert concerns(overview(browser)) == []


def test_every_video_is_doubtful_where_no_host_is_named(
    browser: Browser, grace: User, running_worker: None, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "RESULT_HOSTS": []}
    ended(grace, Status.COMPLETED, result_url=VIDEO)
    assert concerns(overview(browser)) == ["flagged"]


def test_an_announcement_owed_for_long_is_named(
    browser: Browser, grace: User, running_worker: None
) -> None:
    job = wanted(grace)
    owed = JobEvent.objects.filter(job=job)
    owed.update(created_at=timezone.now() - timedelta(minutes=9))
    assert concerns(overview(browser)) == []

    # Also while a process has it: a receiver may kill one after the other.
    owed.update(
        created_at=timezone.now() - timedelta(minutes=11),
        announce_after=timezone.now() + timedelta(minutes=4),
    )
    page = overview(browser)
    assert concerns(page) == ["unannounced"]
    assert "1 announcement has been owed for more than 10 min" in page.text
    assert page_of(job) in links(page)


def test_jobs_that_nobody_ordered_are_told_to_those_who_may_see_them(
    browser: Browser, grace: User, running_worker: None
) -> None:
    Stranger.objects.create(krea_job_id="another-programs", account="x")
    Stranger.objects.create(krea_job_id="dismissed", dismissed_at=timezone.now())
    ended(grace, Status.FAILED, krea_job_id="known-since")
    Stranger.objects.create(krea_job_id="known-since")
    assert concerns(overview(browser)) == []

    page = overview(grant(grace, "view_stranger"))
    assert concerns(page) == ["strangers"]
    assert "1 job of Krea's is on record for no submission." in page.text
    assert STRANGERS in links(page)


def test_a_worker_that_is_not_there_is_missed(browser: Browser, grace: User) -> None:
    page = overview(browser)
    assert concerns(page) == ["worker"]
    assert "No worker has ever finished a sweep." in page.text
    assert HEARTBEATS not in links(page)

    beat(minutes=2, seconds=50)
    assert concerns(overview(browser)) == []
    beat(minutes=4)
    page = overview(grant(grace, "view_heartbeat"))
    assert concerns(page) == ["worker"]
    assert "No worker has finished a sweep for 4 min." in page.text
    assert HEARTBEATS in links(page)


def test_what_waits_for_an_account_leads_to_resume_sending(
    krea: Sandbox, grace: User, running_worker: None
) -> None:
    pacing.slow_sending(AccountProblem(f"no balance {HOSTILE}", status=402))
    eve = grant(person("eve", "view"), "view_kreaaccount")
    assert concerns(overview(eve)) == [], "nothing waits"

    wanted(grace)
    wanted(grace)
    page = overview(eve)
    assert concerns(page) == ["sending"]
    assert "Sending: waits until" in page.text
    assert "2 submissions wait." in page.text
    assert "HTTP 402: no balance" in page.text
    assert "or by “Resume sending” of somebody who may decide" in page.text
    assert ACCOUNTS in links(page)

    assert "sending-button" not in page.forms

    ida = grant(person("ida", "view"), "reconcile_videojob", "view_kreaaccount")
    page = overview(ida)
    assert "“Resume sending” lets one request go ahead at once" in page.text
    assert ACCOUNTS in links(page)
    assert ACCOUNTS not in links(overview(Browser(grace)))
    assert "1 account may send again." in ida.post_form(page, "sending-button").text
    assert concerns(overview(ida)) == []


def test_a_pause_is_told_also_while_nothing_waits(
    krea: Sandbox, browser: Browser, running_worker: None
) -> None:
    account = KreaAccount.objects.create(fingerprint="another", paused_at=timezone.now())
    assert concerns(overview(browser)) == [], "another account's pause holds nothing up"

    KreaAccount.objects.filter(pk=account.pk).update(fingerprint=pacing.account())
    page = overview(browser)
    assert concerns(page) == ["sending"]
    assert "until Krea answers a GET. 0 submissions wait." in page.text


def test_what_somebody_holds_goes_on_by_a_click_alone(
    krea: Sandbox, browser: Browser, running_worker: None
) -> None:
    pacing.hold(pacing.account(), by=HOSTILE)
    for reader in (browser, grant(person("ida", "view"), "reconcile_videojob", "view_kreaaccount")):
        page = overview(reader)
        assert concerns(page) == ["sending"]
        assert "Sending: held by hand since" in page.text
        assert f"Held by {HOSTILE} ." in page.text
        assert "of somebody who may decide, and not by itself." in page.text
        assert "sending-button" not in page.forms
        assert "It goes on by itself" not in page.text


def test_without_a_token_nothing_is_sent(
    browser: Browser, grace: User, running_worker: None, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "KREA_API_TOKEN": ""}
    wanted(grace)
    page = overview(browser)
    assert concerns(page) == ["token"]
    assert "There is no API token, so nothing is sent: 1 submission waits." in page.text


def test_a_budget_that_is_used_up_is_told(
    browser: Browser, grace: User, running_worker: None, settings: Settings
) -> None:
    wanted(grace)
    ended(grace, Status.COMPLETED, ended_at=timezone.now(), result_url=VIDEO)
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "0.5670", "month": "0.6720"}}
    page = overview(browser)
    assert concerns(page) == ["budget-day"], "for the cheapest video there is room in the month"
    told = "The site's budget of a day is used up: 0.2835 USD spent, 0.2835 USD reserved of 0.5670"
    assert told in page.text
    assert f"{reverse(LIST)}?status=live" in links(page)


@pytest.fixture
def with_webhooks(settings: Settings) -> None:
    """A site that gave Krea its address."""
    settings.HAILUO = {**settings.HAILUO, "WEBHOOK_BASE_URL": SITE}


def videos(owner: User, *webhook_counts: int, **fields: Any) -> list[VideoJob]:
    """Videos that brought so many webhooks each, the newest last."""
    given = {"result_url": VIDEO, "has_webhook": True, **fields}
    made = [ended(owner, Status.COMPLETED, webhook_count=n, **given) for n in webhook_counts]
    for age, job in enumerate(reversed(made)):
        change(job, ended_at=timezone.now() - timedelta(minutes=age))
    return made


def test_webhooks_that_stay_away_are_missed(
    with_webhooks: None, browser: Browser, grace: User, running_worker: None
) -> None:
    made = videos(grace, 1, 1, 0, 0, 0)
    page = overview(browser)
    assert concerns(page) == ["webhooks"]
    assert "Of the newest 5 videos only 2 brought a webhook." in page.text
    assert "“manage.py hailuo_doctor” dials the address" in page.text
    assert page_of(made[-1]) in links(page)


@pytest.mark.parametrize(
    ("counts", "fields"),
    [
        ([0, 0, 0, 0], {}),  # too few to tell
        ([0, 0, 1, 2, 1, 0], {}),  # half of them
        ([0] * 9, {"has_webhook": False}),  # Krea was given no address for these
        ([0] * 9 + [1] * 20, {}),  # it was so once
    ],
)
def test_webhooks_are_not_missed_without_need(
    with_webhooks: None,
    browser: Browser,
    grace: User,
    running_worker: None,
    counts: list[int],
    fields: dict[str, Any],
) -> None:
    videos(grace, *counts, **fields)
    assert concerns(overview(browser)) == []


def test_a_site_that_polls_only_misses_no_webhooks(
    browser: Browser, grace: User, running_worker: None
) -> None:
    videos(grace, *[0] * 9)
    page = overview(browser)
    assert concerns(page) == []
    assert "WEBHOOK_BASE_URL is empty" in page.text


def test_the_first_are_named_and_the_others_counted(
    browser: Browser, grace: User, running_worker: None
) -> None:
    job = wanted(grace)
    rows = [
        Submission(job=job, number=number, body={}, price_usd=0, status=Status.PROCESSING)
        for number in range(2, 9)
    ]
    Submission.objects.bulk_create(rows)
    Submission.objects.filter(number__gt=1).update(overdue_at=timezone.now())
    page = overview(browser)
    assert "7 submissions take longer" in page.text
    assert links(page).count(page_of(job)) == 5


def test_thousands_are_not_counted_to_the_end(
    browser: Browser, grace: User, running_worker: None, krea: Sandbox
) -> None:
    pacing.slow_sending(AccountProblem("no balance", status=402))
    job = wanted(grace)
    rows = [Submission(job=job, number=n, body={}, price_usd=0) for n in range(2, 1003)]
    Submission.objects.bulk_create(rows)
    assert "more than 1,000 submissions wait." in overview(browser).text


def test_hostile_text_does_nothing(lost: VideoJob, judge: User) -> None:
    browser = grant(judge, "view_stranger", "view_kreaaccount")
    scripts = overview(browser).nodes["script"]
    VideoJob.objects.update(prompt=HOSTILE)
    pacing.slow_sending(AccountProblem(HOSTILE, status=402))
    wanted(judge, reference=HOSTILE)

    page = overview(browser)
    assert {"unconfirmed", "sending"} <= {*concerns(page)}
    assert page.nodes["script"] == scripts
    assert not [picture for picture in page.all("img") if picture.get("src") == "x"]
    assert HOSTILE in page.text


def test_the_page_has_nothing_that_a_strict_policy_forbids(lost: VideoJob, judge: User) -> None:
    page = overview(Browser(judge))
    content = page.html.partition('<div id="content-main">')[2].partition("<footer")[0]
    assert content
    assert not [word for word in ("<script", "<style", "style=", "onclick=") if word in content]


# How things stand


def test_the_last_sweep_and_the_last_webhook_are_told(browser: Browser, grace: User) -> None:
    text = overview(browser).text
    assert "Last sweep of a worker never" in text
    assert "Last webhook none in 30 days" in text

    beat(seconds=75)
    [job] = videos(grace, 1)
    change(job, last_webhook_at=timezone.now() - timedelta(hours=26))
    text = overview(browser).text
    assert "1 min 15 s ago (" in text
    assert "1 d 2 h ago (" in text


def test_every_account_tells_whether_it_sends_and_why_not(krea: Sandbox, browser: Browser) -> None:
    text = overview(browser).text
    assert "Nothing has ever held sending back." in text

    KreaAccount.objects.create(fingerprint="0000-another")
    pacing.slow_sending(AccountProblem("no balance", status=402))
    text = overview(browser).text
    assert text.index(f"{pacing.account()} (in use)") < text.index("0000-another")
    assert "HTTP 402: no balance" in text
    assert "goes on" in text


def test_the_budget_tells_what_is_left_of_each_cap(
    browser: Browser, grace: User, settings: Settings
) -> None:
    assert "There is no budget" in overview(browser).text

    caps = {"day": "1", "month": "20", "user_day": "0.9"}
    settings.HAILUO = {**settings.HAILUO, "BUDGET": caps}
    wanted(grace)
    ended(grace, Status.COMPLETED, ended_at=timezone.now(), result_url=VIDEO)
    text = overview(browser).text
    assert "a day 1.0000 0.2835 0.2835 0.4330" in " ".join(text.split())
    assert "a month 20.0000 0.2835 0.2835 19.4330" in " ".join(text.split())
    assert "Each owner may spend 0.9000 USD a day." in text


# On sites that do things their own way


def test_each_of_two_admins_keeps_its_overview_to_itself(
    lost: VideoJob, judge: User, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.admin.two_offices"
    ours = reverse(OVERVIEW, current_app="back-office")
    assert ours.startswith("/staff/")
    browser = grant(judge, "view_stranger", "view_kreaaccount")
    Stranger.objects.create(krea_job_id="another-programs")
    assert ours in links(browser.open(reverse(LIST, current_app="back-office")))
    assert ours in links(browser.open("/staff/hailuo_django/"))

    page = browser.open(ours)
    assert {"unconfirmed", "strangers"} <= {*concerns(page)}
    leads = [link for link in links(page) if link.startswith("/")]
    assert [link for link in leads if not link.startswith("/staff/")] == ["/"], "the site itself"


site = AdminSite(name="jobs-only")
site.register(VideoJob, VideoJobAdmin)
urlpatterns = [path("jobs/", site.urls)]


def test_an_admin_of_jobs_alone_leads_nowhere_else(krea: Sandbox, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    Stranger.objects.create(krea_job_id="another-programs")
    KreaAccount.objects.create(fingerprint=pacing.account(), paused_at=timezone.now())
    page = overview(Browser(person("root", is_superuser=True)))
    assert concerns(page) == ["worker", "sending"]


def test_an_admin_of_their_own_without_the_overview_is_not_led_to_it(
    settings: Settings, browser: Browser
) -> None:
    settings.ROOT_URLCONF = "tests.admin.plain_office"
    assert browser.open("/plain/hailuo_django/").status == 200
    assert browser.open("/plain/hailuo_django/videojob/").status == 200
