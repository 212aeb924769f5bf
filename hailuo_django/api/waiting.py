"""Why a job waits, in words that may leave the site."""

from __future__ import annotations

from django.db.models import Exists
from django.utils.translation import gettext as _

from hailuo_django import pacing
from hailuo_django.conf import conf
from hailuo_django.models import VideoJob
from hailuo_django.models.querysets import VideoJobQuerySet
from hailuo_django.states import Status


def with_pauses(jobs: VideoJobQuerySet) -> VideoJobQuerySet:
    """Fetch along, in the same query, whether sending is held back."""
    return jobs.annotate(sending_is_held=Exists(pacing.holding()))


def reason_to_wait(job: VideoJob) -> dict[str, str] | None:
    """Return why nothing moves, as ``code`` and ``message``; None while all goes its way.

    What holds sending back is between the site and Krea, and is for staff.
    """
    if job.status == Status.UNSENT and _is_held(job):
        message = _("Sending is paused. The job keeps its place and is sent by itself.")
        return {"code": "sending_paused", "message": message}
    if job.status == Status.UNCONFIRMED:
        message = _(
            "It was sent and the answer was lost. It is looked for, and not sent again by itself:"
            " nothing is paid for twice."
        )
        return {"code": "answer_lost", "message": message}
    return None


def _is_held(job: VideoJob) -> bool:
    return not conf.KREA_API_TOKEN or bool(getattr(job, "sending_is_held", False))
