"""When to ask again for a job, and why it waits, in words that may leave the site."""

from __future__ import annotations

import math
from typing import TypedDict

from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django.conf import conf
from hailuo_django.expectations import Expectations
from hailuo_django.models import VideoJob
from hailuo_django.states import LIVE, Status

FALLBACK_SECONDS = 10
"""Where nothing is expected, or it takes longer than expected."""

SHARE = 4
"""Of what is left a quarter passes before the next question: they grow denser towards the end."""

SHORTEST_SECONDS, LONGEST_SECONDS = 3, 60

SENDING_PAUSED, ANSWER_LOST, LOOKED_FOR = WAITING_CODES = (
    "sending_paused",
    "answer_lost",
    "video_looked_for",
)
"""Why a job may wait, for programs."""


def retry_after(job: VideoJob, usual_seconds: float | None = None) -> int | None:
    """Return the whole seconds after which to ask again; None when nothing more is to come.

    ``usual_seconds`` is how long such a video takes, for a job that was not sent yet.
    """
    if job.status not in LIVE:
        return LONGEST_SECONDS if job.is_asked_for else None
    if reason_to_wait(job):
        return LONGEST_SECONDS
    left = (job.expected_at - timezone.now()).total_seconds() if job.expected_at else usual_seconds
    if left is None or left <= 0:
        return FALLBACK_SECONDS
    return min(max(math.ceil(left / SHARE), SHORTEST_SECONDS), LONGEST_SECONDS)


def usual_seconds(job: VideoJob) -> float | None:
    """Return how long videos like this one took here; None where too few were made."""
    expectation = Expectations().of(job.resolution, job.duration)
    return expectation.usual_seconds if expectation else None


class Hint(TypedDict):
    """A word for programs, and a sentence for people."""

    code: str
    message: str


def reason_to_wait(job: VideoJob) -> Hint | None:
    """Return why nothing moves, as ``code`` and ``message``; None while all goes its way.

    What holds sending back is between the site and Krea, and is for staff.
    """
    if job.status == Status.UNSENT and _is_held(job):
        message = _("Sending is paused. The job keeps its place and is sent by itself.")
        return Hint(code=SENDING_PAUSED, message=message)
    if job.status == Status.UNCONFIRMED:
        message = _(
            "It was sent and the answer was lost. It is looked for, and not sent again by itself:"
            " nothing is paid for twice."
        )
        return Hint(code=ANSWER_LOST, message=message)
    if job.status not in LIVE and job.is_asked_for and not job.video_url:
        message = _("Krea has not told all yet and is asked again: there may be a video.")
        return Hint(code=LOOKED_FOR, message=message)
    return None


def _is_held(job: VideoJob) -> bool:
    return not conf.KREA_API_TOKEN or bool(getattr(job, "sending_is_held", False))
