"""Workers, and answers of the API, that are killed at a named point.

Run as a process, one order a line on stdin. Each order gets a worker of its own, forked from
this process before it ever opened a database; its exit code, a signal as a negative number, is
answered on stdout.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable
from typing import Any, NoReturn

import django
from django.conf import settings
from django.db import connections

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.urls import reverse  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from hailuo_django import ledger, signals  # noqa: E402
from hailuo_django.krea.client import KreaClient  # noqa: E402
from hailuo_django.ledger import announcements, batches  # noqa: E402
from hailuo_django.models import IdempotencyKey, VideoJob  # noqa: E402
from hailuo_django.worker.sweep import sweep  # noqa: E402


def die(*_args: Any, **_kwargs: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def before(owner: Any, name: str) -> None:
    """Die instead of calling it."""
    setattr(owner, name, die)


def after(owner: Any, name: str) -> None:
    """Die as soon as it returned."""
    call = getattr(owner, name)

    def call_and_die(*args: Any, **kwargs: Any) -> NoReturn:
        call(*args, **kwargs)
        die()

    setattr(owner, name, call_and_die)


def at_the_outcomes_commit(when: Callable[[Any, str], None]) -> None:
    """Die before or after the first commit since the answer is being recorded."""
    record = ledger.record_answer

    def record_until_commit(*args: Any) -> None:
        when(connections[VideoJob.database()], "_commit")
        record(*args)

    setattr(ledger, "record_answer", record_until_commit)  # noqa: B010 - of another type


def hear(receiver: Callable[..., Any]) -> None:
    """Have every signal heard, as long as this process lives."""
    for one in signals.BY_NAME.values():
        one.connect(receiver, weak=False)


def before_the_receivers() -> None:
    """Die when the change is committed and nobody was told yet."""
    hear(lambda **_: None)
    before(announcements, "_announce")


def within(milliseconds: float) -> None:
    """Die at any time."""
    threading.Timer(milliseconds / 1000, die).start()


def at_the_next_commit(when: Callable[[Any, str], None]) -> None:
    """Die before or after the first commit of this process."""
    when(connections[VideoJob.database()], "_commit")


POINTS: dict[str, Callable[[], None]] = {
    "before claim": lambda: before(ledger, "claim"),
    "after claim": lambda: after(ledger, "claim"),
    "after send": lambda: before(http.client.HTTPConnection, "getresponse"),
    "after answer": lambda: after(KreaClient, "generate"),
    "before commit": lambda: at_the_outcomes_commit(before),
    "after commit": lambda: at_the_outcomes_commit(after),
    "look taken": lambda: after(ledger, "take_look"),
    "within a job of a batch": lambda: after(batches, "want"),
    "between jobs of a batch": lambda: after(batches, "carry_out"),
    "before the receivers": before_the_receivers,
    "within a receiver": lambda: hear(die),
    "key written": lambda: after(IdempotencyKey, "save_base"),
    "submission written": lambda: after(ledger, "submit"),
    "before its commit": lambda: at_the_next_commit(before),
    "after its commit": lambda: at_the_next_commit(after),
}


def work(order: dict[str, Any]) -> None:
    settings.HAILUO = order["site"]
    if order["point"] in POINTS:
        POINTS[order["point"]]()
    else:
        within(float(order["point"]))
    if key := order.get("key"):
        order_a_video(order["user"], key)
    elif verb := order.get("verb"):
        getattr(VideoJob.objects.get(pk=order["job"]), verb)()
    else:
        sweep(only=uuid.UUID(order["job"]) if order["job"] else None)


def order_a_video(user_id: int, key: str) -> Any:
    """Answer the request of a consumer who sends a key along."""
    client = APIClient()
    client.force_authenticate(get_user_model()._default_manager.get(pk=user_id))
    path, body = reverse("hailuo_django_api:job-list"), {"prompt": key}
    return client.post(path, body, format="json", headers={"Idempotency-Key": key})


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            work(json.loads(line))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - this is the answer


if __name__ == "__main__":
    main()
