"""One video at the real Krea, and whether the sandbox answers as Krea did."""

from __future__ import annotations

import os
import time

import pytest

from hailuo_django.krea.errors import Ambiguous, KreaError

from . import gate, walk
from .differences import differences
from .sandboxes import walk_in_sandbox


# The walk has its own end: the two hours that Krea gives a job.
@pytest.mark.timeout(0)
def test_the_sandbox_answers_as_krea_does(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        order = gate.leave(
            pytestconfig.getoption(gate.FLAG), pytestconfig.getoption(gate.START_IMAGE), os.environ
        )
    except gate.Refused as refused:
        pytest.fail(str(refused), pytrace=False)
    if order is None:
        pytest.skip(gate.TO_RUN)

    def say(line: str) -> None:
        with capsys.disabled():
            pytestconfig.get_terminal_writer().line(f"\n{line}", flush=True)

    interval = walk.SECONDS_BETWEEN_LOOKS if order.costs_money else 0.02
    try:
        krea = walk.take(
            order.base_url, order.token, walk.body(order.start_image), time.sleep, say, interval
        )
    except Ambiguous as error:
        pytest.fail(f"The answer to the order was lost, a job may run: {error}", pytrace=False)
    except (KreaError, walk.NotEnded) as error:
        pytest.fail(f"{type(error).__name__}: {error}", pytrace=False)
    say(f"States seen: {', '.join(krea.states)}")
    found = differences(krea, walk_in_sandbox(krea))
    if found:
        pytest.fail("\n".join(found), pytrace=False)
