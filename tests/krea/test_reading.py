"""The one normaliser: every documented or seen shape of a job, and what hostile bodies become."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_django.krea.problems import is_about_the_account
from hailuo_django.krea.text import bounded, unchanged
from hailuo_django.krea.wire import (
    JobReport,
    Unreadable,
    read_job,
    read_page,
    read_refusal,
)
from hailuo_django.states import FailureCode
from tests.krea.conftest import JOB_ID, job

URL = "https://gen.krea.ai/videos/a.mp4"


def read(**changes: Any) -> JobReport:
    return read_job(json.dumps(job(**changes)))


def read_secret(raw: str) -> JobReport:
    return read_job(raw, redact=lambda text: text.replace("the token", "***"))


def test_the_documented_job_is_read() -> None:
    report = read(
        status="completed",
        completed_at="2026-11-01T12:01:45.123Z",
        result={"urls": [URL]},
    )
    assert report == JobReport(
        krea_job_id=JOB_ID,
        status="completed",
        urls=(URL,),
        created_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
        completed_at=datetime(2026, 11, 1, 12, 1, 45, 123000, tzinfo=UTC),
        raw=report.raw,
    )
    assert json.loads(report.raw)["job_id"] == JOB_ID


def test_text_and_bytes_read_alike() -> None:
    raw = json.dumps(job(status="ü"), ensure_ascii=False)
    assert read_job(raw) == read_job(raw.encode()) == read_job(b"\xef\xbb\xbf" + raw.encode())


@pytest.mark.parametrize(
    "result",
    [
        {"urls": [URL]},
        {"urls": URL},
        {"urls": [{"type": "video", "url": URL}]},
        {"urls": {"video": URL}},
        {"urls": {"0": {"type": "video", "url": URL}}},
        {"urls": [URL, URL], "video_url": URL},
        {"video_url": URL},
        {"urls": None, "video_url": URL},
        {"urls": [None, 7, "", {}, {"url": 7}, URL]},
        [URL],
        [{"url": URL}],
        URL,
    ],
)
def test_the_video_is_found_in_every_shape_of_a_result(result: object) -> None:
    assert read(status="completed", result=result).urls == (URL,)
    # What is shown before the end is a preview.
    for status in ("intermediate-complete", "failed", "cancelled", "Completed", "done", None):
        assert read(status=status, result=result).urls == ()


@pytest.mark.parametrize("result", [None, {}, "", "none", [], 7, True, {"urls": []}, {"urls": 7}])
def test_a_result_may_be_without_a_video(result: object) -> None:
    assert read(status="completed", result=result).urls == ()


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//gen.krea.ai/a.mp4",
        "file:///etc/passwd",
        " https://gen.krea.ai/a.mp4",
        "https://gen.krea.ai/a b.mp4",
        "https://gen.krea.ai/a\nb.mp4",
        "https://gen.krea.ai/\u202e4pm.mp4",
        "https://gen.krea.ai/\x00",
        "https://gen.krea.ai/" + "a" * 2048,
    ],
)
def test_what_is_no_web_address_is_no_video(url: str) -> None:
    assert read(status="completed", result={"urls": [url]}).urls == ()


def test_a_few_videos_are_enough() -> None:
    urls = [f"{URL}?{number}" for number in range(1000)]
    assert read(status="completed", result={"urls": urls}).urls == tuple(urls[:10])


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"error": {"code": "provider_error", "message": "It broke"}},
            "provider_error",
            "It broke",
        ),
        ({"error": {"code": 17, "message": "It broke"}}, "17", "It broke"),
        ({"error": {"code": True, "message": None}}, "", ""),
        ({"error": "It broke"}, "", "It broke"),
        ({"error": "provider_error"}, "provider_error", "provider_error"),
        ({"result": {"error": "It broke"}}, "", "It broke"),
        ({"result": {"error": {"code": "x", "message": "It broke"}}}, "x", "It broke"),
        ({"error": None, "result": {"error": "It broke"}}, "", "It broke"),
        ({"error": {}, "result": {"error": "It broke"}}, "", "It broke"),
        ({"message": "It broke"}, "", "It broke"),
        ({"error": ["It broke"]}, "", ""),
        ({}, "", ""),
    ],
)
def test_the_error_of_a_failed_job_is_found_in_every_place(
    changes: dict[str, Any], code: str, message: str
) -> None:
    report = read(status="failed", **changes)
    assert (report.error_code, report.error_message) == (code, message)


def test_a_running_job_with_a_message_has_no_error() -> None:
    assert read(status="queued", message="You are number 3").error_message == ""


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": "Bad body"}, "", "Bad body"),
        ({"message": "Top up"}, "", "Top up"),
        ({"detail": "No"}, "", "No"),
        ({"code": "x", "message": "No"}, "x", "No"),
        (
            {"detail": [{"loc": ["body", "duration", 0], "msg": "too long"}, "and more", 7]},
            "",
            "body.duration.0: too long; and more",
        ),
        ({"details": [{"path": ["prompt"], "message": "missing"}]}, "", "prompt: missing"),
        ({"errors": [{"path": "prompt", "message": "missing"}]}, "", "prompt: missing"),
        ({"issues": [{"message": "missing"}, {}]}, "", "missing"),
        ({"error": "No", "validationErrors": [{"path": {}, "message": "x"}]}, "", "No; x"),
        ({"error": {"code": "zod", "issues": [{"path": ["a"], "message": "b"}]}}, "zod", "a: b"),
        (
            {"error": "model_unavailable", "reason": "sunset", "message": "Gone since May"},
            "model_unavailable",
            "Gone since May",
        ),
        ({"error": "model_unavailable", "reason": "sunset"}, "model_unavailable", "sunset"),
        ({"error": "same", "message": "same"}, "same", "same"),
        ({"error": "The same", "message": "The same"}, "", "The same"),
        ([], "", ""),
        ("text", "", ""),
        ({"error": 7, "message": 7, "detail": {}}, "", ""),
    ],
)
def test_a_refusal_is_read_in_every_shape(body: object, code: str, message: str) -> None:
    raw = json.dumps(body)
    assert read_refusal(raw.encode())[:3] == (code, message, raw)


@pytest.mark.parametrize(
    ("code", "message", "verdict"),
    [
        ("moderation_failed", "x", FailureCode.MODERATION),
        ("", "The prompt was flagged", FailureCode.MODERATION),
        ("", "Input involves sensitive content", FailureCode.MODERATION),
        ("timeout", "", FailureCode.UPSTREAM_TIMEOUT),
        ("", "The provider timed out", FailureCode.UPSTREAM_TIMEOUT),
        ("invalid_input", "x", FailureCode.INVALID_REQUEST),
        ("", "Unsupported duration", FailureCode.INVALID_REQUEST),
        ("provider_error", "The provider gave an invalid answer", FailureCode.UPSTREAM_ERROR),
        ("timeout", "while waiting for moderation", FailureCode.UPSTREAM_TIMEOUT),
        ("", "", FailureCode.UPSTREAM_ERROR),
    ],
)
def test_a_failure_is_sorted_by_its_words_the_code_first(
    code: str, message: str, verdict: FailureCode
) -> None:
    assert read(status="failed", error={"code": code, "message": message}).failure_code == verdict


@pytest.mark.parametrize("word", ["warming-up", "COMPLETED", "", "\x00", "x" * 500])
def test_an_unknown_status_is_kept(word: str) -> None:
    assert read(status=word).status == word.replace("\x00", "\ufffd")[:100]


@pytest.mark.parametrize("word", [None, 7, [], {}, True])
def test_a_job_without_a_status_still_has_its_id(word: object) -> None:
    assert (read(status=word).krea_job_id, read(status=word).status) == (JOB_ID, "")


@pytest.mark.parametrize(
    "krea_job_id", [None, 7, 7.5, True, [], {}, "", ".", "..", "x" * 101, "a\x00", "\ud800", "a\nb"]
)
def test_without_a_usable_id_there_is_no_job(krea_job_id: object) -> None:
    with pytest.raises(Unreadable):
        read(job_id=krea_job_id)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"NaN",
        b"{",
        b"<!DOCTYPE html><h1>502</h1>",
        b"\xff\xfe\x00",
        b"{}",
        b"[" * 100_000,
        b'{"job_id":' * 100_000,
        b"9" * 10_000,
    ],
)
def test_what_is_no_job_is_unreadable_and_nothing_worse(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read_job(raw)
    with pytest.raises(Unreadable):
        read_page(raw)
    assert len(read_refusal(raw).raw) <= 16 * 1024


@pytest.mark.parametrize(
    "extra",
    [
        '"x": NaN',
        '"x": -Infinity',
        '"x": 1e400',
        f'"x": 1{"0" * 400}',
        f'"x": -{"9" * 50_000}',
        '"status": "failed", "status": "queued"',
        '"x": "\\ud800"',
        '"x": "\\u0000"',
        f'"x": {"[" * 500}{"]" * 500}',
    ],
)
def test_odd_json_around_a_job_does_not_lose_it(extra: str) -> None:
    assert read_job(f'{{"job_id": "{JOB_ID}", {extra}}}').krea_job_id == JOB_ID


@pytest.mark.parametrize(
    "moment",
    [
        None,
        "",
        "yesterday",
        1793534400,
        True,
        [],
        "2026-11-01T12:00:00",
        "2026-11-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1970-01-01T00:00:00Z",
        "2026-11-01T12:00:00+99:99",
        "\ud800",
    ],
)
def test_what_is_no_time_that_can_be_is_none(moment: object) -> None:
    report = read(created_at=moment, completed_at=moment)
    assert (report.created_at, report.completed_at) == (None, None)


def test_a_time_of_another_zone_is_the_same_time() -> None:
    moment = read(created_at="2026-11-01T14:30:00+02:30").created_at
    assert moment == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert moment.utcoffset() == timedelta()


def test_long_texts_are_cut() -> None:
    report = read(status="failed", error={"code": "c" * 9999, "message": "m" * 9999}, x="x" * 99999)
    assert len(report.error_code) == 100
    assert len(report.error_message) == 4000
    assert len(report.raw) == 16 * 1024


def test_what_is_exactly_as_long_as_it_may_be_is_taken() -> None:
    longest_url = URL + "?" + "a" * (2048 - len(URL) - 1)
    assert read(job_id="a" * 100).krea_job_id == "a" * 100
    assert read(status="completed", result={"urls": [longest_url]}).urls == (longest_url,)
    for cursor in ("1", "1" * 100):
        page = read_page(json.dumps({"items": [], "next_cursor": cursor}))
        assert page.next_cursor == cursor


def test_an_error_of_a_job_that_still_runs_is_kept() -> None:
    report = read(status="processing", error={"code": "slow", "message": "A provider is slow."})
    assert (report.error_code, report.error_message) == ("slow", "A provider is slow.")


def test_an_item_of_a_page_is_kept_in_its_own_letters() -> None:
    [item] = read_page(json.dumps({"items": [job(type="Größe")]})).items
    assert "Größe" in item.raw


@pytest.mark.parametrize(
    ("read_it", "raw", "reason"),
    [
        (read_job, "<html>", "not JSON"),
        (read_job, "[]", "not an object"),
        (read_job, "{}", "no job id"),
        (read_page, "{}", "no list of items"),
        (read_secret, '{"job_id": "the token"}', "a secret in place of a job id"),
    ],
)
def test_what_is_unreadable_says_why(read_it: Any, raw: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=f"^{reason}$"):
        read_it(raw)


def test_of_an_item_that_cannot_be_read_the_time_is_kept_where_it_tells_one() -> None:
    items = [{"created_at": "2026-11-01T12:00:00Z"}, {"created_at": "once"}, "created_at"]
    page = read_page(json.dumps({"items": items}))
    assert page.unreadable == (datetime(2026, 11, 1, 12, tzinfo=UTC), None, None)


def test_a_refusal_that_was_cut_off_is_kreas_own_whatever_stands_before_it() -> None:
    assert read_refusal(b' \r\n{"error": {"code": "cut o').is_kreas


def test_a_page_is_read_item_by_item() -> None:
    deep = json.loads("[" * 900 + "]" * 900)
    items = [job(), job(job_id=7), None, "x", job(job_id="b"), job(job_id="c", x=[deep])]
    page = read_page(json.dumps({"items": items, "next_cursor": "2026-11-01T12:00:00Z"}))
    assert [item.krea_job_id for item in page.items][:2] == [JOB_ID, "b"]
    assert len(page.items) + len(page.unreadable) == len(items)
    assert len(page.unreadable) >= 3
    assert page.next_cursor == "2026-11-01T12:00:00Z"
    assert json.loads(page.items[0].raw) == job()


def test_an_item_of_any_depth_spoils_at_most_its_page() -> None:
    """Around some depth an item can be read but not be written again."""
    for depth in [*range(850, 1000), 50_000]:
        item = f'{{"job_id": "deep", "x": {"[" * depth}{"]" * depth}}}'
        try:
            page = read_page(f'{{"items": [{item}, {json.dumps(job())}]}}')
        except Unreadable:
            continue
        assert page.items[-1].krea_job_id == JOB_ID
        assert len(page.items) + len(page.unreadable) == 2


@pytest.mark.parametrize(
    ("changes", "cursor"),
    [
        ({}, None),
        ({"next_cursor": None}, None),
        ({"next_cursor": ""}, None),
        ({"next_cursor": 7}, None),
        ({"next_cursor": "\x00"}, None),
        ({"next_cursor": "x" * 101}, None),
        ({"nextCursor": "2026"}, "2026"),
        ({"next_cursor": "2026", "nextCursor": "2025"}, "2026"),
    ],
)
def test_the_cursor_is_a_word_or_none(changes: dict[str, Any], cursor: str | None) -> None:
    assert read_page(json.dumps({"items": []} | changes)).next_cursor == cursor


TEXTS = st.text(st.characters(codec=None, exclude_categories=()))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)
KEYS = ("status", "result", "error", "created_at", "completed_at", "message", "detail", "x")
STATUSES = st.sampled_from(["completed", "failed", "cancelled", "queued"])
JOBS = st.fixed_dictionaries(
    {"job_id": st.just(JOB_ID) | TEXTS},
    optional=dict.fromkeys(KEYS, ANYTHING) | {"status": STATUSES | ANYTHING},
)
RESULTS = st.fixed_dictionaries(
    {}, optional={"urls": ANYTHING | st.lists(st.just(URL) | TEXTS), "error": ANYTHING}
)


def assert_storable(report: JobReport) -> None:
    texts = [
        value for field in fields(report) if isinstance(value := getattr(report, field.name), str)
    ]
    for text in [*texts, *report.urls]:
        assert "\x00" not in text
        text.encode()
    assert 0 < len(report.krea_job_id) <= 100
    assert len(report.status) <= 100
    assert len(report.error_code) <= 100
    assert len(report.error_message) <= 4000
    assert len(report.raw) <= 16 * 1024
    assert len(report.urls) <= 10
    assert all(len(url) <= 2048 for url in report.urls)
    assert not report.urls or report.status == "completed"
    for moment in (report.created_at, report.completed_at):
        assert moment is None or moment.utcoffset() == timedelta()
    assert report.failure_code in FailureCode


@given(JOBS | JOBS.flatmap(lambda one: RESULTS.map(lambda result: one | {"result": result})))
def test_any_object_is_read_into_something_storable_or_refused(tree: dict[str, Any]) -> None:
    for raw in (json.dumps(tree), json.dumps(tree, ensure_ascii=False)):
        try:
            assert_storable(read_job(raw))
        except Unreadable:
            assert tree["job_id"] != JOB_ID


@given(st.binary() | TEXTS)
def test_any_bytes_are_refused_and_nothing_worse(raw: bytes | str) -> None:
    with pytest.raises(Unreadable):
        read_job(raw)
    with pytest.raises(Unreadable):
        read_page(raw)


@given(st.lists(JOBS | ANYTHING), ANYTHING)
def test_any_page_is_read(items: list[Any], cursor: object) -> None:
    page = read_page(json.dumps({"items": items, "next_cursor": cursor}))
    assert len(page.items) + len(page.unreadable) == len(items)
    for report in page.items:
        assert_storable(report)


@given(ANYTHING)
def test_any_refusal_is_read(tree: object) -> None:
    code, message, raw, _is_kreas = read_refusal(json.dumps(tree).encode())
    for text in (code, message, raw):
        assert text == bounded(text, 16 * 1024, unchanged)
    assert len(code) <= 100
    assert len(message) <= 4000


@pytest.mark.parametrize(
    "words",
    ["The prompt has more than 512 tokens", "Blocked by content moderation", "No such model"],
)
def test_what_is_said_of_the_request_is_not_taken_for_news_of_the_account(words: str) -> None:
    assert not is_about_the_account("invalid_request", words)
