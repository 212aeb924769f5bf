"""What each job of the chaos is, drawn from the seed alone: its faults, and what people do to it.

The faults stand as words in the prompt, where the sandbox reads them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from hailuo_django.sandbox.faults import read_prompt

TIMEOUT_SECONDS = 3
GRACE_SECONDS = 2
LAG_SECONDS = 1
"""A job that Krea's list shows only after the grace is a job that it does not have."""

ANSWERS = {
    "": 80,
    # The job exists upstream, and the site does not learn of it.
    "[lost_answer]": 5,
    "[cut_answer]": 3,
    f"[late_answer:{TIMEOUT_SECONDS + 1}]": 2,
    "[drip:0.05]": 2,
    "[garbage]": 2,
    "[server_error_accepted]": 3,
    # It does not, and the site cannot know.
    "[lost_request]": 2,
    "[server_error]": 1,
    "[bad_gateway_html]": 1,
    # The site knows all.
    "[late_answer:1]": 3,
    "[invalid_request]": 1,
    "[validation]": 1,
    "[forbidden]": 1,
    "[model_unavailable]": 1,
}
WEBHOOKS = {
    "": 50,
    "[no_webhook]": 12,
    "[duplicate_webhook:3]": 8,
    "[early_webhook]": 6,
    "[late_webhook:4]": 6,
    "[reordered_webhook]": 6,
    "[running_webhook]": 4,
    "[webhook_other_job]": 3,
    "[webhook_not_json]": 3,
    "[webhook_too_large]": 2,
}
COURSES = {
    "": 80,
    f"[lagging_list:{LAG_SECONDS}]": 6,
    "[moderation]": 3,
    "[fails]": 3,
    "[error_in_result]": 2,
    "[unknown_status]": 2,
    "[urls_as_map]": 2,
    "[stuck]": 2,
}
VERBS = {"sync": 4, "cancel": 3, "resubmit": 2, "force": 1}

DOUBTFUL = frozenset(
    {
        "lost_answer",
        "cut_answer",
        "late_answer",
        "drip",
        "garbage",
        "server_error_accepted",
        "lost_request",
        "server_error",
        "bad_gateway_html",
    }
)
"""After these the site cannot know what its POST has done."""


@dataclass(frozen=True)
class Order:
    """One job: who submits it how, and what is done to it so many seconds later."""

    reference: str
    prompt: str
    by_rest: bool
    later: tuple[tuple[float, str], ...]

    @property
    def key(self) -> str:
        """What tells the API that a request is repeated."""
        return self.reference.replace(" ", "-")


def draw(seed: int, number: int) -> Order:
    """Return the job with this number: the same one for the same seed."""
    dice = random.Random(f"{seed} {number}")  # noqa: S311
    words = [_one_of(dice, table) for table in (ANSWERS, WEBHOOKS, COURSES)]
    verbs = dice.choices([0, 1, 2], [60, 30, 10])[0]
    return Order(
        reference=f"chaos {number}",
        prompt=" ".join([f"Chaos {number}.", *filter(None, words)]),
        by_rest=dice.random() < 0.3,
        later=tuple((dice.uniform(0, 8), _one_of(dice, VERBS)) for _ in range(verbs)),
    )


def leaves_doubt(prompt: str) -> bool:
    """Tell whether a fault in this prompt hides from the site what its POST has done."""
    return not DOUBTFUL.isdisjoint(read_prompt(prompt))


def _one_of(dice: random.Random, weights: dict[str, int]) -> str:
    return dice.choices([*weights], [*weights.values()])[0]
