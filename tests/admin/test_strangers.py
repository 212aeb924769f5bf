"""Upstream jobs that nobody here knows, and accounts that may send again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import pacing
from hailuo_django.krea.errors import AccountProblem
from hailuo_django.models import JobEvent, KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.testing import make_submitted_job, work
from hailuo_django.worker.sweep import sweep

from .pages import Browser, Page, grant, page_of, person, token_of

pytestmark = pytest.mark.django_db

STRANGERS = "admin:hailuo_django_stranger_changelist"
STRANGER = "admin:hailuo_django_stranger_change"
ACCOUNTS = "admin:hailuo_django_kreaaccount_changelist"
ACCOUNT = "admin:hailuo_django_kreaaccount_change"

HOSTILE = "</bdi><script>alert(1)</script><img src=x>"


@pytest.fixture
def warden(db: None) -> User:
    """Somebody who may decide what is ours, and end a pause."""
    user = person("wanda", "reconcile")
    grant(user, "view_stranger", "view_kreaaccount")
    return user


@pytest.fixture
def stranger(lost: VideoJob) -> Stranger:
    """What Krea's list shows beside Grace's lost answer."""
    work()
    return Stranger.objects.get()


@pytest.fixture
def paused(krea: Sandbox) -> KreaAccount:
    """The account in use, that Krea has let nothing pass for lack of money."""
    pacing.slow_sending(AccountProblem("no balance", status=402))
    return KreaAccount.objects.get()


def act(
    browser: Browser, view: str, action: str, *rows: Stranger | KreaAccount, query: str = ""
) -> Page:
    """Select rows on a list, choose an action and press the button."""
    page = browser.open(reverse(view) + query)
    chosen = [str(row.pk) for row in rows]
    return browser.post_form(
        page, "changelist-form", action=action, _selected_action=chosen, index="0"
    )


def post_unasked(browser: Browser, view: str, action: str, row: Stranger | KreaAccount) -> Page:
    """Post an action although no page offers it."""
    values = {**token_of(browser), "action": action, "_selected_action": str(row.pk), "index": "0"}
    return Page(browser.post(reverse(view), values, follow=True))


def test_strangers_are_read_by_those_who_may(stranger: Stranger) -> None:
    user = person("eve", "view", "reconcile")
    addresses = [reverse(STRANGERS), reverse(STRANGER, args=[stranger.pk])]
    assert [Browser(user).open(address).status for address in addresses] == [403, 403]

    eve = grant(user, "view_stranger")
    pages = [eve.open(address) for address in addresses]
    assert [page.status for page in pages] == [200, 200]
    assert all(stranger.krea_job_id in page.text for page in pages)
    assert reverse(STRANGERS) not in [
        a.get("href") for a in Browser(person("ida")).open("/admin/").all("a")
    ]


def test_nobody_writes_or_deletes_a_stranger(stranger: Stranger) -> None:
    root = Browser(person("root", is_superuser=True))
    assert root.open(reverse("admin:hailuo_django_stranger_add")).status == 403
    delete = reverse("admin:hailuo_django_stranger_delete", args=[stranger.pk])
    assert root.open(delete).status == 403
    page = root.open(reverse(STRANGER, args=[stranger.pk]))
    assert not [i for i in page.all("input") if i.get("name") == "_save"]
    assert "delete_selected" not in root.open(reverse(STRANGERS)).choices["action"]


@pytest.mark.parametrize(
    ("view", "action", "model", "words"),
    [
        (STRANGERS, "dismiss_selected", Stranger, "1 upstream job dismissed."),
        (ACCOUNTS, "resume_sending", KreaAccount, "1 account may send again."),
        (ACCOUNTS, "hold_sending", KreaAccount, "1 account sends nothing until somebody"),
    ],
)
def test_an_action_is_offered_and_obeyed_with_its_right_only(
    stranger: Stranger,
    paused: KreaAccount,
    view: str,
    action: str,
    model: type[Stranger | KreaAccount],
    words: str,
) -> None:
    user = person("eve", "view", "change", "submit", "cancel")
    eve = grant(user, "view_stranger", "view_kreaaccount")
    row = model.objects.get()
    before = model.objects.values().get()
    assert action not in eve.open(reverse(view)).choices.get("action", {})
    assert words not in post_unasked(eve, view, action, row).text
    assert model.objects.values().get() == before

    eve = grant(user, "reconcile_videojob")
    assert words in act(eve, view, action, row).text
    assert LogEntry.objects.get().user == user


def test_what_is_none_of_ours_no_lost_answer_waits_for(
    stranger: Stranger, lost: VideoJob, warden: User
) -> None:
    assert Submission.objects.get().evidence["strangers"] == [stranger.krea_job_id]
    page = act(Browser(warden), STRANGERS, "dismiss_selected", stranger, query="?known=all")

    assert "1 upstream job dismissed." in page.text
    assert " by wanda" in page.text
    noted = JobEvent.objects.filter(job=lost).latest("pk")
    assert noted.detail == f"Not ours: Krea job {stranger.krea_job_id}"
    assert noted.actor == warden
    sweep()
    assert Submission.objects.get().evidence["strangers"] == []


def test_dismissing_twice_is_said_and_changes_nothing(
    stranger: Stranger, lost: VideoJob, warden: User
) -> None:
    browser = Browser(warden)
    act(browser, STRANGERS, "dismiss_selected", stranger, query="?known=all")
    rows = [*Stranger.objects.values(), *JobEvent.objects.values(), *LogEntry.objects.values()]
    page = act(browser, STRANGERS, "dismiss_selected", stranger, query="?known=all")

    assert f"1 skipped: {stranger.krea_job_id} : This upstream job was dismissed" in page.text
    after = [*Stranger.objects.values(), *JobEvent.objects.values(), *LogEntry.objects.values()]
    assert after == rows


def test_one_that_became_a_submissions_own_says_whose_it_is(
    stranger: Stranger, warden: User
) -> None:
    job = make_submitted_job()
    words = f"submission 1 of job {job.pk}"
    browser, address = Browser(warden), reverse(STRANGERS) + "?known=all"
    assert words not in browser.open(address).text
    Submission.objects.filter(job=job).update(krea_job_id=stranger.krea_job_id)
    page = browser.open(address)
    assert words in page.text
    assert page_of(job) in [link.get("href") for link in page.all("a")]
    assert stranger.krea_job_id not in browser.open(reverse(STRANGERS)).text


def test_the_list_is_narrowed_to_what_somebody_has_to_look_at(
    stranger: Stranger, warden: User
) -> None:
    Stranger.objects.create(
        krea_job_id="another-programs", account="x", dismissed_at=timezone.now()
    )
    browser = Browser(warden)
    open_, dismissed = stranger.krea_job_id, "another-programs"
    for query, shown in {
        "": {open_},
        "?known=open": {open_},
        "?known=dismissed": {dismissed},
        "?known=all": {open_, dismissed},
        "?q=another-programs": {dismissed},
        "?known=what": {open_},  # Django leaves out what a filter refuses
    }.items():
        text = browser.open(reverse(STRANGERS) + query).text
        assert {name for name in (open_, dismissed) if name in text} == shown


def test_what_krea_says_of_a_stranger_or_an_account_does_nothing(
    stranger: Stranger, paused: KreaAccount, warden: User
) -> None:
    Stranger.objects.update(krea_job_id=HOSTILE, krea_status=HOSTILE, raw=HOSTILE)
    KreaAccount.objects.update(reason=HOSTILE, held_at=timezone.now(), held_by=HOSTILE)
    browser = grant(warden, "view_raw_payload")
    pages = [
        browser.open(reverse(STRANGERS) + "?known=all"),
        browser.open(reverse(STRANGER, args=[stranger.pk])),
        browser.open(reverse(ACCOUNTS)),
        browser.open(reverse(ACCOUNT, args=[paused.pk])),
        act(browser, STRANGERS, "dismiss_selected", stranger, query="?known=all"),
        act(browser, STRANGERS, "dismiss_selected", stranger, query="?known=all"),
    ]
    for page in pages:
        assert page.status == 200
        assert HOSTILE in page.text
        assert "<script>alert" not in page.html
        assert not [picture for picture in page.all("img") if picture.get("src") == "x"]


def test_what_krea_answered_word_by_word_needs_its_own_right(
    krea: Sandbox, stranger: Stranger, warden: User
) -> None:
    Stranger.objects.update(raw=f'{{"krea": "said {krea.token}"}}')
    address = reverse(STRANGER, args=[stranger.pk])
    assert "said" not in Browser(warden).open(address).text

    page = grant(warden, "view_raw_payload").open(address)
    assert '"krea": "said [redacted]"' in page.text


def test_an_account_says_what_holds_it_back_and_sends_again_when_told_to(
    krea: Sandbox, paused: KreaAccount, warden: User
) -> None:
    make_submitted_job()
    sweep()
    assert not krea.posts
    browser = Browser(warden)
    page = browser.open(reverse(ACCOUNTS))
    assert "waits until" in page.text
    assert "HTTP 402: no balance" in page.text

    page = act(browser, ACCOUNTS, "resume_sending", paused)
    assert "1 account may send again." in page.text
    assert "after trouble, one request at a time until one goes through" in page.text
    assert LogEntry.objects.get().get_change_message() == "Resumed sending."
    sweep()
    assert len(krea.posts) == 1
    assert "goes on" in browser.open(reverse(ACCOUNTS)).text


def test_an_account_that_somebody_holds_sends_nothing_until_it_is_resumed(
    krea: Sandbox, paused: KreaAccount, warden: User
) -> None:
    browser = Browser(warden)
    page = act(browser, ACCOUNTS, "hold_sending", paused)
    assert "1 account sends nothing until somebody resumes it." in page.text
    assert "held by hand since" in page.text
    assert "Held by wanda . HTTP 402: no balance" in page.text
    assert LogEntry.objects.get().get_change_message() == "Held sending."
    assert "1 account is held already." in act(browser, ACCOUNTS, "hold_sending", paused).text
    assert LogEntry.objects.count() == 1

    make_submitted_job()
    work()
    assert not krea.posts
    act(browser, ACCOUNTS, "resume_sending", paused)
    work()
    assert len(krea.posts) == 1


def test_the_account_in_use_can_be_held_before_it_ever_met_trouble(
    krea: Sandbox, warden: User
) -> None:
    browser = Browser(warden)
    page = browser.open(reverse(ACCOUNTS))
    assert f"{pacing.account()}, is not in this list yet" in page.text
    name = next(b["value"] for b in page.all("button") if b.get("name") == "hold_unlisted")

    after = browser.post_form(page, "hold-unlisted", hold_unlisted=name)
    assert "1 account sends nothing until somebody resumes it." in after.text
    assert "is not in this list yet" not in after.text
    assert (KreaAccount.objects.get().pk, KreaAccount.objects.get().held_by) == (name, "wanda")

    again = browser.post_form(page, "hold-unlisted", hold_unlisted=name)
    assert "Nothing was done: see whether the list has it now." in again.text
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize(
    "rights",
    [(), ("view_kreaaccount",), ("reconcile_videojob",)],
    ids=lambda rights: "+".join(rights),
)
def test_without_the_rights_nobody_holds_the_account_in_use(
    krea: Sandbox, rights: tuple[str, ...]
) -> None:
    browser = grant(person("eve", "view"), *rights)
    page = browser.open(reverse(ACCOUNTS))
    assert "hold-unlisted" not in page.forms
    values = {**token_of(browser), "hold_unlisted": pacing.account()}
    assert browser.post(reverse(ACCOUNTS), values).status_code == 403
    assert not KreaAccount.objects.exists()


def test_without_a_token_no_account_is_offered(warden: User, settings: Settings) -> None:
    settings.HAILUO = {}
    assert "hold-unlisted" not in Browser(warden).open(reverse(ACCOUNTS)).forms


def test_what_nothing_holds_back_is_left_alone(
    krea: Sandbox, paused: KreaAccount, warden: User
) -> None:
    browser = Browser(warden)
    act(browser, ACCOUNTS, "resume_sending", paused)
    before = [*KreaAccount.objects.values(), *LogEntry.objects.values()]
    page = act(browser, ACCOUNTS, "resume_sending", paused)

    assert "Nothing held 1 account back." in page.text
    assert [*KreaAccount.objects.values(), *LogEntry.objects.values()] == before


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"paused_at": timezone.now()}, "paused since"),
        ({"held_at": timezone.now()}, "held by hand since"),
        ({"trial_until": timezone.now() + timedelta(hours=1)}, "one request goes ahead alone"),
        ({"doubts": 1}, "after trouble, one request at a time"),
        ({}, "goes on"),
    ],
)
def test_an_account_tells_in_words_whether_it_sends(
    krea: Sandbox, warden: User, fields: dict[str, object], words: str
) -> None:
    account = KreaAccount.objects.create(fingerprint=pacing.account(), **fields)
    for address in (reverse(ACCOUNTS), reverse(ACCOUNT, args=[account.pk])):
        assert words in Browser(warden).open(address).text


def test_another_admin_site_has_the_same_actions(
    stranger: Stranger, paused: KreaAccount, warden: User, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.admin.back_office"
    assert reverse(STRANGERS).startswith("/staff/")
    browser = Browser(warden)
    page = act(browser, STRANGERS, "dismiss_selected", stranger)
    assert "1 upstream job dismissed." in page.text
    page = act(browser, ACCOUNTS, "resume_sending", paused)
    assert "1 account may send again." in page.text
