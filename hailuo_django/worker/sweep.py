"""One pass over everything that is due. Any number may run at once, from any scheduler."""

from __future__ import annotations

import logging
import uuid
from time import monotonic

from django.utils import timezone

from hailuo_django import ledger, pacing
from hailuo_django.clock import ahead_of_database
from hailuo_django.conf import conf
from hailuo_django.deadlines import batch_seconds, call_seconds, sweep_seconds
from hailuo_django.krea.client import KreaClient
from hailuo_django.models import Heartbeat, IdempotencyKey, VideoJob
from hailuo_django.tokens import PATTERN
from hailuo_django.transactions import ensure_commits

from .batches import work_on_batches
from .evidence import DRIFT
from .lanes import run
from .look import LookLane
from .reconcile import ListLane
from .send import SendLane

logger = logging.getLogger(__name__)


def sweep(*, only: uuid.UUID | None = None) -> int:
    """Do what is due, for one job or for all; return how many requests that took.

    Takes at most ``deadlines.sweep_seconds()``, and then announces what there is to announce:
    receivers of signals hold up no request, no record of an answer and no heartbeat. Without
    an API token nothing is asked and nothing sent. Raises TransactionManagementError within
    somebody else's transaction.
    """
    ensure_commits(VideoJob.database())
    if _is_out_of_time():
        return 0
    end = monotonic() + sweep_seconds()
    with ledger.announcing_later():
        if only is None:
            _undo_wrong_clocks()
        for _lost in range(ledger.lose_abandoned()):
            pacing.doubt("a sender stopped before it knew the outcome")
        calls = _in_turn(end) if only is None else _talk_to_krea(only, end)
        # After Krea was asked: what it has just told of is not overdue.
        ledger.mark_overdue()
        if only is None:
            _beat()
            _forget()
    ledger.announce_owed()
    return calls


def _is_out_of_time() -> bool:
    """Tell whether this host's clock is wrong: what it writes others would misread, and pay for."""
    ahead = ahead_of_database(VideoJob.database())
    if abs(ahead) <= DRIFT:
        return False
    logger.error(
        "Nothing is done here: this host's clock is %d s ahead of the database's. Set it right.",
        ahead.total_seconds(),
    )
    return True


def _undo_wrong_clocks() -> None:
    pacing.bring_forward()
    if late := ledger.bring_forward():
        logger.warning("%d submissions were due too late: a clock was far ahead.", late)


def _beat() -> None:
    # The write first: a transaction that reads first fails on SQLite beside another writer.
    beats, now = Heartbeat.objects.using(VideoJob.database()), timezone.now()
    if not beats.filter(name=Heartbeat.SWEEP).update(beat_at=now):
        beats.get_or_create(name=Heartbeat.SWEEP, defaults={"beat_at": now})


def _forget() -> None:
    """Delete what nobody needs any more; whatever a site's receivers make of that."""
    try:
        ledger.forget_proposals()
        IdempotencyKey.objects.using(VideoJob.database()).expired(timezone.now()).delete()
    except Exception:
        logger.exception("Old proposals and keys are kept; the next sweep will try again.")


def _in_turn(end: float) -> int:
    """Write what batches want and talk to Krea, a share of each, until one more does not fit."""
    calls = 0
    while True:
        is_left = work_on_batches()
        calls += _talk_to_krea(None, end)
        if not is_left or monotonic() + batch_seconds() > end:
            return calls


def _talk_to_krea(only: uuid.UUID | None, end: float) -> int:
    if not conf.KREA_API_TOKEN:
        return 0
    with KreaClient(
        base_url=conf.KREA_BASE_URL,
        token=conf.KREA_API_TOKEN,
        timeout_seconds=call_seconds(),
        connections=LookLane.width + ListLane.width,
        webhook_token=PATTERN,
    ) as client:
        lanes = (LookLane(client, only), ListLane(client, only), SendLane(client, only))
        return run(lanes, seconds=end - monotonic())
