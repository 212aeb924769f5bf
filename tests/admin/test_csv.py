"""Jobs as CSV: complete, of any number, and nothing in it that a spreadsheet would calculate."""

from __future__ import annotations

import asyncio
import csv
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.admin import VideoJobAdmin, sheets
from hailuo_django.api.serializers import VideoJobSerializer
from hailuo_django.models import VideoJob
from hailuo_django.states import Status
from tests.api.people import draft, ended, wanted

from .pages import LIST, Browser, person, token_of

pytestmark = pytest.mark.django_db


def download(browser: Browser, *jobs: VideoJob, query: str = "", across: bool = False) -> Any:
    """Choose the action for some jobs of a list, or for all of it; the answer, not yet read."""
    values = {"action": "download_csv", "index": "0", "select_across": str(int(across))}
    chosen = [str(job.pk) for job in jobs] or [str(VideoJob.objects.all()[0].pk)]
    data = {**token_of(browser), **values, "_selected_action": chosen}
    answer = browser.post(reverse(LIST) + query, data)
    assert answer.status_code == 200
    return answer


def rows(answer: Any) -> list[dict[str, str]]:
    """What a program reads in the file."""
    text = answer.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def test_a_row_tells_all_of_a_job_in_the_words_of_the_api(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.LANGUAGE_CODE = "de"
    settings.USE_THOUSAND_SEPARATOR = True
    settings.TIME_ZONE = "Asia/Tokyo"
    job = ended(
        grace,
        Status.FAILED,
        failure_code="moderation",
        krea_job_id="krea-1",
        error_code="policy",
        error_message="Not, that.",
    )
    VideoJob.objects.update(prompt='two\nlines, "quoted"', created_at="2026-06-01T20:00:00+00:00")
    VideoJob.objects.update(submitted_at="2026-06-01T20:00:01.5+00:00", reference="Größe 7")

    [row] = rows(download(browser, job))

    assert row == {
        "id": str(job.pk),
        "status": "failed",
        "prompt": 'two\nlines, "quoted"',
        "start_image": "",
        "end_image": "",
        "expand_prompt": "true",
        "resolution": "768p",
        "duration": "6",
        "reference": "Größe 7",
        "owner": "grace",
        "price_usd": "0.2835",
        "spent_usd": "0",
        "video_url": "",
        "failure_code": "moderation",
        "error.code": "policy",
        "error.message": "Not, that.",
        "krea_job_id": "krea-1",
        "created_at": "2026-06-02T05:00:00+09:00",
        "submitted_at": "2026-06-02T05:00:01+09:00",
        "completed_at": "",
    }
    known = {*VideoJobSerializer.Meta.fields, "owner", "krea_job_id", "error.code", "error.message"}
    assert row.keys() <= known


def test_each_kind_of_job_has_its_row(browser: Browser, grace: User) -> None:
    draft(None, prompt="a draft")
    VideoJob.objects.filter(pk=wanted(grace).pk).update(prompt="wanted")
    done = ended(grace, Status.COMPLETED, result_url="https://gen.krea.ai/v.mp4")
    ended(grace, Status.FAILED).resubmit()

    found = rows(download(browser, *VideoJob.objects.all()))

    told = [(row["status"], row["owner"], row["spent_usd"]) for row in found]
    assert told == [
        ("unsent", "grace", "0"),
        ("completed", "grace", "0.2835"),
        ("unsent", "grace", "0"),
        ("draft", "", "0"),
    ]
    assert found[1]["video_url"] == "https://gen.krea.ai/v.mp4"
    assert found[1]["krea_job_id"] == f"krea-{done.pk}"
    assert found[0]["krea_job_id"] == "", "that of the newest submission"


def test_a_site_without_time_zones_tells_the_offset_too(
    browser: Browser, grace: User, settings: Settings
) -> None:
    settings.USE_TZ = False
    settings.TIME_ZONE = "Asia/Tokyo"
    job = draft(grace)
    VideoJob.objects.update(created_at=datetime(2026, 6, 1, 20))

    [row] = rows(download(browser, job))
    assert row["created_at"] == "2026-06-01T20:00:00+09:00"


def test_the_file_is_one_to_save_and_one_that_excel_reads(browser: Browser, grace: User) -> None:
    answer = download(browser, draft(grace, prompt="Leuchtturm in der Dämmerung"))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="video-jobs-20')
    assert answer["Content-Disposition"].endswith('.csv"')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    content = answer.getvalue()
    assert content.startswith(b"\xef\xbb\xbfid,status,prompt,")
    assert content.count(b"\r\n") == 2


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\tplain", "'\tplain"),
        ("\rplain", "'\rplain"),
        ("  =1", "'  =1"),
        ('"=1', "'\"=1"),
        (" ' \" =1", "' ' \" =1"),
        ("\u00a0\u3000=1", "'\u00a0\u3000=1"),
        ("＝1+1", "'＝1+1"),
        ("a;=1", "a;'=1"),
        ('a; "=1', "a;' \"=1"),
        ("a\n=1", "a\n'=1"),
        ("a\r\n=1", "a\r\n'=1"),
        ("a\r=1", "a\r'=1"),
        ("a\t@1", "a\t'@1"),
        ("\n=1", "'\n'=1"),
        ("a = b - c", "a = b - c"),
        ("a, -b; c", "a, -b; c"),
        ("it's 5 > 3", "it's 5 > 3"),
    ],
)
def test_nothing_in_it_is_a_formula(browser: Browser, grace: User, text: str, written: str) -> None:
    [row] = rows(download(browser, draft(grace, prompt=text, reference=text)))
    assert (row["prompt"], row["reference"]) == (written, written)


