"""Batches: what an operator confirmed at once is wanted job by job, each at most once.

A batch is confirmed by one conditional UPDATE. Each of its jobs has a transaction of its own
that begins with the item's row: whoever takes that from ``waiting`` does the job, so that a
worker can stop anywhere and any other goes on. The items' rows are locked before those of the
budget and the job, and by nobody else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from hailuo_django import adminlog, budget
from hailuo_django.deadlines import lease_seconds
from hailuo_django.exceptions import STALE, Conflict, HailuoError
from hailuo_django.models import Batch, BatchItem, JobEvent, VideoJob
from hailuo_django.models.batches import BatchItemQuerySet
from hailuo_django.nudge import nudge_after_commit
from hailuo_django.pricing import usd
from hailuo_django.states import Action

from .conflicts import BY_ACTION, conflict
from .recipe import By
from .wishes import allowed, want

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

logger = logging.getLogger(__name__)

MAX_JOBS = 5000
"""In one batch. Whoever wants more selects less, several times."""

PROPOSALS_LAST = timedelta(days=1)

READ_AT_ONCE = 100

NOBODY: Mapping[str, Sequence[int]] = MappingProxyType({})

DONE, SKIPPED, FAILED = (
    BatchItem.Outcome.DONE,
    BatchItem.Outcome.SKIPPED,
    BatchItem.Outcome.FAILED,
)


def propose(action: Action, jobs: Iterable[VideoJob], *, actor: AbstractBaseUser) -> Batch:
    """Keep which jobs were selected, in their order, and what they ask for and cost now.

    Raises Conflict where they are more than ``MAX_JOBS``.
    """
    items = [
        BatchItem(number=n, job=job, price_usd=job.price_today(), fingerprint=job.fingerprint())
        for n, job in enumerate(islice(jobs, MAX_JOBS + 1), start=1)
    ]
    if len(items) > MAX_JOBS:
        words = _("At most %d jobs can be submitted at once. Nothing was done: select fewer.")
        raise Conflict(words % MAX_JOBS, code="too_many")
    language = translation.get_language() or ""
    batch = Batch(action=action, actor_id=actor.pk, language=language, job_count=len(items))
    with transaction.atomic(using=VideoJob.database()):
        batch.save(using=VideoJob.database(), force_insert=True)
        for item in items:
            item.batch = batch
        BatchItem.objects.using(VideoJob.database()).bulk_create(items)
    return batch


def confirm(
    batch: Batch, *, actor: AbstractBaseUser, left_out: Mapping[str, Sequence[int]] = NOBODY
) -> bool:
    """Turn a proposal of ``actor`` into an order; False when somebody has done so already.

    ``left_out`` are the numbers of items that were foreseen not to be done, by the reason. From
    now on the batch belongs to the caller, for one lease; what is left then is the workers'.
    """
    now, alias = timezone.now(), VideoJob.database()
    lease = timedelta(seconds=lease_seconds())
    mine = _rows(batch).filter(actor=actor.pk, confirmed_at=None)
    with transaction.atomic(using=alias):
        if not mine.update(confirmed_at=now, due_at=now + lease):
            return False
        for reason, numbers in left_out.items():
            _items(batch).filter(number__in=numbers).update(outcome=SKIPPED, reason=reason)
    batch.refresh_from_db(using=alias)
    return True


def hand_over(batch: Batch) -> None:
    """Leave what is left of a batch to whoever comes first, and ring for a worker."""
    with transaction.atomic(using=VideoJob.database()):
        _rows(batch).filter(due_at=batch.due_at).update(due_at=timezone.now())
        nudge_after_commit(None, using=VideoJob.database())


def take_batch(batch: Batch) -> Batch | None:
    """Become the one who works on a batch, for one lease; None when somebody else does."""
    until = timezone.now() + timedelta(seconds=lease_seconds())
    if not _rows(batch).filter(due_at=batch.due_at, finished_at=None).update(due_at=until):
        return None
    return _rows(batch).select_related("actor").get()


def work_on(batch: Batch, *, seconds: float) -> bool:
    """Do what waits of a confirmed batch, for about so long; return whether all is done."""
    end = monotonic() + seconds
    with translation.override(batch.language or None):
        for item in _waiting(batch):
            carry_out(batch, item)
            if monotonic() >= end:
                break
    if _items(batch).waiting().exists():
        return False
    _finish(batch)
    return True


def carry_out(batch: Batch, item: BatchItem) -> None:
    """Submit or resubmit one job of a confirmed batch, unless somebody else has done it."""
    mine = _items(batch).waiting().filter(pk=item.pk)
    try:
        with transaction.atomic(using=VideoJob.database()):
            if mine.update(outcome=DONE):
                _order(batch, item)
    except HailuoError as refusal:
        mine.update(outcome=SKIPPED, reason=refusal.message)
    except ValidationError as refusal:
        mine.update(outcome=SKIPPED, reason=" ".join(refusal.messages))
    except Exception:
        logger.exception("Could not do what batch %s wants of job %s.", batch.pk, item.job_id)
        reason = _("An error, which is in the site's log. Look at the job before you try again.")
        mine.update(outcome=FAILED, reason=reason)


def stop(batch: Batch, reason: str) -> bool:
    """Leave every job as it is that still waits; False when nothing was under way."""
    with transaction.atomic(using=VideoJob.database()):
        under_way = _rows(batch).filter(confirmed_at__isnull=False, finished_at=None)
        if not under_way.update(due_at=None):
            return False
        _items(batch).waiting().update(outcome=SKIPPED, reason=reason)
        _finish(batch)
        return True


def forget_proposals(limit: int = 100) -> int:
    """Delete proposals that nobody confirmed for a day; return how many there were."""
    batches = Batch.objects.using(VideoJob.database())
    forgotten = 0
    for old in batches.proposed_before(timezone.now() - PROPOSALS_LAST)[:limit]:
        with transaction.atomic(using=batches.db):
            # The write that decides: from here to the commit nobody confirms it.
            if _rows(old).filter(confirmed_at=None).update(created_at=F("created_at")):
                old.delete(using=batches.db)
                forgotten += 1
    return forgotten


def check(item: BatchItem, job: VideoJob | None, action: Action, *, is_ready: bool = True) -> None:
    """Raise what stands against a job that was selected; ``is_ready`` is what ``allowed`` says.

    ValidationError for its request; Conflict for its state, or when it is not what the operator
    looked at.
    """
    if job is None:
        raise Conflict(_("This job does not exist any more."), code="missing")
    if not is_ready:
        raise conflict(job, BY_ACTION[action])
    if job.fingerprint() != item.fingerprint:
        raise Conflict(_("Its request was changed after it was selected."), code=STALE)
    price = job.price_today()
    if price is None:
        raise Conflict(_("It is not on the price list."), code="no_price")
    if price != item.price_usd:
        words = _("Its price changed to %s after it was selected.")
        raise Conflict(words % usd(price), code=STALE)
    job.clean_request()


def _order(batch: Batch, item: BatchItem) -> None:
    alias, action = VideoJob.database(), Action(batch.action)
    job = VideoJob.objects.using(alias).filter(Q(pk=item.job_id)).first()
    check(item, job, action)
    assert job is not None  # noqa: S101 - check() refuses that
    budget.lock()
    by = By(JobEvent.Source.OPERATOR, batch.actor)
    price = want(job, allowed(action), action, by).price_usd
    submitted = _("Submitted for %s.") if action == Action.SUBMIT else _("Resubmitted for %s.")
    adminlog.log_change(batch.actor, job, submitted % usd(price))


def _finish(batch: Batch) -> None:
    done = _items(batch).tally()[DONE]
    results = {"done_count": done.jobs, "done_usd": done.usd}
    _rows(batch).filter(finished_at=None).update(finished_at=timezone.now(), due_at=None, **results)


def _waiting(batch: Batch) -> Iterator[BatchItem]:
    last = 0
    while found := list(_items(batch).waiting().filter(number__gt=last)[:READ_AT_ONCE]):
        yield from found
        last = found[-1].number


def _rows(batch: Batch) -> QuerySet[Batch]:
    return Batch.objects.using(VideoJob.database()).filter(pk=batch.pk)


def _items(batch: Batch) -> BatchItemQuerySet:
    return BatchItem.objects.using(VideoJob.database()).filter(batch=batch.pk)
