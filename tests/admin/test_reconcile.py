"""The page of a lost answer: the evidence, and the verdicts of whoever may decide."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connections
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import ledger
from hailuo_django.models import JobEvent, KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import FailureCode, Status
from hailuo_django.testing import make_submitted_job, work
from hailuo_django.worker.sweep import sweep

from .pages import LIST, Browser, Page, grant, page_of, person, token_of
from .test_hosts import Replica

pytestmark = pytest.mark.django_db

RECONCILE = "admin:hailuo_django_videojob_reconcile"
BOTH = "0.5670 USD are billed"

SAID = {
    "sync": "A worker will look again.",
    "choose": "Krea is asked about the job named for submission 1.",
    "send_again": "Gave submission 1 up and sends again for 0.2835 USD.",
    "give_up": "Gave submission 1 up.",
}
VERDICTS = ("choose", "send_again", "give_up")

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'


def address(job: VideoJob, number: int = 1) -> str:
    return reverse(RECONCILE, args=[job.pk, number])


def filled_in(verdict: str, krea: Sandbox) -> dict[str, str]:
    """What a person types and ticks for a verdict."""
    if verdict == "sync":
        return {}
    return {"sure": "on"} | ({"typed": krea.jobs[0].id} if verdict == "choose" else {})


def decide(browser: Browser, job: VideoJob, verdict: str, **values: str) -> Page:
    """Open the page, confirm a verdict and press its button."""
    sure = {} if verdict == "sync" else {"sure": "on"}
    return browser.post_form(browser.open(address(job)), verdict, **{**sure, **values})


def post_unasked(browser: Browser, job: VideoJob, krea: Sandbox, verdict: str) -> Page:
    """Post a verdict although no page offers it."""
    values = {**token_of(browser), "verdict": verdict, **filled_in(verdict, krea)}
    return Page(browser.post(address(job), values, follow=True))


def rows(job: VideoJob) -> list[Any]:
    """Everything that a verdict could change."""
    return [
        VideoJob.objects.filter(pk=job.pk).values().get(),
        *Submission.objects.filter(job=job).order_by("number").values(),
        *JobEvent.objects.filter(job=job).order_by("pk").values(),
        *LogEntry.objects.values(),
    ]


def first(job: VideoJob) -> Submission:
    return Submission.objects.get(job=job, number=1)


def fresh(job: VideoJob) -> VideoJob:
    return VideoJob.objects.get(pk=job.pk)


def last_event(job: VideoJob) -> JobEvent:
    return JobEvent.objects.filter(job=job).latest("pk")


# Who may come in


def test_the_page_is_for_those_who_may_see_the_job_and_decide(lost: VideoJob) -> None:
    assert Browser().open(address(lost)).address.startswith(reverse("admin:login"))
    assert Browser(person("ida", "reconcile")).open(address(lost)).status == 403

    user = person("eve", "view", "add", "change", "delete", "submit", "cancel")
    assert Browser(user).open(address(lost)).status == 403
    assert grant(user, "reconcile_videojob").open(address(lost)).status == 200


@pytest.mark.parametrize("verdict", SAID)
def test_a_verdict_is_obeyed_with_its_right_only(
    krea: Sandbox, lost: VideoJob, verdict: str
) -> None:
    user = person("eve", "view", "change", "submit")
    before = rows(lost)
    assert post_unasked(Browser(user), lost, krea, verdict).status == 403
    assert rows(lost) == before

    eve = grant(user, "reconcile_videojob")
    assert SAID[verdict] in post_unasked(eve, lost, krea, verdict).text
    assert rows(lost) != before


def test_sending_again_asks_for_the_right_to_submit_as_well(krea: Sandbox, lost: VideoJob) -> None:
    user = person("eve", "view", "reconcile")
    before = rows(lost)
    assert "send_again" not in Browser(user).open(address(lost)).forms
    assert post_unasked(Browser(user), lost, krea, "send_again").status == 403
    assert rows(lost) == before

    eve = grant(user, "submit_videojob")
    assert SAID["send_again"] in decide(eve, lost, "send_again").text


def test_who_may_spend_by_a_sites_own_rule_may_send_again(
    krea: Sandbox, lost: VideoJob, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.admin.own_desk"
    eve = person("eve", "view", "reconcile", "submit")
    VideoJob.objects.update(owner=eve)
    User.objects.update(last_name="frozen")
    before = rows(lost)
    assert "send_again" not in Browser(eve).open(address(lost)).forms
    assert post_unasked(Browser(eve), lost, krea, "send_again").status == 403
    assert rows(lost) == before

    User.objects.update(last_name="")
    assert SAID["send_again"] in decide(Browser(eve), lost, "send_again").text


@pytest.mark.parametrize("verdict", SAID)
def test_a_verdict_without_the_forms_own_token_is_refused(
    krea: Sandbox, lost: VideoJob, judge: User, verdict: str
) -> None:
    before = rows(lost)
    values = {"verdict": verdict, **filled_in(verdict, krea)}
    assert Browser(judge).post(address(lost), values).status_code == 403
    assert rows(lost) == before


def test_what_is_guessed_is_not_found(krea: Sandbox, lost: VideoJob, judge: User) -> None:
    other = make_submitted_job()
    other.resubmit(force=True)  # so that there is a second submission, of another job
    guessed = [
        address(lost, 2),
        address(lost, 0),
        address(lost, 10**30),
        reverse(RECONCILE, args=[uuid.uuid4(), 1]),
        reverse(RECONCILE, args=["nonsense", 1]),
        reverse(RECONCILE, args=["nonsense/of/many/parts", 1]),
    ]
    browser, before = Browser(judge), rows(lost)
    values = {**token_of(browser), "verdict": "give_up", "sure": "on"}
    for path in guessed:
        assert browser.get(path).status_code == 404
        assert browser.post(path, values).status_code == 404
    assert rows(lost) == before


def test_the_list_and_the_job_lead_whoever_may_decide_to_the_page(
    lost: VideoJob, judge: User, browser: Browser
) -> None:
    for page in (reverse(LIST), page_of(lost)):
        links = [link.get("href") for link in Browser(judge).open(page).all("a")]
        assert address(lost) in links
        assert address(lost) not in [link.get("href") for link in browser.open(page).all("a")]


# What stands on it


def test_the_page_tells_what_happened_and_what_each_verdict_costs(
    lost: VideoJob, judge: User, no_network: None
) -> None:
    page = Browser(judge).open(address(lost))

    assert "Webhook: Krea was given none; only asking can tell." in page.text
    assert "Why: RemoteDisconnected" in page.text
    assert "Krea's list has not been looked at yet; a worker does from" in page.text
    assert BOTH in page.text
    assert "0.2835 USD may still be billed." in page.text


def test_the_page_shows_what_kreas_list_showed(krea: Sandbox, lost: VideoJob, judge: User) -> None:
    work()
    page = Browser(judge).open(address(lost))

    assert "Jobs listed: 1 in all, 1 of them unknown and possibly this" in page.text
    assert "none yet: the list may lag behind" in page.text
    assert "No: it may have arrived." in page.text
    [choice] = [i for i in page.all("input") if i.get("name") == "listed"]
    assert choice["value"] == krea.jobs[0].id


def test_proof_of_absence_changes_what_sending_again_is_said_to_cost(
    lost: VideoJob, judge: User
) -> None:
    Submission.objects.filter(job=lost).update(evidence={"absent": True, "control": "krea-2"})
    page = Browser(judge).open(address(lost))

    assert "Yes: it never reached Krea." in page.text
    assert "Pay for a new submission." in page.text
    assert BOTH not in page.text


def test_another_accounts_lost_answer_cannot_be_looked_for(lost: VideoJob, judge: User) -> None:
    Submission.objects.filter(job=lost).update(account="another")
    page = Browser(judge).open(address(lost))

    assert "sent with another API token than the one in use" in page.text
    assert "sync" not in page.forms


def test_nothing_is_left_to_decide_about_what_krea_answered(krea: Sandbox, judge: User) -> None:
    job = make_submitted_job()
    sweep()
    page = Browser(judge).open(address(job))

    assert "Nothing is left to decide about this submission" in page.text
    assert not page.forms.keys() & SAID.keys()
    before = rows(job)
    for verdict in VERDICTS:
        page = post_unasked(Browser(judge), job, krea, verdict)
        assert SAID[verdict] not in page.text
        assert "errorlist" not in page.html
        assert "error" in [item.get("class") for item in page.all("li")]
    assert rows(job) == before


def test_hostile_text_does_nothing(lost: VideoJob, judge: User) -> None:
    browser = Browser(judge)
    scripts = browser.open(address(lost)).nodes["script"]
    VideoJob.objects.filter(pk=lost.pk).update(prompt=HOSTILE)
    account = first(lost).account
    for dismissed_at in (None, lost.created_at):
        Stranger.objects.create(
            krea_job_id=f"{HOSTILE}{dismissed_at}"[:100],
            krea_status=HOSTILE,
            account=account,
            dismissed_at=dismissed_at,
        )
    Submission.objects.filter(job=lost).update(
        note=HOSTILE,
        evidence={"control": HOSTILE, "strangers": [HOSTILE], "since": HOSTILE, "until": 7},
    )
    JobEvent.objects.filter(job=lost, action="lose").update(detail=HOSTILE)

    page = decide(browser, lost, "choose", typed=HOSTILE, listed=HOSTILE + "2")
    assert "Name one upstream job. Nothing was done." in page.text
    named = decide(browser, lost, "choose", typed="no\x00such")
    assert "Null characters are not allowed." in named.text
    for shown in (page, named, browser.open(page_of(lost)), browser.open(reverse(LIST))):
        assert shown.status == 200
        assert not [picture for picture in shown.all("img") if picture.get("src") == "x"]
        assert "<script>alert" not in shown.html
    assert page.nodes["script"] == scripts
    assert HOSTILE.replace("\u202e", "") in page.text


# Each verdict to its end


@pytest.mark.parametrize("where", ["listed", "typed"])
def test_the_job_that_is_named_becomes_the_submissions_own(
    krea: Sandbox, lost: VideoJob, judge: User, where: str
) -> None:
    work()
    [made] = krea.jobs
    page = decide(Browser(judge), lost, "choose", **{where: made.id})

    assert SAID["choose"] in page.text
    assert page.address == page_of(lost)
    assert (last_event(lost).action, last_event(lost).actor) == ("choose", judge)
    assert LogEntry.objects.get().get_change_message() == SAID["choose"]
    krea.move(made.id, "completed")
    sweep()
    assert (fresh(lost).status, first(lost).krea_job_id) == (Status.COMPLETED, made.id)
    assert len(krea.posts) == 1


def test_what_is_sent_again_is_sent_once_more_and_completed(
    krea: Sandbox, grace: User, judge: User
) -> None:
    krea.misbehave("lost_request", on="generate")
    job = make_submitted_job(owner=grace)
    sweep()
    page = decide(Browser(judge), job, "send_again")

    assert SAID["send_again"] in page.text
    assert {event.actor for event in job.events.order_by("-pk")[:2]} == {judge}
    sweep()
    [made] = krea.jobs
    krea.move(made.id, "completed")
    work()
    assert fresh(job).status == Status.COMPLETED
    assert (first(job).failure_code, len(krea.paid)) == (FailureCode.GIVEN_UP, 1)


def test_what_was_given_up_fails_and_can_still_be_found(
    krea: Sandbox, lost: VideoJob, judge: User
) -> None:
    browser = Browser(judge)
    page = decide(browser, lost, "give_up")
    assert SAID["give_up"] in page.text
    assert (fresh(lost).status, fresh(lost).failure_code) == (Status.FAILED, FailureCode.GIVEN_UP)
    assert last_event(lost).actor == judge
    assert "Name the upstream job of submission 1" in page.text

    page = browser.open(address(lost))
    assert page.forms.keys() & SAID.keys() == {"choose"}
    [made] = krea.jobs
    krea.move(made.id, "completed")
    browser.post_form(page, "choose", sure="on", typed=made.id)
    sweep()
    assert fresh(lost).status == Status.COMPLETED


def test_looking_again_lets_a_worker_ask_for_kreas_list(
    krea: Sandbox, lost: VideoJob, judge: User
) -> None:
    Submission.objects.filter(job=lost).update(due_at=None)
    KreaAccount.objects.update(doubts=0)
    page = decide(Browser(judge), lost, "sync")

    assert SAID["sync"] in page.text
    assert page.address == address(lost)
    sweep()
    assert first(lost).evidence["strangers"] == [krea.jobs[0].id]
    assert len(krea.posts) == 1


# What changes nothing


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_same_form_posted_twice_is_obeyed_once(
    krea: Sandbox, lost: VideoJob, judge: User, verdict: str
) -> None:
    browser = Browser(judge)
    page = browser.open(address(lost))
    assert SAID[verdict] in browser.post_form(page, verdict, **filled_in(verdict, krea)).text
    decided = rows(lost)

    again = browser.post_form(page, verdict, **filled_in(verdict, krea))
    assert SAID[verdict] not in again.text
    assert "error" in [item.get("class") for item in again.all("li")]
    assert again.address == address(lost)
    assert rows(lost) == decided


@pytest.mark.parametrize("verdict", VERDICTS)
def test_what_is_not_confirmed_is_not_done_and_said_beside_its_form(
    krea: Sandbox, lost: VideoJob, judge: User, verdict: str
) -> None:
    browser, before = Browser(judge), rows(lost)
    page = browser.post_form(
        browser.open(address(lost)), verdict, **{**filled_in(verdict, krea), "sure": ""}
    )
    assert "Confirm this. Nothing was done." in page.text
    form = page.html.index(f'id="{verdict}"')
    assert form < page.html.index("errorlist") < page.html.index("</form>", form)
    assert rows(lost) == before


@pytest.mark.parametrize("named", [{}, {"typed": "one", "listed": "another"}])
def test_exactly_one_job_is_named(lost: VideoJob, judge: User, named: dict[str, str]) -> None:
    before = rows(lost)
    page = decide(Browser(judge), lost, "choose", **named)
    assert "Name one upstream job. Nothing was done." in page.text
    assert rows(lost) == before


@pytest.mark.parametrize("verdict", ["", "dismiss", "__class__"])
def test_an_unknown_verdict_does_nothing(
    krea: Sandbox, lost: VideoJob, judge: User, verdict: str
) -> None:
    before = rows(lost)
    assert "Nothing was done." in post_unasked(Browser(judge), lost, krea, verdict).text
    assert rows(lost) == before


def test_a_budget_without_room_refuses_to_send_again(
    lost: VideoJob, judge: User, settings: Settings
) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "0.2"}}
    before = rows(lost)
    page = decide(Browser(judge), lost, "send_again")

    assert "The site's budget of a day has no room for 0.2835 USD: of 0.2 USD" in page.text
    assert page.address == address(lost)
    assert rows(lost) == before


def test_the_job_of_another_submission_cannot_be_named(
    krea: Sandbox, lost: VideoJob, judge: User
) -> None:
    KreaAccount.objects.update(doubts=0)
    other = make_submitted_job()
    sweep()
    before = rows(lost)
    page = decide(Browser(judge), lost, "choose", typed=str(first(other).krea_job_id))

    assert f"This Krea job belongs to submission 1 of job {other.pk}." in page.text
    assert rows(lost) == before


# On sites that do things their own way


@pytest.mark.parametrize("verdict", SAID)
def test_each_of_two_admins_keeps_its_page_and_its_verdicts_to_itself(
    krea: Sandbox, lost: VideoJob, judge: User, settings: Settings, verdict: str
) -> None:
    settings.ROOT_URLCONF = "tests.admin.two_offices"
    ours = reverse(RECONCILE, args=[lost.pk, 1], current_app="back-office")
    assert ours.startswith("/staff/")

    browser = Browser(judge)
    listed = browser.open(reverse(LIST, current_app="back-office"))
    assert ours in [link.get("href") for link in listed.all("a")]
    page = browser.open(ours)
    links = {link["href"] for link in page.all("a") if link.get("href", "#").startswith("/")}
    assert [link for link in links if not link.startswith("/staff/")] == ["/"], "the site itself"
    answer = browser.post_form(page, verdict, **filled_in(verdict, krea))
    assert SAID[verdict] in answer.text
    assert answer.address.startswith("/staff/")


@pytest.mark.django_db(transaction=True)
def test_a_transaction_around_every_request_is_not_around_verdicts(
    lost: VideoJob, judge: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = VideoJob.database()
    monkeypatch.setitem(connections[alias].settings_dict, "ATOMIC_REQUESTS", True)
    depths: list[int] = []
    give_up = ledger.give_up

    def watch(submission: Submission, *, by: ledger.By) -> None:
        depths.append(len(connections[alias].atomic_blocks))
        give_up(submission, by=by)

    monkeypatch.setattr(ledger, "give_up", watch)
    assert SAID["give_up"] in decide(Browser(judge), lost, "give_up").text
    assert depths == [0]


def test_what_is_decided_about_is_read_where_it_is_written(
    lost: VideoJob, judge: User, settings: Settings
) -> None:
    browser = Browser(judge)
    form = browser.open(address(lost)).forms["give_up"]
    settings.DATABASE_ROUTERS = [Replica(), *settings.DATABASE_ROUTERS]

    answer = browser.post(address(lost), {**form, "sure": "on"})
    assert answer.status_code == 302
    rows = VideoJob.objects.using(VideoJob.database())
    assert rows.get(pk=lost.pk).status == Status.FAILED


def test_what_never_ends_is_given_up_on_its_page(krea: Sandbox, grace: User, judge: User) -> None:
    job = make_submitted_job(owner=grace)
    sweep()
    assert "Nothing is left to decide" in Browser(judge).open(address(job)).text

    Submission.objects.update(sent_at=timezone.now() - timedelta(hours=5))
    sweep()
    assert "Decide about submission 1" in Browser(judge).open(page_of(job)).text
    shown = Browser(judge).open(address(job)).text
    assert "Overdue submission 1" in shown
    assert "tells of no end of this one" in shown
    assert "This upstream job is it" not in shown
    assert "Krea's list" not in shown

    assert SAID["give_up"] in decide(Browser(judge), job, "give_up").text
    assert (fresh(job).status, fresh(job).failure_code) == (Status.FAILED, FailureCode.GIVEN_UP)


def test_what_ended_here_alone_is_written_off_on_its_page(
    krea: Sandbox, grace: User, judge: User
) -> None:
    job = make_submitted_job(owner=grace)
    sweep()
    ended_at = timezone.now() - timedelta(days=3)
    VideoJob.objects.filter(pk=job.pk).update(status=Status.CANCELLED)
    Submission.objects.update(
        status=Status.CANCELLED, account="another", ended_at=ended_at, overdue_at=timezone.now()
    )
    assert "Decide about submission 1" in Browser(judge).open(page_of(job)).text
    shown = Browser(judge).open(address(job)).text
    assert "Krea never said that it has ended as well" in shown
    assert "counts as failed" not in shown

    assert SAID["give_up"] in decide(Browser(judge), job, "give_up").text

    assert (fresh(job).status, first(job).status) == (Status.CANCELLED, Status.CANCELLED)
    assert not first(job).may_be_billed
    assert "Nothing is left to decide" in Browser(judge).open(address(job)).text


def test_while_krea_is_asked_about_a_job_the_page_says_what_is_waited_for(
    krea: Sandbox, lost: VideoJob, judge: User
) -> None:
    krea.misbehave("missing", times=None, on="get")
    decide(Browser(judge), lost, "choose", typed="mis<b>typed")
    sweep()
    shown = Browser(judge).open(address(lost))
    assert "asked about job mis<b>typed , which was named for this" in shown.text
    assert "Krea does not know the job that was named: asked for 15 min." in shown.text
    assert "Give up" not in shown.text

    Submission.objects.update(not_found_since=timezone.now() - timedelta(minutes=16))
    shown = Browser(judge).open(address(lost))
    assert "which was named for this" not in shown.text
    assert "Give up" in shown.text
