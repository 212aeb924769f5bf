"""Looking at jobs, listing and cancelling them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.sandbox import Sandbox
from tests.krea.conftest import BODY, JOB_ID, Net, Peer, answer, job


def test_a_job_is_followed_to_its_video(krea: Sandbox, client: KreaClient) -> None:
    krea_job_id = client.generate(BODY).krea_job_id
    krea.move(krea_job_id, "processing")
    running = client.get(krea_job_id)
    assert (running.status, running.urls, running.completed_at) == ("processing", (), None)
    krea.move(krea_job_id, "completed")
    done = client.get(krea_job_id)
    assert (done.status, done.urls) == ("completed", (f"{krea.url}/videos/{krea_job_id}.mp4",))
    assert done.created_at is not None
    assert done.completed_at is not None
    assert timedelta() <= done.completed_at - done.created_at < timedelta(minutes=1)


def test_a_cancelled_job_says_so(krea: Sandbox, client: KreaClient) -> None:
    krea_job_id = client.generate(BODY).krea_job_id
    client.cancel(krea_job_id)
    assert client.get(krea_job_id).status == "cancelled"


@pytest.mark.parametrize("path", ["get", "cancel"])
def test_an_unknown_job_is_not_found(client: KreaClient, path: str) -> None:
    with pytest.raises(errors.NotFound) as caught:
        getattr(client, path)(JOB_ID)
    assert caught.value.status == 404


def test_the_list_is_paged_newest_first(krea: Sandbox, client: KreaClient) -> None:
    ids = [client.generate(BODY).krea_job_id for _ in range(3)]
    newest = client.list(limit=1)
    assert [item.krea_job_id for item in newest.items] == ids[-1:]
    older = [item.krea_job_id for item in client.list(cursor=newest.next_cursor).items]
    assert ids[-1] not in older
    assert older[-1] == ids[0]


def test_the_list_may_be_of_one_status(krea: Sandbox, client: KreaClient) -> None:
    ids = [client.generate(BODY).krea_job_id for _ in range(2)]
    krea.move(ids[0], "completed")
    assert [item.krea_job_id for item in client.list(status="completed").items] == ids[:1]


def test_the_list_tells_what_time_it_is_at_krea(net: Net) -> None:
    page = {"items": [job()], "next_cursor": None}
    server = net.serve(
        answer(200, page, "Date: Sun, 01 Nov 2026 12:00:00 GMT"), answer(200, page, "Date: noon")
    )
    client = net.client(server.url)
    assert client.list().server_time == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert client.list().server_time is None


def test_what_is_asked_of_the_list_is_quoted(net: Net) -> None:
    server = net.serve(answer(200, {"items": []}))
    net.client(server.url).list(cursor="2026-11-01T12:00:00+00:00&limit=1", limit=5, status="a b")
    assert server.requests[0].startswith(
        b"GET /jobs?limit=5&cursor=2026-11-01T12%3A00%3A00%2B00%3A00%26limit%3D1&status=a+b HTTP"
    )


@pytest.mark.parametrize(
    ("status", "end"),
    [
        *[(status, errors.AccountProblem) for status in (401, 402)],
        (429, errors.RateLimited),
        *[(status, errors.Temporary) for status in (302, 304, 405, 409, 500, 502, 503)],
        # Not in Krea's form: a gateway knows no jobs.
        *[(status, errors.Temporary) for status in (400, 403, 404, 410, 422)],
    ],
)
def test_the_status_of_an_answer_decides(
    net: Net, status: int, end: type[errors.KreaError]
) -> None:
    server = net.serve(answer(status, b"<h1>?</h1>"))
    client = net.client(server.url)
    for ask in (lambda: client.get(JOB_ID), client.list, lambda: client.cancel(JOB_ID)):
        with pytest.raises(errors.KreaError) as caught:
            ask()
        assert type(caught.value) is end
        assert caught.value.raw in ("<h1>?</h1>", "")  # a 304 has no body
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "end"), [(404, errors.NotFound), (400, errors.Refused), (403, errors.Refused)]
)
def test_krea_itself_says_no_in_json(net: Net, status: int, end: type[errors.KreaError]) -> None:
    client = net.client(net.serve(answer(status, {"error": "Not found"})).url)
    for ask in (lambda: client.get(JOB_ID), client.list, lambda: client.cancel(JOB_ID)):
        with pytest.raises(end):
            ask()


@pytest.mark.parametrize("body", [b"", b"<h1>", b"[]", b"null", b"7", b"{}", b'{"items": {}}'])
def test_an_answer_that_says_nothing_is_temporary(net: Net, body: bytes) -> None:
    client = net.client(net.serve(answer(200, body)).url)
    with pytest.raises(errors.Temporary):
        client.get(JOB_ID)
    with pytest.raises(errors.Temporary):
        client.list()
    client.cancel(JOB_ID)


def test_an_answer_about_another_job_is_not_taken_for_this_one(net: Net) -> None:
    client = net.client(net.serve(answer(200, job(job_id="another"))).url)
    with pytest.raises(errors.Temporary, match="another job"):
        client.get(JOB_ID)
    assert client.get("ANOTHER").krea_job_id == "another", "as Krea spells it"


@pytest.mark.parametrize("krea_job_id", ["", ".", "..", "x" * 101, "a\nb", "a\x00", "\ud800"])
def test_what_cannot_be_an_id_is_asked_of_nobody(net: Net, krea_job_id: str) -> None:
    server = net.serve(answer(200, job()))
    client = net.client(server.url)
    with pytest.raises(errors.NotFound):
        client.get(krea_job_id)
    with pytest.raises(errors.NotFound):
        client.cancel(krea_job_id)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("krea_job_id", "path"),
    [
        ("../assets", b"..%2Fassets"),
        ("a?b#c", b"a%3Fb%23c"),
        ("%2e%2e", b"%252e%252e"),
        ("a b", b"a%20b"),
        ("ü", b"%C3%BC"),
        ("//host", b"%2F%2Fhost"),
    ],
)
def test_an_id_stays_one_segment_of_the_path(net: Net, krea_job_id: str, path: bytes) -> None:
    server = net.serve(answer(200, job(job_id=krea_job_id)))
    client = net.client(server.url)
    client.get(krea_job_id)
    client.cancel(krea_job_id)
    assert server.requests[0].startswith(b"GET /jobs/" + path + b" HTTP")
    assert server.requests[1].startswith(b"DELETE /jobs/" + path + b" HTTP")


@pytest.mark.proves("M6")
@pytest.mark.parametrize(("keep_alive", "connections"), [(True, 1), (False, 3)])
def test_looks_share_a_connection_unless_told_otherwise(
    net: Net, keep_alive: bool, connections: int
) -> None:
    server = net.serve(answer(200, job()))
    client = net.client(server.url, keep_alive=keep_alive)
    for _ in range(3):
        client.get(JOB_ID)
    assert server.connections == connections


def test_a_connection_that_krea_closed_in_the_meantime_is_replaced(net: Net) -> None:
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer(200, job()))
        peer.connection.close()
        closed.set()

    client = net.client(net.serve(script=script).url)
    for _ in range(2):
        client.get(JOB_ID)
        assert closed.wait(5)
        closed.clear()


def test_a_few_threads_may_share_a_client(krea: Sandbox, net: Net) -> None:
    client = net.client(krea.url, token=krea.token, connections=4)
    ids: list[str] = []
    looks: list[bool] = []

    def work() -> None:
        for _ in range(5):
            krea_job_id = client.generate(BODY).krea_job_id
            ids.append(krea_job_id)
            looks.append(client.get(krea_job_id).krea_job_id == krea_job_id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert looks == [True] * 20
    assert sorted(ids) == sorted(job.id for job in krea.jobs)


def test_a_client_is_closed_at_the_end_of_its_block(net: Net) -> None:
    server = net.serve(answer(200, job()))
    with KreaClient(base_url=server.url, token="t") as client:
        assert client.get(JOB_ID).krea_job_id == JOB_ID
