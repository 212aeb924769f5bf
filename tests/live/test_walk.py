"""The live test tried on sandboxes: one like Krea, and those that differ from it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hailuo_django.krea.errors import AccountProblem, Ambiguous
from hailuo_django.pricing import PRICES
from hailuo_django.sandbox import Sandbox

from . import gate, walk
from .differences import differences
from .recording import OrderedAlready, RecordingClient
from .sandboxes import IMAGE, walk_in_sandbox
from .walk import Walk

ROOT = Path(__file__).parents[2]


def take(krea: Sandbox, prompt: str = walk.PROMPT) -> Walk:
    """A walk at ``krea``, with a look whenever its job has moved."""
    seen = 1

    def until_it_moved(seconds: float) -> None:
        nonlocal seen
        (job,) = krea.jobs
        krea.wait(lambda: job.ended or len(job.history) > seen)
        seen = len(job.history)

    order = walk.body(IMAGE, prompt)
    return walk.take(krea.url, krea.token, order, until_it_moved, lambda _: None)


@contextmanager
def someone_like_krea() -> Iterator[Sandbox]:
    with Sandbox(seconds=0.3) as krea:
        yield krea


def found(prompt: str = walk.PROMPT) -> list[str]:
    """The differences that a Krea with this misbehaviour would show."""
    with someone_like_krea() as krea:
        met = take(krea, prompt)
        assert len(krea.posts) == 1
    return differences(met, walk_in_sandbox(met))


def test_a_krea_like_the_sandbox_shows_no_difference() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("misbehaviour", "line"),
    [
        (
            "urls_as_objects",
            "the ended job: result.urls[] is an object at Krea, an address in the sandbox. "
            "Fact: results are on the hosts of RESULT_HOSTS (seen live)",
        ),
        (
            "urls_as_map",
            "the ended job: result.urls is an object at Krea, a list in the sandbox. "
            "Fact: result.urls is a list with one address (documented)",
        ),
        (
            "foreign_result_host",
            "the ended job: result.urls[] is an address elsewhere at Krea, "
            "an address in the sandbox. "
            "Fact: results are on the hosts of RESULT_HOSTS (seen live)",
        ),
        (
            "result_empty",
            "the ended job: result is an empty object at Krea, an object in the sandbox. "
            "Fact: a job has result (documented)",
        ),
        (
            "unknown_status",
            "the running job: status is 'upscaling' at Krea, a documented state in the sandbox. "
            "Fact: there are nine states, and more may be added (documented)",
        ),
        (
            "lagging_list:1",
            "the list at once: shows the job is no at Krea, yes in the sandbox. "
            "Fact: a new job is in the list at once (inferred)",
        ),
        (
            "moderation",
            "the ended job: it is failed (moderation The request was rejected by content "
            "moderation.) at Krea, completed in the sandbox. "
            "Fact: what Krea documents as valid is completed (inferred)",
        ),
    ],
)
def test_another_shape_is_told_in_a_line_with_its_fact(misbehaviour: str, line: str) -> None:
    assert line in found(f"A cat. [{misbehaviour}]")


def test_a_rate_limit_on_the_way_is_waited_for_and_told() -> None:
    with someone_like_krea() as krea:
        krea.misbehave("rate_limited", on="get", retry_after=1, times=2)
        met = take(krea)
    lines = differences(met, walk_in_sandbox(met))

    assert (
        "the running job: Retry-After is present at Krea, absent in the sandbox. "
        "Fact: no Retry-After is sent (unknown)"
    ) in lines
    assert met.states[-1] == "completed"


def test_a_key_that_nobody_knows_is_told_without_its_secret() -> None:
    lines = found("A cat. [echo]")

    assert any("request" in line and "answers may hold keys" in line for line in lines)
    assert not any("sandbox-token" in line for line in lines)


def test_nothing_is_ordered_where_even_the_list_fails() -> None:
    with someone_like_krea() as krea:
        krea.misbehave("unauthorized", on="list")
        with pytest.raises(AccountProblem):
            take(krea)
        assert krea.posts == []


def test_a_lost_answer_is_the_end_and_not_a_second_order() -> None:
    with someone_like_krea() as krea:
        with pytest.raises(Ambiguous):
            take(krea, "A cat. [lost_answer]")
        assert len(krea.posts) == 1


def test_a_client_orders_once() -> None:
    with (
        someone_like_krea() as krea,
        RecordingClient(base_url=krea.url, token=krea.token) as client,
    ):
        client.generate(walk.body(IMAGE))
        with pytest.raises(OrderedAlready):
            client.generate(walk.body(IMAGE))
        assert len(krea.posts) == 1


def test_what_is_ordered_is_the_cheapest_and_the_flag_names_its_price() -> None:
    cheapest = min(price for prices in PRICES.values() for price in prices.values())

    assert PRICES[walk.RESOLUTION][walk.DURATION_SECONDS] == cheapest
    assert str(cheapest) == gate.COST_USD


@pytest.mark.parametrize(
    ("flag", "image", "environment", "missing"),
    [
        (True, IMAGE, {}, gate.TOKEN),
        (True, None, {gate.TOKEN: "t"}, gate.START_IMAGE),
        (True, "cat.png", {gate.TOKEN: "t"}, gate.START_IMAGE),
        (True, IMAGE, {gate.TOKEN: "t", gate.BASE_URL: "https://elsewhere.example"}, gate.BASE_URL),
        (True, IMAGE, {gate.TOKEN: "t", gate.BASE_URL: "http://localhost.example"}, gate.BASE_URL),
    ],
)
def test_half_a_leave_is_refused(
    flag: bool, image: str | None, environment: dict[str, str], missing: str
) -> None:
    with pytest.raises(gate.Refused, match=missing):
        gate.leave(flag, image, environment)


def test_a_token_alone_orders_nothing() -> None:
    assert gate.leave(False, IMAGE, {gate.TOKEN: "t"}) is None


def test_a_whole_leave_costs_money_at_krea_only() -> None:
    real = gate.leave(True, IMAGE, {gate.TOKEN: "t"})
    here = gate.leave(True, IMAGE, {gate.TOKEN: "t", gate.BASE_URL: "http://127.0.0.1:8765"})

    assert real is not None and real.costs_money
    assert here is not None and not here.costs_money
    assert "'t'" not in repr(real)


def pytest_run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The live test in a pytest of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HAILUO_TEST_DIR", gate.TOKEN, gate.BASE_URL)
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.run(
        [*command, str(Path(__file__).with_name("test_krea.py")), *options],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_without_the_flag_the_summary_says_what_it_would_take() -> None:
    with someone_like_krea() as krea:
        run = pytest_run(KREA_API_TOKEN=krea.token, KREA_BASE_URL=krea.url)

        assert run.returncode == 0, run.stdout
        assert "1 skipped" in run.stdout
        assert gate.TO_RUN in run.stdout
        assert krea.requests == []


def test_with_all_of_it_one_job_is_ordered_and_compared() -> None:
    with someone_like_krea() as krea:
        options = (gate.FLAG, f"{gate.START_IMAGE}={IMAGE}")
        run = pytest_run(*options, KREA_API_TOKEN=krea.token, KREA_BASE_URL=krea.url)

        assert run.returncode == 0, run.stdout
        (post,) = krea.posts
        assert f"Ordered job {post.job_id}" in run.stdout
        assert "States seen: " in run.stdout
        assert post.body == walk.body(IMAGE)
        assert krea.token not in run.stdout + run.stderr


def test_a_difference_is_a_failure_that_can_be_read() -> None:
    with someone_like_krea() as krea:
        krea.misbehave("urls_as_map")
        options = (gate.FLAG, f"{gate.START_IMAGE}={IMAGE}")
        run = pytest_run(*options, KREA_API_TOKEN=krea.token, KREA_BASE_URL=krea.url)

        assert run.returncode == 1
        assert (
            "the ended job: result.urls is an object at Krea, a list in the sandbox." in run.stdout
        )
