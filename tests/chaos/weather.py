"""What comes over all alike: bad lines, an empty balance, a rate limit, forged webhooks."""

from __future__ import annotations

import json
import random
import threading
from typing import Any

from django.db import InterfaceError, OperationalError, connections

from hailuo_django import pacing
from hailuo_django.sandbox import Sandbox
from hailuo_django.sandbox.webhooks import post

LONGEST_CALM_SECONDS = 1.0

LINES: dict[str, dict[str, Any]] = {
    "lost_request": {},
    "lost_answer": {},
    "cut_answer": {},
    "garbage": {},
    "server_error": {},
    "server_error_accepted": {},
    "bad_gateway_html": {},
    "late_answer": {"seconds": 4},
    "drip": {"seconds": 0.05},
}
SQUALLS: list[tuple[str, dict[str, Any]]] = [
    ("rate_limited", {"on": "generate", "times": 2, "retry_after": 1}),
    ("rate_limited", {"on": "get", "times": 2, "retry_after": 1}),
    ("payment_required", {"on": "generate", "times": 2}),
    ("unauthorized", {"times": 3}),
    *(
        (name, {"on": operation, "times": 3, **options})
        for operation in ("get", "cancel", "list")
        for name, options in LINES.items()
    ),
]


class Weather:
    """Changes until it is calmed; forged webhooks are sent meanwhile."""

    def __init__(self, krea: Sandbox, seed: int) -> None:
        self.krea = krea
        self.dice = random.Random(f"{seed} weather")  # noqa: S311
        self.calmed = threading.Event()
        self.forged: list[int | None] = []
        """How the site answered what nobody but a forger sent."""

    def blow(self) -> None:
        """Bring one misbehaviour after the other. Runs in a thread."""
        while not self.calmed.wait(self.dice.uniform(0, LONGEST_CALM_SECONDS)):
            name, options = self.dice.choice(SQUALLS)
            self.krea.behave()  # one at a time: what nothing has met yet is over
            self.krea.misbehave(name, **options)
            if self.dice.random() < 0.3:
                self._forge()

    def calm(self) -> None:
        """Let everything behave again."""
        self.calmed.set()
        self.krea.behave()

    def _forge(self) -> None:
        jobs = [job for job in self.krea.jobs if job.webhook_url]
        if not jobs:
            return
        job = self.dice.choice(jobs)
        url, _, tail = (job.webhook_url or "").rstrip("/").rpartition(".")
        lie = {**job.as_json(), "status": "completed", "result": {"urls": ["http://127.0.0.1/lie"]}}
        self.forged.append(post(f"{url}.{tail[::-1]}/", json.dumps(lie).encode()))


def top_up() -> None:
    """Let a held-back account go on, as staff do who have seen to the cause."""
    try:
        pacing.resume(pacing.account())
    except (OperationalError, InterfaceError):
        connections.close_all()
