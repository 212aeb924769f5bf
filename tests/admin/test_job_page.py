"""The page of a job: its video and its submissions; and nothing that comes alive by itself."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.admin import cards
from hailuo_django.models import JobEvent, Stranger, Submission, VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, Page, page_of, person

pytestmark = pytest.mark.django_db

VIDEO = "https://gen.krea.ai/videos/1.mp4"
HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>{{ 7|add:7 }}{% debug %}",
    "</textarea></title></li><iframe src='javascript:alert(1)'></iframe>",
    "\u202egnp.exe\u2066\u200f <b>bold</b>",
    "%s %(n)d {0} {}\r\n\t\x08 <!-- ",
]


def test_a_finished_video_plays_on_its_page(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.COMPLETED, result_url=VIDEO)

    page = browser.open(page_of(job))

    [video] = page.all("video")
    assert (video["src"], video["preload"], "controls" in video) == (VIDEO, "none", True)
    links = [link for link in page.all("a") if link.get("href") == VIDEO]
    assert len(links) == 2  # the job's and its submission's
    assert {link["rel"] for link in links} == {"noopener noreferrer nofollow"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Krea named no address of a video"),
        ("https://elsewhere.example/v.mp4", "https://elsewhere.example/v.mp4"),
        (
            "javascript:alert(1)",
            "none that this site links (see RESULT_HOSTS): javascript:alert(1)",
        ),
        ("http://gen.krea.ai/v.mp4", "none that this site links"),
    ],
)
def test_a_result_that_is_not_linked_is_said_plainly(
    browser: Browser, grace: User, url: str, words: str
) -> None:
    page = browser.open(page_of(ended(grace, Status.COMPLETED, result_url=url)))

    assert words in page.text
    assert not page.all("video")
    assert not [link for link in page.all("a") if url and link.get("href") == url]


def test_submissions_stand_side_by_side_and_cannot_be_changed(
    browser: Browser, grace: User
) -> None:
    job = ended(grace, Status.FAILED, failure_code="moderation", error_message="No.", note="why")
    job.resubmit(actor=grace, source=JobEvent.Source.OPERATOR)
    Submission.objects.filter(job=job, number=2).update(
        status=Status.QUEUED,
        overdue_at=timezone.now(),
        cancel_requested_at=timezone.now(),
    )

    page = browser.open(page_of(job))

    for words in ("failed, refused by moderation", "No.", "why", f"krea-{job.pk}"):
        assert words in page.text
    assert "queued, cancellation requested, overdue" in page.text
    assert page.text.index("Submission 2") < page.text.index("Submission 1")
    kinds = [i["type"] for i in page.all("input") if i.get("id") != "nav-filter"]
    assert {*kinds} == {"hidden"}


def test_how_often_it_was_tried_is_told_when_it_was_more_than_once(
    browser: Browser, grace: User
) -> None:
    job = wanted(grace)
    for attempts, told in ((1, False), (2, True)):
        Submission.objects.update(attempts=attempts)
        assert ("Attempts to send 2" in browser.open(page_of(job)).text) == told


def test_each_of_several_videos_plays_on_its_own_card(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.FAILED, result_url=VIDEO)
    job.resubmit(actor=grace)
    other = "https://gen.krea.ai/videos/2.mp4"
    Submission.objects.filter(job=job, number=1).update(status=Status.COMPLETED)
    Submission.objects.filter(job=job, number=2).update(status=Status.COMPLETED, result_url=other)
    VideoJob.objects.update(status=Status.COMPLETED, result_url=VIDEO)

    videos = browser.open(page_of(job)).all("video")

    assert [video["src"] for video in videos] == [VIDEO, other, VIDEO]
    assert {video["preload"] for video in videos} == {"none"}
    assert not [video for video in videos if "autoplay" in video]
    assert not browser.open(reverse(LIST)).all("video"), "nothing to load or play on the list"


def test_many_submissions_are_cut_and_counted(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "MAX_SHOWN", 2)
    job = ended(grace, Status.FAILED)
    for _again in range(2):
        Submission.objects.update(status=Status.FAILED)
        VideoJob.objects.update(status=Status.FAILED)
        job.resubmit(actor=grace)

    text = browser.open(page_of(job)).text

    assert "The newest 2 of 3." in text
    assert "Submission 3" in text
    assert "Submission 1" not in text


def test_a_long_history_costs_as_many_queries_as_a_short_one(browser: Browser, grace: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
            browser.open(page_of(job))
        return len(queries)

    job = ended(grace, Status.FAILED)
    job.resubmit(actor=grace)
    count()  # the first page of a process asks for the content type
    short = count()
    for _ in range(5):
        Submission.objects.filter(job=job).update(status=Status.FAILED)
        VideoJob.objects.filter(pk=job.pk).update(status=Status.FAILED)
        job.resubmit(actor=grace)

    assert count() == short


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(browser: Browser, grace: User, text: str) -> None:
    calm, wild = story(grace, "calm"), story(grace, text)
    assert live_nodes(browser.open(page_of(calm))) == live_nodes(browser.open(page_of(wild)))

    calm_draft, wild_draft = draft(grace, prompt="calm"), draft(grace, prompt=text)
    pages = [browser.open(page_of(job)) for job in (calm_draft, wild_draft)]
    assert live_nodes(pages[0]) == live_nodes(pages[1])
    for view in ("delete", "history"):
        pages = [browser.open(page_of(job, view)) for job in (calm_draft, wild_draft)]
        assert live_nodes(pages[0]) == live_nodes(pages[1])


def test_hostile_text_stays_text_in_lists_and_messages(browser: Browser, grace: User) -> None:
    def show(text: str) -> list[tuple[str, int]]:
        VideoJob.objects.all().delete()
        jobs = [draft(grace, prompt=text, reference=text), draft(grace, prompt=text)]
        jobs[0].submit()
        Submission.objects.update(status=Status.FAILED)
        VideoJob.objects.filter(pk=jobs[0].pk).update(status=Status.FAILED)
        return live_nodes(browser.act("cancel_selected", *jobs))

    calm = show("calm")
    assert [show(text) for text in HOSTILE] == [calm] * len(HOSTILE)


def story(owner: User, text: str) -> VideoJob:
    """A job that says ``text`` wherever anybody but us may write."""
    hostile = {"error_code": text, "error_message": text, "note": text, "krea_status": text}
    job = ended(owner, Status.COMPLETED, result_url=f"javascript:{text}", **hostile)
    VideoJob.objects.filter(pk=job.pk).update(
        prompt=text, reference=text, start_image=f"javascript:{text}", end_image=text
    )
    JobEvent.objects.create(job=job, source="system", action="note", detail=text)
    return job


@pytest.mark.proves("W9")
def test_the_address_of_a_video_cannot_leave_its_place(browser: Browser, grace: User) -> None:
    address = "https://gen.krea.ai/\"><script>alert(1)</script><a/onclick='alert(1)"
    calm = ended(grace, Status.COMPLETED, result_url="https://elsewhere.example/1.mp4")
    wild = ended(grace, Status.COMPLETED, result_url=address)

    page = browser.open(page_of(wild))

    assert not page.all("video"), "it is shown as text, and neither linked nor played"
    assert address in page.text
    assert live_nodes(page) == live_nodes(browser.open(page_of(calm)))


def live_nodes(page: Page) -> list[tuple[str, int]]:
    """How many there are of every node but line breaks, and of all that runs or loads."""
    assert page.status == 200
    counts = [(tag, count) for tag, count in page.nodes.items() if tag != "br"]
    handlers = sum(
        name.startswith("on") for _, attributes in page.attributes for name in attributes
    )
    schemes = sum(
        value.lower().startswith(("javascript:", "data:"))
        for _, attributes in page.attributes
        for name, value in attributes.items()
        if name in ("href", "src", "action")
    )
    return sorted([*counts, ("handlers", handlers), ("schemes", schemes)])


def test_pictures_are_named_and_not_loaded(browser: Browser, grace: User) -> None:
    picture = "https://pictures.example/a.png?a=1&b=2"
    job = draft(grace, start_image=picture, end_image=picture)
    reader = Browser(person("reader", "view"))
    pages = [browser.open(page_of(job)), reader.open(page_of(job)), browser.open(reverse(LIST))]
    job.submit()
    pages.append(browser.open(page_of(job)))

    for page in pages:
        loaded = [
            attrs.get("src", "") for tag, attrs in page.attributes if tag not in ("a", "input")
        ]
        assert not [address for address in loaded if "pictures.example" in address]
    for page in pages[1::2]:
        links = [link for link in page.all("a") if link.get("href") == picture]
        assert [link["rel"] for link in links] == ["noopener noreferrer nofollow"] * 2


def test_a_megabyte_of_prompt_does_not_fill_the_page(browser: Browser, grace: User) -> None:
    job = wanted(grace, prompt="cat " * 250_000)
    Submission.objects.update(error_message="dog " * 250_000, result_url="https://x/" + "y" * 500)

    page = browser.open(page_of(job))
    assert len(page.html) < 100_000
    assert "(1000000 characters in all)" in page.text
    assert len(browser.open(reverse(LIST)).html) < 100_000
    assert len(browser.act("submit_selected", job).html) < 100_000


def test_a_prompt_of_which_nothing_is_seen_is_called_by_its_id(
    browser: Browser, grace: User
) -> None:
    prompts = ["\u200b\u202e\u2066 \ufeff", "\u202ecat"]
    jobs = [draft(grace, prompt=prompt) for prompt in prompts]
    page = browser.act("submit_selected", *jobs)
    assert str(jobs[0].pk) in page.text
    assert "cat" in page.text
    assert str(jobs[1].pk) not in page.text


def test_no_page_connects_anywhere(
    browser: Browser, grace: User, settings: Settings, no_network: None
) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    job = ended(grace, Status.COMPLETED, result_url=VIDEO)
    waiting = draft(grace, start_image="https://pictures.example/a.png")

    for address in (reverse(LIST), page_of(job), page_of(waiting), page_of(job, "delete")):
        assert browser.open(address).status == 200
    page = browser.buy("submit_selected", waiting)
    assert "1 job submitted for" in page.text


def test_what_is_not_sent_since_the_one_before_runs_says_so(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.FAILED, failure_code="not_found", krea_job_id="first")
    job.resubmit(actor=grace, source=JobEvent.Source.OPERATOR)
    words = "Submission 1 may still become a video: both would be billed."
    assert words not in browser.open(page_of(job)).text

    Submission.objects.filter(number=1).update(krea_status="processing", due_at=timezone.now())
    assert words in browser.open(page_of(job)).text

    Submission.objects.filter(number=2).update(beside_others=True)
    assert words not in browser.open(page_of(job)).text


def test_nor_what_waits_since_a_job_was_named_for_the_one_before(
    browser: Browser, grace: User
) -> None:
    job = ended(grace, Status.FAILED, krea_status="failed", krea_job_id="first")
    job.resubmit(actor=grace, source=JobEvent.Source.OPERATOR)
    words = "Krea job second was named for another submission: both may be billed."
    assert words not in browser.open(page_of(job)).text

    named = Stranger.objects.create(
        krea_job_id="second", named_for=Submission.objects.get(number=1)
    )
    assert words in browser.open(page_of(job)).text

    Stranger.objects.filter(pk=named.pk).update(dismissed_at=timezone.now())
    assert words not in browser.open(page_of(job)).text
