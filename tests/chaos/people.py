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
SECONDS_TO_COMMIT = 1
"""What a web process had begun to commit when it was killed is there after so long."""

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
        if order.by_rest and not self._is_submitted(order):
            body = {"prompt": order.prompt, "reference": order.reference}
            if not self._post("", body):
                time.sleep(SECONDS_TO_COMMIT)
        # An answer may be lost here too: what was submitted nonetheless is there.
        if not self._is_submitted(order):
            VideoJob(prompt=order.prompt, reference=order.reference).submit()

    def _is_submitted(self, order: Order) -> bool:
        return VideoJob.objects.filter(reference=order.reference).exists()

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

    def _post(self, path: str, body: dict[str, str]) -> bool:
        """Ask the site over HTTP; tell whether it said yes."""
        try:
            return requests.post(
                f"{self.url}/api/jobs/{path}",
                json=body,
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
