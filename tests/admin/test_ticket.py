"""The export of a job for a support ticket: all that is known, nothing that is secret."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import django
import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

import hailuo_django
from hailuo_django.admin import ticket
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.testing import make_submitted_job, work
from hailuo_django.tokens import Addressee, make_token
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, grant, page_of, person

pytestmark = pytest.mark.django_db

TOKEN = "krea-token-of-the-tests"
MOMENT = datetime(2026, 11, 23, 15, 4, 59, 250_000, tzinfo=UTC)


def exported(browser: Browser, job: VideoJob) -> dict[str, Any]:
    """What the file says."""
    answer = browser.get(page_of(job, "ticket"))
    assert answer.status_code == 200
    told: dict[str, Any] = json.loads(answer.content)
    return told


@pytest.fixture
def insider(grace: User) -> Browser:
    """The browser of somebody who may see raw payloads too."""
    return grant(grace, "view_raw_payload")


def test_a_job_is_saved_as_a_file(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.COMPLETED)
    links = browser.open(page_of(job)).all("a")
    [link] = [link for link in links if "download" in link]
    assert link["href"] == page_of(job, "ticket")

    answer = browser.get(link["href"])

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="hailuo-{job.pk}.json"'
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_file_tells_the_whole_life_of_a_job(krea: Sandbox, browser: Browser, grace: User) -> None:
    job = make_submitted_job(owner=grace, reference="order 7")
    work()
    krea.move(krea.jobs[0].id, "completed")
    work()

    told = exported(browser, job)

    assert told["job"]["id"] == str(job.pk)
    assert told["job"]["status"] == "completed"
    assert told["job"]["reference"] == "order 7"
    assert told["job"]["spent_usd"] == "0.2835"
    assert told["job"]["video_url"].startswith(krea.url)
    [submission] = told["submissions"]
    assert submission["krea_job_id"] == krea.jobs[0].id
    assert submission["price_usd"] == "0.2835"
    assert submission["poll_count"] == 1
    assert [event["action"] for event in told["events"]] == ["submit", "claim", "adopt", "report"]
    assert {event["submission"] for event in told["events"]} == {1}
    assert told["events"][0]["seconds_since_the_one_before"] is None
    assert told["events"][1]["seconds_since_the_one_before"] >= 0


def test_a_file_names_the_versions_it_comes_from(browser: Browser, grace: User) -> None:
    versions = exported(browser, draft(grace))["versions"]

    database = versions.pop("database").partition(" ")
    assert versions == {
        "hailuo_django": hailuo_django.__version__,
        "django": django.get_version(),
        "python": platform.python_version(),
    }
    assert database[0] == connections[VideoJob.database()].vendor
    assert database[2][0].isdigit()


@pytest.mark.parametrize("model", [VideoJob, Submission, JobEvent])
def test_every_field_is_told_or_left_out_by_name(
    browser: Browser, grace: User, model: type[Model]
) -> None:
    told = exported(browser, wanted(grace))
    place = {VideoJob: "job", Submission: "submissions", JobEvent: "events"}[model]
    row = told[place] if place == "job" else told[place][0]

    names = {field.name for field in model._meta.concrete_fields}

    assert names - row.keys() == ticket.LEFT_OUT[model]


def test_people_are_numbered_and_not_named(browser: Browser, grace: User) -> None:
    job = wanted(grace)
    for actor in (person("olga"), None, grace):
        JobEvent.objects.create(job=job, source="operator", action="note", actor=actor)

    told = exported(browser, job)

    assert told["job"]["owner"] == "person 1"
    actors = ["person 1", "person 2", None, "person 1"]
    assert [event["actor"] for event in told["events"]] == actors
    assert "olga" not in json.dumps(told)
    assert "grace" not in json.dumps(told)


def test_two_files_of_an_unchanged_job_differ_in_one_line(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.COMPLETED)
    files = [browser.get(page_of(job, "ticket")).content.decode() for _again in range(2)]

    lines = [[li for li in file.splitlines() if "exported_at" not in li] for file in files]

    assert lines[0] == lines[1]
    assert len(lines[0]) > 70, "one fact a line, so that files can be compared"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Chicago"])
def test_times_bear_their_offset(
    browser: Browser, grace: User, settings: Settings, zone: str
) -> None:
    settings.TIME_ZONE = zone
    job = wanted(grace)
    VideoJob.objects.update(created_at=MOMENT)

    assert exported(browser, job)["job"]["created_at"] == "2026-11-23T15:04:59.250000+00:00"


def test_times_of_a_site_without_time_zones_do_too(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.USE_TZ = False
    settings.TIME_ZONE = "Asia/Tokyo"
    job = wanted(grace)
    VideoJob.objects.update(created_at=datetime(2026, 11, 24, 0, 4, 59))

    assert exported(browser, job)["job"]["created_at"] == "2026-11-23T15:04:59+00:00"


@pytest.mark.proves("B7")
def test_no_secret_is_in_a_file(insider: Browser, grace: User, settings: Settings) -> None:
    settings.HAILUO = {**settings.HAILUO, "WEBHOOK_BASE_URL": "https://site.example"}
    token = make_token(Addressee(wanted(grace).pk, 1))
    secrets = f"{TOKEN} https://site.example/hailuo/webhook/{token}/ {quote(token, safe='')}"
    escaped = json.dumps({f"echo {TOKEN}": secrets, "list": [secrets]}).replace("-", "\\u002d")
    texts = {"note": secrets, "error_message": secrets, "krea_status": TOKEN, "raw": escaped}
    job = ended(grace, Status.FAILED, body={"prompt": secrets}, **texts)
    VideoJob.objects.update(prompt=secrets, reference=TOKEN)
    Submission.objects.update(lease_token="leased-by-a-worker", evidence={"control": token})
    JobEvent.objects.update(detail=secrets)

    content = insider.get(page_of(job, "ticket")).content.decode()

    assert "[redacted]" in content
    assert "echo [redacted]" in content
    for secret in (TOKEN, token, token[:60], quote(token, safe=""), "leased-by-a-worker"):
        assert secret not in content
    page = insider.open(page_of(job)).html
    section = page[page.index('id="hailuo-raw"') :]
    for secret in (TOKEN, token):
        assert secret not in section


HOSTILE = "a\u202egnp.exe\u2066\x08\x7f\r\n\u2028\ufeff\U000e0041 <script>alert(1)</script>"


def test_hostile_text_is_inert_in_a_file(insider: Browser, grace: User) -> None:
    job = ended(grace, Status.FAILED, error_message=HOSTILE, body={HOSTILE: HOSTILE}, raw=HOSTILE)
    VideoJob.objects.update(prompt=f"Größe 海 {HOSTILE}")
    JobEvent.objects.update(detail=HOSTILE)

    content = insider.get(page_of(job, "ticket")).content.decode()

    assert {c for c in content if not c.isprintable()} == {"\n"}
    assert "Größe 海 a\\u202egnp.exe\\u2066\\b\\u007f\\r\\n\\u2028\\ufeff\\udb40\\udc41" in content
    told = json.loads(content)
    assert told["job"]["prompt"] == f"Größe 海 {HOSTILE}", "escaped and not lost"
    assert told["raw"][0]["answer"] == HOSTILE


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ('{"status": "failed", "n": [1, null]}', {"status": "failed", "n": [1, None]}),
        ("<html>502</html>", "<html>502</html>"),
        ('{"cut off', '{"cut off'),
        ("[" * 8000 + "]" * 8000, "[" * 8000 + "]" * 8000),
        ('{"a": NaN, "b": 1e999}', '{"a": NaN, "b": 1e999}'),
        ("9" * 5000, "9" * 5000),
        ("", ""),
    ],
    ids=["json", "html", "cut", "nested", "numbers", "large", "none"],
)
def test_an_answer_is_told_as_json_where_it_is_json(
    insider: Browser, grace: User, raw: str, shown: Any
) -> None:
    job = ended(grace, Status.FAILED, raw=raw)

    assert exported(insider, job)["raw"][0]["answer"] == shown
    assert insider.open(page_of(job)).status == 200


def test_raw_payloads_need_their_own_right(browser: Browser, grace: User) -> None:
    job = ended(grace, Status.FAILED, raw='{"what krea": "said"}', body={"what we": "sent"})
    words = ("what krea", "what we", "Raw requests")

    told = exported(browser, job)
    assert "raw" not in told
    assert not {"raw", "body"} & told["submissions"][0].keys()
    page = browser.open(page_of(job))
    live = browser.open(page_of(job, "live_page"))
    for text in (json.dumps(told), page.text, live.text):
        assert not [word for word in words if word in text]

    insider = grant(grace, "view_raw_payload")
    assert exported(insider, job)["raw"] == [
        {"number": 1, "request": {"what we": "sent"}, "answer": {"what krea": "said"}}
    ]
    for path in (page_of(job), page_of(job, "live_page")):
        page = insider.open(path)
        for word in (*words, '"what krea": "said"'):
            assert word in page.text
        assert not [details for details in page.all("details") if "open" in details]


def test_the_right_to_raw_payloads_alone_opens_nothing(db: None) -> None:
    user = person("eve")
    job = wanted(user)
    eve = grant(user, "view_raw_payload")
    for path in (page_of(job, "ticket"), page_of(job), reverse(LIST)):
        assert eve.open(path).status == 403


def test_long_payloads_are_cut_on_the_page_and_whole_in_the_file(
    insider: Browser, grace: User
) -> None:
    job = ended(grace, Status.FAILED, raw="x" * 16_384)

    assert "… (16384 characters in all)" in insider.open(page_of(job)).text
    assert exported(insider, job)["raw"][0]["answer"] == "x" * 16_384


def test_only_the_newest_payloads_are_on_the_page(
    insider: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hailuo_django.admin.raw.MAX_SHOWN", 1)
    job = ended(grace, Status.FAILED, raw="the first")
    job.resubmit()

    text = insider.open(page_of(job)).text

    assert "Only those of the newest 1 submissions are shown; the export has them all." in text
    assert "the first" not in text
    assert len(exported(insider, job)["raw"]) == 2


def test_an_export_needs_the_right_to_see(db: None) -> None:
    user = person("eve", "submit", "cancel", "add")
    path = page_of(wanted(user), "ticket")

    assert Browser().open(path).address.startswith(reverse("admin:login"))
    assert Browser(user).open(path).status == 403
    eve = grant(user, "view_videojob")
    assert eve.get(path).status_code == 200
    token = eve.open(reverse(LIST)).forms["logout-form"]["csrfmiddlewaretoken"]
    assert eve.post(path, {"csrfmiddlewaretoken": token}).status_code == 405


def test_a_guessed_id_exports_nothing_of_another_owner(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.admin.own_desk"
    mine, locked = wanted(grace), wanted(grace, reference="locked")
    others = wanted(person("olga"))

    assert exported(browser, mine)["job"]["id"] == str(mine.pk)
    assert browser.open(page_of(locked, "ticket")).status == 403
    assert browser.open(page_of(others, "ticket")).status == 404
    assert browser.open(f"{reverse(LIST)}nonsense/ticket/").status == 404


def test_each_of_two_admins_exports_from_its_own_pages(
    settings: Settings, browser: Browser, grace: User
) -> None:
    settings.ROOT_URLCONF = "tests.admin.two_offices"
    job = wanted(grace)
    page = browser.open(f"/staff/hailuo_django/videojob/{job.pk}/change/")
    [link] = [link for link in page.all("a") if "download" in link]
    assert link["href"] == f"/staff/hailuo_django/videojob/{job.pk}/ticket/"


@pytest.mark.parametrize("events", [1, 500])
def test_an_export_is_whole_and_costs_eight_queries(
    browser: Browser, grace: User, events: int
) -> None:
    # Session, user, two kinds of permissions; the job, twice its submissions (its money, and
    # all of them), its events.
    job = ended(grace, Status.FAILED)
    now = timezone.now()
    notes = [
        JobEvent(
            job=job, source="system", action="note", created_at=now + timedelta(seconds=number)
        )
        for number in range(events)
    ]
    JobEvent.objects.bulk_create(notes)

    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        told = exported(browser, job)

    assert len(told["events"]) == events + 1
    assert len(queries) == 8
