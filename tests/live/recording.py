"""A client of Krea that keeps every answer, and orders once at most."""

from __future__ import annotations

from typing import Any

from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.deadline import Exchange
from hailuo_django.krea.transport import Answer, NoAnswer, Request


class OrderedAlready(RuntimeError):  # noqa: N818
    """A second POST was asked for; it was not sent."""


class RecordingClient(KreaClient):
    """The client itself; ``last`` is what came back for its last request."""

    last: Answer | NoAnswer

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ordered = False

    def _perform(self, request: Request, exchange: Exchange) -> Answer | NoAnswer:
        if request.method == "POST":
            if self.ordered:
                raise OrderedAlready
            self.ordered = True
        self.last = super()._perform(request, exchange)
        return self.last
