"""Sending: each submission is POSTed once, over a fresh connection, by whoever claimed it."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from hailuo_django import ledger, pacing
from hailuo_django.deadlines import call_seconds, lease_seconds
from hailuo_django.expectations import Expectations
from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Submission, VideoJob
from hailuo_django.pacing import Turn
from hailuo_django.tokens import Addressee, make_webhook_url

from .lanes import Outcome, in_words

logger = logging.getLogger(__name__)

BATCH = 20
TRIALS_IN_PLACE = 3
RECORD_TRIES = 5
SECONDS_BETWEEN_TRIES = 1.0


class LeaseExpired(Exception):
    """The sender was held up for so long that the submission is no longer its own."""


@dataclass(frozen=True)
class Sending:
    """A claimed submission on its way out."""

    submission: Submission
    webhook_url: str | None = field(repr=False)
    expires: float
    """When the lease runs out, by this machine's monotonic clock."""
    turn: Turn

    def check_lease(self) -> None:
        """Raise LeaseExpired when the submission is no longer ours to send.

        By both clocks: the monotonic one stands still in a machine that is suspended.
        """
        lease = self.submission.lease_expires_at
        if time.monotonic() >= self.expires or (lease and timezone.now() >= lease):
            raise LeaseExpired("The lease ran out before the request was written.")


class SendLane:
    """Claims what is unsent, POSTs it, and records the outcome."""

    width = 4

    def __init__(self, client: KreaClient, only: uuid.UUID | None = None) -> None:
        self.client = client
        self.only = only
        self.batch: deque[Submission] = deque()
        self.waits = False
        self.all_read = False
        """Whether the last batch was the rest: what is wanted since is for the next sweep."""
        self.expectations = Expectations()
        self.passed: set[int] = set()
        """What could not be claimed; asking for it again and again would never end."""

    def take(self, seconds_left: float) -> Sending | None:
        """Claim the next submission, committed before anything is sent."""
        submission = self._next() if seconds_left >= call_seconds() else None
        if submission is None:
            self.waits = False
            return None
        turn = pacing.take_turn()
        self.waits = turn is None
        if turn is None:
            self.batch.appendleft(submission)
            return None
        while submission is not None:
            with ledger.each_alone(submission):
                if sending := self._claim(submission, turn):
                    return sending
            self.passed.add(submission.pk)
            submission = self._next()
        pacing.end_turn(turn)
        return None

    def _next(self) -> Submission | None:
        if not self.batch and not self.all_read:
            rows = Submission.objects.using(VideoJob.database()).to_send(timezone.now())
            rows = rows.exclude(pk__in=self.passed)
            self.batch.extend((rows.filter(job=self.only) if self.only else rows)[:BATCH])
            self.all_read = len(self.batch) < BATCH
        return self.batch.popleft() if self.batch else None

    def _claim(self, submission: Submission, turn: Turn) -> Sending | None:
        webhook_url = make_webhook_url(Addressee(submission.job_id, submission.number))
        body = submission.body
        expectation = self.expectations.of(body["resolution"], body["duration"])
        expires = time.monotonic() + lease_seconds()
        claimed = ledger.claim(
            submission,
            account=pacing.account(),
            lease_seconds=lease_seconds(),
            with_webhook=webhook_url is not None,
            usual_seconds=expectation.usual_seconds if expectation else None,
        )
        return Sending(claimed, webhook_url, expires, turn) if claimed else None

    def call(self, item: Sending) -> JobReport:
        """POST it. Raises a KreaError that says what may be done next."""
        return self.client.generate(
            item.submission.body, webhook_url=item.webhook_url, before_write=item.check_lease
        )

    def record(self, item: Sending, outcome: Outcome) -> None:
        """Write down the outcome; an answer with a job id is worth several tries."""
        if isinstance(outcome, JobReport):
            # In the log before it is in the database: this id was paid for.
            logger.info(
                "Submission %d of job %s is Krea job %s.",
                item.submission.number,
                item.submission.job_id,
                outcome.krea_job_id,
            )
            if outcome.deprecation:
                logger.warning("Krea says of this endpoint: %s", outcome.deprecation)
        _insist(lambda: _write(item, outcome))


def _write(item: Sending, outcome: Outcome) -> None:
    submission = item.submission
    match outcome:
        case JobReport():
            ledger.record_answer(submission, outcome)
            pacing.went_through()
        case errors.NotSent(__cause__=LeaseExpired() as delay):  # ours, nothing of Krea's
            ledger.hold(submission, reason=str(delay))
        case errors.NotSent() | errors.RateLimited():
            ledger.hold(submission, reason=pacing.slow_sending(outcome))
        case errors.AccountProblem():
            # What Krea says of one request alone shall not hold up all others for ever.
            behind = submission.attempts >= TRIALS_IN_PLACE
            ledger.hold(submission, reason=pacing.slow_sending(outcome), behind=behind)
        case errors.Refused():
            ledger.refuse(submission, outcome)
            pacing.went_through()
        case _:
            raw = getattr(outcome, "raw", "")
            ledger.lose(submission, reason=in_words(outcome), raw=raw)
            pacing.doubt(in_words(outcome), item.turn)
    pacing.end_turn(item.turn)


def _insist(write: Callable[[], None]) -> None:
    """Write through a short outage of the database: what is at stake was paid for."""
    for _try in range(RECORD_TRIES - 1):
        try:
            return write()
        except (OperationalError, InterfaceError):
            connections[VideoJob.database()].close_if_unusable_or_obsolete()
            time.sleep(SECONDS_BETWEEN_TRIES)
    write()
