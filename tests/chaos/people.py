"""The people of the site: they submit, and then cancel, resubmit and look, at random."""

from __future__ import annotations

import heapq
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import requests
from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, connections

from hailuo_django.exceptions import HailuoError
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status

from .orders import Order, draw

NAME, PASSWORD = "chaos", "chaos"
ROOM = 200
"""So many submissions are on their way at once; the next ones wait."""
REST_TIMEOUT_SECONDS = 30
SECONDS_TO_RECOVER = 0.2
"""For so long a web process that was killed is left alone."""

T = TypeVar("T")


def hire(url: str, seed: int) -> People:
    """Return the people of a site, who may do everything there."""
    get_user_model()._default_manager.create_superuser(NAME, password=PASSWORD)
    return People(url, seed)


class People:
    """They share nothing but what they did: ``forced`` names the jobs that may be paid twice."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.seed = seed
        self.forced: set[uuid.UUID] = set()
        self.told_to_stop = threading.Event()

    def work(self, numbers: range) -> None:
        """Submit the jobs with these numbers as there is room, and do the rest in its time."""
        plans: list[tuple[float, str, Order]] = []
        with _connections_closed():
            for number in numbers:
                order = draw(self.seed, number)
                while self._is_full() and not self.told_to_stop.wait(0.1):
                    self._do_due(plans)
                if self.told_to_stop.is_set():
                    return
                _insist(lambda order=order: self._submit(order))  # type: ignore[misc]
                for seconds, verb in order.later:
                    heapq.heappush(plans, (time.monotonic() + seconds, verb, order))
                self._do_due(plans)
            while plans and not self.told_to_stop.wait(0.1):
                self._do_due(plans)

    def _is_full(self) -> bool:
        moving = Submission.objects.live().exclude(status=Status.UNCONFIRMED)
        return _insist(moving.count) >= ROOM

    def _do_due(self, plans: list[tuple[float, str, Order]]) -> None:
        while plans and plans[0][0] <= time.monotonic():
            _, verb, order = heapq.heappop(plans)
            _insist(lambda verb=verb, order=order: self._do(verb, order))  # type: ignore[misc]

    def _submit(self, order: Order) -> None:
        if order.by_rest:
            body = {"prompt": order.prompt, "reference": order.reference}
            # However often an answer is lost: with its key it counts once.
            while not self._post("", body, {"Idempotency-Key": order.key}):
                time.sleep(SECONDS_TO_RECOVER)
        # A commit may go unacknowledged here too: what was submitted nonetheless is there.
        elif not VideoJob.objects.filter(reference=order.reference).exists():
            VideoJob(prompt=order.prompt, reference=order.reference).submit()

    def _do(self, verb: str, order: Order) -> None:
        job = VideoJob.objects.get(reference=order.reference)
        if verb == "force":
            self.forced.add(job.pk)
        if order.by_rest and verb != "force":
            self._post(f"{job.pk}/{verb}/", {})
            return
        acts: dict[str, Callable[[], object]] = {
            "sync": job.sync,
            "cancel": job.cancel,
            "resubmit": job.resubmit,
            "force": lambda: job.resubmit(force=True),
        }
        with suppress(HailuoError):  # too late, or too early
            acts[verb]()

    def _post(self, path: str, body: dict[str, str], headers: dict[str, str] | None = None) -> bool:
        """Ask the site over HTTP; tell whether it said yes."""
        try:
            return requests.post(
                f"{self.url}/api/jobs/{path}",
                json=body,
                headers=headers,
                auth=(NAME, PASSWORD),
                timeout=REST_TIMEOUT_SECONDS,
            ).ok
        except requests.RequestException:
            return False


def _insist(act: Callable[[], T]) -> T:
    """Do it, again when the database went away meanwhile."""
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError):
            connections.close_all()
            time.sleep(0.1)


@contextmanager
def _connections_closed() -> Iterator[None]:
    try:
        yield
    finally:
        connections.close_all()
