"""Nothing is paid twice and no paid video is lost, whatever happens to a whole site at once."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connections

from hailuo_django.models import VideoJob
from tests import effort

from .processes import ROOT

SEED = 300


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_hundreds_of_jobs_in_chaos() -> None:
    chaos(effort.CHAOS[connections[VideoJob.database()].vendor])


@pytest.mark.redis
@pytest.mark.timeout(600)
def test_jobs_in_chaos_with_redis_as_the_broker() -> None:
    chaos(effort.CHAOS_WITH_REDIS)


def chaos(jobs: int) -> None:
    """Run the command on the kinds of database and broker that this run is on."""
    database = connections[VideoJob.database()].vendor.removesuffix("ql")
    broker = "redis" if "redis" in settings.Q_CLUSTER else "orm"
    options = {"jobs": jobs, "seed": SEED, "database": database, "broker": broker}
    command = [sys.executable, "-m", "tests.chaos"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, f"{run.stdout}\n{run.stderr[-4000:]}"
    figures = {name: int(n) for name, n in re.findall(r"([A-Za-z][A-Za-z ]*) (\d+)", run.stdout)}
    assert figures["jobs"] == jobs
    assert figures["kills"] >= 5, "it was chaos"
    assert figures["lost answers without webhook"] > 0
    assert figures["upstream jobs"] > jobs / 2, "and most got through"
    assert figures["paid twice"] == 0
    assert figures["upstream videos without their row"] == 0
    assert figures["unconfirmed"] <= figures["lost answers without webhook"]
