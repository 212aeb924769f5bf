"""One run: the chaos, the calm after it, and the reckoning."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from django.db import InterfaceError, OperationalError, connections

from hailuo_django.conf import conf
from hailuo_django.models import Submission
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status

from .people import People, hire
from .processes import Database, Victim, site
from .reckoning import Reckoning
from .weather import Weather, top_up

PEOPLE = 4
SECONDS_BETWEEN_KILLS = (1.0, 2.0)
SECONDS_TO_REST = 60
"""From the last kill to the end: leases run out, rows are looked at, late webhooks come."""
SECONDS_TO_ADOPT = 20
"""What was lost at the very end is abandoned, listed and perhaps adopted by then."""


class Outcome(NamedTuple):
    """What a run has shown."""

    figures: dict[str, int]
    offences: list[str]


def run(
    krea: Sandbox,
    *,
    jobs: int,
    seed: int,
    url: str,
    listener: int,
    logs: Path,
    crash: Callable[[], None] | None,
) -> Outcome:
    """Let a site do so many jobs in chaos. ``crash`` restarts the database server, if it can."""
    people, weather = hire(url, seed), Weather(krea, seed)
    with site(listener, logs) as victims:
        if crash:
            victims.append(Database(crash))
        _rage(people, weather, jobs, victims, random.Random(f"{seed} kills"))  # noqa: S311
        reckoning = _rest(krea, people, victims)
    kills = {"kills": sum(victim.strikes for victim in victims)}
    refused = {"webhooks refused": weather.forged.count(403)}
    believed = [f"a forged webhook was answered {code}" for code in weather.forged if code == 200]
    return Outcome(reckoning.figures | kills | refused, reckoning.offences + believed)


def _rage(
    people: People, weather: Weather, jobs: int, victims: Sequence[Victim], dice: random.Random
) -> None:
    """Kill at random, in every kind of weather, until the people have done their work."""
    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        blowing = pool.submit(weather.blow)
        working = [pool.submit(people.work, range(n, jobs, PEOPLE)) for n in range(PEOPLE)]
        try:
            while not _is_over(working, dice.uniform(*SECONDS_BETWEEN_KILLS)):
                dice.choice(victims).strike()
                _tend(victims)
                if dice.random() < 0.5:
                    top_up()
        finally:
            people.told_to_stop.set()
            weather.calm()
        for future in (blowing, *working):
            future.result()


def _is_over(working: Sequence[Future[None]], seconds: float) -> bool:
    """Wait so long; True when all is done, or one of them failed."""
    done, under_way = wait(working, seconds, return_when=FIRST_EXCEPTION)
    return not under_way or any(future.exception() for future in done)


def _rest(krea: Sandbox, people: People, victims: Sequence[Victim]) -> Reckoning:
    """Wait until nothing more will come, and compare."""
    began = time.monotonic()
    if conf.ADOPT_STRANGERS:
        time.sleep(SECONDS_TO_ADOPT)
    while True:
        _tend(victims)
        top_up()
        _end_stuck(krea)
        is_late = time.monotonic() > began + SECONDS_TO_REST
        if is_late or not _moving():
            krea.wait_idle(SECONDS_TO_REST)
            reckoning = Reckoning(krea, people.forced)
            if is_late or not reckoning.offences:
                return reckoning
        time.sleep(0.5)


def _tend(victims: Sequence[Victim]) -> None:
    for victim in victims:
        victim.tend()


def _end_stuck(krea: Sandbox) -> None:
    """End what hangs, as Krea itself does after some hours."""
    for job in krea.jobs:
        if "stuck" in job.faults and job.status == job.walk[-1]:
            krea.move(job.id, "failed")


def _moving() -> bool:
    try:
        return Submission.objects.live().exclude(status=Status.UNCONFIRMED).exists()
    except (OperationalError, InterfaceError):
        connections.close_all()
        return True
