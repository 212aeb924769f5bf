"""The sandbox serves a real video, whole and in parts, to anybody."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.conftest import Krea


@pytest.fixture
def url(krea: Krea) -> str:
    job_id = krea.new_job()
    krea.move(job_id, "completed")
    return str(krea.job(job_id)["result"]["urls"][0])


def test_the_video_is_a_small_mp4_that_plays_while_it_loads(url: str) -> None:
    answer = requests.get(url, timeout=10)

    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.content[4:8] == b"ftyp"
    assert b"avc1" in answer.content
    assert answer.content.index(b"moov") < answer.content.index(b"mdat")
    assert len(answer.content) < 60_000


@pytest.mark.parametrize(
    ("wanted", "begin", "end"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-50", -50, None)]
    + [("bytes=0-999999", 0, None)],
)
def test_a_part_of_the_video_is_served(url: str, wanted: str, begin: int, end: int | None) -> None:
    whole = requests.get(url, timeout=10).content
    answer = requests.get(url, headers={"Range": wanted}, timeout=10)

    part = whole[begin:end]
    first = whole.index(part)
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(whole)}"


def test_a_part_behind_the_end_is_refused(url: str) -> None:
    answer = requests.get(url, headers={"Range": "bytes=999999-"}, timeout=10)

    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["Content-Range"].startswith("bytes */")


@pytest.mark.parametrize("wanted", ["bytes=-", "bytes=9-1", "lines=1-2", "bytes=0-1,5-6"])
def test_a_range_that_says_nothing_is_ignored(url: str, wanted: str) -> None:
    assert requests.get(url, headers={"Range": wanted}, timeout=10).status_code == 200


def test_a_head_request_gets_the_size_alone(url: str) -> None:
    answer = requests.head(url, timeout=10)

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(requests.get(url, timeout=10).content)


@pytest.mark.parametrize("path", ["/videos/none.mp4", "/videos/../jobs", "/previews/x"])
def test_there_is_no_video_without_a_job(krea: Krea, path: str) -> None:
    assert requests.get(krea.url + path, timeout=10).status_code in (401, 404)
    assert krea.jobs == []
