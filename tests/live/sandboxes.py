"""The sandbox's side of the comparison."""

from __future__ import annotations

from hailuo_django.sandbox import Sandbox
from hailuo_django.sandbox.contract import RUNNING

from . import walk
from .walk import Walk

IMAGE = "https://example.com/lighthouse.png"


def walk_in_sandbox(krea: Walk) -> Walk:
    """The same walk in a sandbox, through every running state to the end that Krea's job had."""
    end = krea.job.status if krea.job else "completed"
    states = iter([*RUNNING, end])
    with Sandbox(manual=True) as sandbox:

        def move_on(seconds: float) -> None:
            sandbox.move(sandbox.jobs[0].id, next(states))

        return walk.take(sandbox.url, sandbox.token, walk.body(IMAGE), move_on, lambda _: None)
