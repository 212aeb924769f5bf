"""The sandbox enforces Krea's contract: bodies, queries, tokens and the lives of jobs."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.sandbox.conftest import GENERATE, Krea, KreaFactory

FULL_BODY = {
    "prompt": "A cat [push in]",
    "start_image": "https://example.com/a.png",
    "end_image": "https://example.com/b.png",
    "expand_prompt": False,
    "resolution": "1080p",
    "duration": 6.5,
}


def test_a_full_body_makes_a_pending_job_that_does_not_repeat_the_prompt(krea: Krea) -> None:
    answer = krea.call("POST", GENERATE, json=FULL_BODY)

    (job,) = krea.jobs
    assert answer.status_code == 200
    assert answer.json() == {
        "job_id": job.id,
        "type": "externalVideo",
        "status": "backlogged",
        "created_at": answer.json()["created_at"],
        "completed_at": None,
        "result": None,
    }
    assert "Date" in answer.headers
    assert job.body == FULL_BODY


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed"),
        ({"startImage": "https://example.com/a.png"}, "start_image"),
        ({"endImage": "https://example.com/a.png"}, "end_image"),
        ({"expandPrompt": True}, "expand_prompt"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"start_image": None}, "start_image"),
        ({"start_image": "cat.png"}, "start_image"),
        ({"end_image": "https://example.com/a b.png"}, "end_image"),
        ({"expand_prompt": "yes"}, "expand_prompt"),
        ({"resolution": "720p"}, "resolution"),
        ({"resolution": ["768p"]}, "resolution"),
        ({"duration": 5.9}, "duration"),
        ({"duration": 11}, "duration"),
        ({"duration": "6"}, "duration"),
        ({"duration": True}, "duration"),
    ],
)
def test_a_body_outside_the_schema_is_refused_by_name(
    krea: Krea, change: dict[str, Any], named: str
) -> None:
    answer = krea.call("POST", GENERATE, json={"prompt": "A cat"} | change)

    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert krea.jobs == []


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"{}", b'{"prompt": "a", "duration": NaN}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_json_object_with_a_prompt_is_refused_and_still_seen(
    krea: Krea, raw: bytes
) -> None:
    answer = krea.call("POST", GENERATE, data=raw)

    assert answer.status_code == 400
    assert [(post.status, post.job_id) for post in krea.posts] == [(400, None)]


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "nowhere", "http://", "http://[/", "http://a/b c", "http://a:x/"]
)
def test_a_webhook_url_that_nobody_can_call_is_refused(krea: Krea, url: str) -> None:
    assert krea.generate(webhook_url=url).status_code == 400
    assert krea.jobs == []


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "sandbox-token", "Bearer \xff"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", GENERATE), ("GET", "/jobs"), ("GET", "/jobs/1"), ("DELETE", "/jobs/1"), ("GET", "/")],
)
def test_nothing_is_answered_without_the_token(
    krea: Krea, method: str, path: str, authorization: str
) -> None:
    headers = {"Authorization": authorization.encode("latin-1")}
    answer = krea.call(method, path, headers=headers, json={"prompt": "A cat"})

    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    assert krea.requests == [(method, path, 401)]
    assert krea.jobs == []


def test_a_post_is_remembered_with_its_headers_but_without_its_token(krea: Krea) -> None:
    krea.generate(webhook_url="http://127.0.0.1:9/hook/secret")
    krea.http.headers["Authorization"] = "Bearer wrong"
    krea.generate()

    first, second = krea.posts
    assert (first.authorized, second.authorized) == (True, False)
    assert first.headers["x-webhook-url"] == "http://127.0.0.1:9/hook/secret"
    assert first.job_id == krea.jobs[0].id
    assert first.client_port == second.client_port, "the session keeps its connection"
    assert krea.token not in str(vars(first))
    assert "secret" not in repr(first) + repr(krea.jobs)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/jobs/3b9be4b0-0000-4000-8000-000000000000"),
        ("DELETE", "/jobs/3b9be4b0-0000-4000-8000-000000000000"),
        ("GET", "/elsewhere"),
        ("PUT", "/jobs"),
        ("HEAD", "/jobs"),
    ],
)
def test_what_does_not_exist_is_not_found(krea: Krea, method: str, path: str) -> None:
    assert krea.call(method, path).status_code == 404


def test_jobs_are_listed_newest_first_and_page_by_page(krea: Krea) -> None:
    ids = []
    for _ in range(5):
        ids.append(krea.new_job())
        krea.wait(lambda: datetime.now(UTC) - krea.jobs[-1].created_at > timedelta(milliseconds=1))
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = krea.call("GET", "/jobs", params=query).json()
        seen += [job["job_id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == ids[::-1]


def test_jobs_of_one_instant_can_be_skipped_between_two_pages(krea: Krea) -> None:
    first, second = krea.new_job(), krea.new_job()
    older, newer = krea.jobs
    older.created_at = newer.created_at
    page = krea.call("GET", "/jobs?limit=1").json()
    rest = krea.call("GET", "/jobs", params={"cursor": page["next_cursor"]}).json()

    assert [job["job_id"] for job in page["items"]] == [second]
    assert rest == {"items": [], "next_cursor": None}
    assert krea.job(first)["status"] == "backlogged"


def test_posts_that_come_at_once_all_make_their_job(start: KreaFactory) -> None:
    krea = start(seconds=0.1)
    with ThreadPoolExecutor(max_workers=16) as pool:
        ids = list(pool.map(lambda _: krea.new_job(), range(48)))
    krea.wait_idle()

    assert len(set(ids)) == 48
    assert {job.id for job in krea.paid} == set(ids)
    assert [post.status for post in krea.posts] == [200] * 48


def test_the_list_can_be_narrowed_by_state_and_type(krea: Krea) -> None:
    done, waiting = krea.new_job(), krea.new_job()
    krea.move(done, "completed")

    def ids(**query: str) -> list[str]:
        return [job["job_id"] for job in krea.call("GET", "/jobs", params=query).json()["items"]]

    assert ids(status="completed") == [done]
    assert ids(status="backlogged") == [waiting]
    assert sorted(ids(types="flux,externalVideo")) == sorted([done, waiting])
    assert ids(types="flux") == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=ten", "limit=", "status=done", "cursor=yesterday"]
    + ["cursor=2026-01-01T00:00:00"],
)
def test_a_query_outside_the_contract_is_refused(krea: Krea, query: str) -> None:
    assert krea.call("GET", f"/jobs?{query}").status_code == 400


def test_cancelling_ends_a_running_job_and_leaves_an_ended_one_alone(krea: Krea) -> None:
    running, done = krea.new_job(), krea.new_job()
    krea.move(done, "completed")

    for job_id in (running, done):
        answer = krea.call("DELETE", f"/jobs/{job_id}")
        assert (answer.status_code, answer.content) == (200, b"")

    assert krea.job(running)["status"] == "cancelled"
    assert krea.job(running)["completed_at"]
    assert krea.job(done)["status"] == "completed"


def test_a_job_meets_every_running_state_and_is_paid_only_at_its_end(start: KreaFactory) -> None:
    krea = start(seconds=0.1)
    krea.new_job()
    krea.wait_idle()

    (job,) = krea.paid
    assert job.history == [
        "backlogged",
        "queued",
        "scheduled",
        "processing",
        "sampling",
        "intermediate-complete",
        "completed",
    ]
    assert job.billed
    assert krea.job(job.id)["result"] == {"urls": [f"{krea.url}/videos/{job.id}.mp4"]}


def test_a_job_that_was_cancelled_on_its_way_goes_no_further(start: KreaFactory) -> None:
    krea = start(seconds=0.6)
    cancelled, other = krea.new_job(), krea.new_job()
    krea.call("DELETE", f"/jobs/{cancelled}")
    krea.wait_idle()

    assert [job.status for job in krea.jobs] == ["cancelled", "completed"]
    assert [job.id for job in krea.paid] == [other]


def test_a_preview_is_not_the_video(krea: Krea) -> None:
    job_id = krea.new_job()
    krea.move(job_id, "intermediate-complete")
    preview = krea.job(job_id)["result"]["urls"][0]
    video = f"{krea.url}/videos/{job_id}.mp4"

    assert preview != video
    assert requests.get(preview, timeout=10).status_code == 200
    assert requests.get(video, timeout=10).status_code == 404


def test_a_body_without_a_readable_length_is_refused_and_the_connection_ends(krea: Krea) -> None:
    for name, value in [
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "-1"),
        ("Content-Length", "9" * 5000),
        ("Content-Length", str(11 * 1024 * 1024)),
    ]:
        line = http.client.HTTPConnection(urlsplit(krea.url).netloc, timeout=10)
        line.putrequest("POST", GENERATE)
        line.putheader(name, value)
        line.endheaders()
        answer = line.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (400, "close")
        assert "length" in json.loads(answer.read())["error"]
        line.close()


def test_what_is_no_http_is_refused_and_written_nowhere(
    krea: Krea, capfd: pytest.CaptureFixture[str]
) -> None:
    port = urlsplit(krea.url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"canary-api-token\r\n\r\n")
        answer = line.recv(65536)

    assert b"400" in answer
    assert "canary-api-token" not in "".join(capfd.readouterr())
    assert krea.requests == []