def test_names_of_people_and_words_of_krea_are_no_formulas_either(db: None, grace: User) -> None:
    owner = person("@ida", "view")
    ended(owner, Status.FAILED, krea_job_id="=1", error_code="+1", error_message="-1")

    [row] = rows(download(Browser(grace)))
    names = ("owner", "krea_job_id", "error.code", "error.message")
    assert [row[name] for name in names] == ["'@ida", "'=1", "'+1", "'-1"]


def test_all_pages_of_what_a_filter_leaves_are_downloaded(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "CHUNK", 2)
    monkeypatch.setattr(VideoJobAdmin, "list_per_page", 2)
    draft(grace, prompt="not this one")
    same = wanted(grace).created_at
    for _job in range(4):
        wanted(grace)
    VideoJob.objects.filter(status="unsent").update(created_at=same)

    found = rows(download(browser, query="?status=unsent&o=2", across=True))

    unsent = VideoJob.objects.filter(status="unsent")
    assert [row["id"] for row in found] == [str(job.pk) for job in unsent], "each of them once"
    assert len(found) == 5


def test_as_many_jobs_as_there_are_cost_three_queries_for_each_two_hundred(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "CHUNK", 3)
    for _job in range(7):
        ended(grace, Status.FAILED, error_code="policy")
    answer = download(browser, across=True)
    connection = connections[VideoJob.database()]

    chunks = iter(answer.streaming_content)
    with CaptureQueriesContext(connection) as queries:
        next(chunks)
    assert len(queries) == 0, "the names of the columns"
    with CaptureQueriesContext(connection) as queries:
        assert next(chunks).count(b"policy") == 3
    assert len(queries) == 3, "the jobs, and their submissions as the list has them and as this has"
    with CaptureQueriesContext(connection) as queries:
        assert b"".join(chunks).count(b"policy") == 4
    assert len(queries) == 7, "and a last one that finds no more"


def test_a_job_that_is_deleted_meanwhile_ends_nothing(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "CHUNK", 1)
    jobs = [draft(grace, prompt=str(n)) for n in range(3)]
    answer = download(browser, across=True)
    chunks = iter(answer.streaming_content)
    start = next(chunks) + next(chunks)
    jobs[1].delete()

    text = (start + b"".join(chunks)).decode("utf-8-sig")
    assert [row["prompt"] for row in csv.DictReader(StringIO(text))] == ["2", "0"]


@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_asynchronous_reads_no_more_at_once(
    grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "CHUNK", 1)
    jobs = [draft(grace, prompt=f"job {n}") for n in range(3)]
    client = AsyncClient()
    client.force_login(grace)
    data = {"action": "download_csv", "index": "0", "_selected_action": [str(j.pk) for j in jobs]}

    async def read() -> list[bytes]:
        answer: Any = await client.post(reverse(LIST), data)
        assert answer.is_async
        return [chunk async for chunk in answer]

    chunks = asyncio.run(read())
    assert [chunk.count(b"job ") for chunk in chunks] == [0, 1, 1, 1]


def test_a_host_adds_columns_and_leaves_some_out(
    browser: Browser, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"prompt": lambda job: job.prompt, "tries": lambda job: job.submission_count}
    monkeypatch.setattr(VideoJobAdmin, "csv_columns", columns)
    assert rows(download(browser, draft(grace))) == [{"prompt": "a lighthouse", "tries": "0"}]


def test_taking_jobs_along_is_for_whoever_may_see_the_list(db: None) -> None:
    job = draft(None)
    stranger, viewer = Browser(person("eve", "add")), Browser(person("vera", "view"))
    data = {"action": "download_csv", "index": "0", "_selected_action": str(job.pk)}

    assert stranger.post(reverse(LIST), {**token_of(stranger), **data}).status_code == 403
    assert len(rows(download(viewer, job))) == 1


def test_what_a_host_lets_nobody_look_at_is_not_taken_along(
    browser: Browser, grace: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROOT_URLCONF = "tests.admin.own_desk"
    monkeypatch.setattr(sheets, "CHUNK", 1)
    jobs = [draft(grace, reference=name) for name in ("old", "locked", "new")]

    assert [row["reference"] for row in rows(download(browser, *jobs))] == ["new", "old"]
