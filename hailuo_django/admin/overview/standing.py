"""How things stand now: the last sweep, the last webhooks, what holds sending back, the budget."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Max, When

from hailuo_django import budget, pacing
from hailuo_django.budget import Balance
from hailuo_django.conf import conf
from hailuo_django.models import Heartbeat, KreaAccount, Submission
from hailuo_django.states import Status

from .figures import Days
from .scope import Scope

RECENT = 20
"""Completed videos by which webhooks are judged."""

MAX_ACCOUNTS = 20
"""A token that is changed leaves its account's row behind."""


@dataclass(frozen=True)
class Standing:
    """What is known of the workers, of Krea's account, and of the money that is left."""

    last_sweep: datetime | None
    last_webhook: datetime | None
    """The last one about a job in the scope."""
    webhooks: list[tuple[uuid.UUID, int]]
    """The newest videos that were to bring webhooks: the job of each, and how many it brought."""
    accounts: list[KreaAccount]
    """The one in use first."""
    balances: list[Balance]
    """Of the caps of the site; none where the reader sees only some of its jobs."""

    @property
    def account(self) -> KreaAccount | None:
        """The account of the API token in use; None while nothing ever held it back."""
        mine = pacing.account()
        return next((row for row in self.accounts if row.fingerprint == mine), None)


def read(scope: Scope, days: Days) -> Standing:
    """Return how things stand: 4 queries, and 3 for each cap of a day or month of the site."""
    alias = scope.jobs.db
    beats = Heartbeat.objects.using(alias).filter(name=Heartbeat.SWEEP)
    others = Case(When(pk=pacing.account(), then=False), default=True)
    accounts = KreaAccount.objects.using(alias).order_by(others, "pk")
    return Standing(
        last_sweep=beats.values_list("beat_at", flat=True).first(),
        last_webhook=_last_webhook(scope, days),
        webhooks=_webhooks(scope, days),
        accounts=list(accounts[:MAX_ACCOUNTS]),
        balances=budget.balances() if scope.is_everything else [],
    )


def _last_webhook(scope: Scope, days: Days) -> datetime | None:
    recent = Submission.objects.filter(last_webhook_at__gte=days.since)
    last: datetime | None = scope.within(recent).aggregate(at=Max("last_webhook_at"))["at"]
    return last


def _webhooks(scope: Scope, days: Days) -> list[tuple[uuid.UUID, int]]:
    if not conf.WEBHOOK_BASE_URL:
        return []
    ended = Submission.objects.filter(
        status=Status.COMPLETED, ended_at__gte=days.since, has_webhook=True
    )
    newest = scope.within(ended).order_by("-ended_at")
    return list(newest.values_list("job_id", "webhook_count")[:RECENT])
