"""Batches: what an operator confirmed at once is written on the rows, in shares of a sweep.

Nobody is asked anything here: sending is the sweep's, like for every other submission.
"""

from __future__ import annotations

import logging
from time import monotonic

from django.utils import timezone
from django.utils.translation import gettext as _

from hailuo_django import ledger
from hailuo_django.deadlines import batch_seconds
from hailuo_django.models import Batch, VideoJob
from hailuo_django.nudge import hushed

logger = logging.getLogger(__name__)

MAX_TAKEN = 20

MAY_SPEND = "hailuo_django.submit_videojob"


def work_on_batches() -> bool:
    """Do what batches want, the longest waiting first, for ``batch_seconds()`` at most.

    That is at least one job. What is left then is left to whoever comes first, who is rung for;
    return whether there is any.
    """
    end = monotonic() + batch_seconds()
    batches = Batch.objects.using(VideoJob.database())
    is_left = False
    for batch in batches.due(timezone.now())[:MAX_TAKEN]:
        try:
            if taken := ledger.take_batch(batch):
                is_left |= not _work_on(taken, seconds=end - monotonic())
        except Exception:
            logger.exception("Batch %s waits; the next sweep will go on with it.", batch.pk)
        if monotonic() >= end:
            break
    return is_left


def _work_on(batch: Batch, *, seconds: float) -> bool:
    """Return whether all is done."""
    if batch.actor is None or not batch.actor.is_active:
        ledger.stop(batch, _("The account of the operator who confirmed this is gone."))
        return True
    if not batch.actor.has_perm(MAY_SPEND):
        ledger.stop(batch, _("The operator who confirmed this may not submit jobs any more."))
        return True
    with hushed():
        done = ledger.work_on(batch, seconds=seconds)
    if not done:
        ledger.hand_over(batch)
    return done
