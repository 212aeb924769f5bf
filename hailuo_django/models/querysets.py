"""The vocabulary for jobs and their events: what may be asked of the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from hailuo_django.conf import conf
from hailuo_django.states import Status

from .submission_querysets import SubmissionQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    # Named in strings below, where the linter does not look.
    from .events import JobEvent  # noqa: F401
    from .jobs import VideoJob  # noqa: F401


class VideoJobQuerySet(QuerySet["VideoJob"]):
    """The vocabulary for jobs."""

    def owned_by(self, user: AbstractBaseUser | AnonymousUser) -> VideoJobQuerySet:
        """Return the jobs of ``user``; nobody owns the jobs that have no owner."""
        # Whom a site signs in may be no row of any table.
        pk = getattr(user, "pk", None)
        return self.none() if pk is None else self.filter(owner=pk)

    def drafts(self) -> VideoJobQuerySet:
        """Return those that nobody asked for yet."""
        return self.filter(status=Status.DRAFT)

    def in_any(self, states: Collection[str]) -> VideoJobQuerySet:
        """Return the jobs in one of ``states``, which together have few."""
        return self._among(self.model._default_manager.filter(status__in=states))

    def unconfirmed(self) -> VideoJobQuerySet:
        """Return the jobs with a lost answer that nobody has decided about."""
        lost = _submissions().filter(status=Status.UNCONFIRMED)
        return self._among(lost.values("job"))

    def overdue(self) -> VideoJobQuerySet:
        """Return the jobs that Krea may still bill for longer than ``OVERDUE_AFTER_SECONDS``."""
        return self._among(_submissions().overdue().values("job"))

    def flagged(self) -> VideoJobQuerySet:
        """Return the completed jobs whose video lies nowhere that ``RESULT_HOSTS`` names."""
        found = self.model._default_manager.filter(result_host__isnull=False)
        for host in conf.RESULT_HOSTS:
            # Two ranges are found by index, where "other than" would read every completed row.
            name = host.lower()
            found = found.filter(Q(result_host__lt=name) | Q(result_host__gt=name))
        return self._among(found)

    def _among(self, few: QuerySet[Any, Any]) -> VideoJobQuerySet:
        # Found before they are sorted: SQLite might read all jobs in their order to find these.
        return self.filter(pk__in=few)

    def lock(self, keys: Iterable[Any]) -> None:
        """Take the locks of these jobs until the transaction ends, by writes that change nothing.

        A job's comes before those of its submissions, and several are taken in one order.
        """
        for key in sorted(keys):
            self.filter(pk=key).update(previous_status=F("previous_status"))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete drafts and settled jobs, all or none. Raises ProtectedError when any is live."""
        self._for_write = True  # and so ``db`` is where rows are deleted, not where they are read
        alias = self.db
        keys = list(self.using(alias).values_list("pk", flat=True))
        with transaction.atomic(using=alias):
            self.model._default_manager.using(alias).lock(keys)
            return QuerySet.delete(self.filter(pk__in=keys))

    delete.queryset_only = True  # type: ignore[attr-defined]


class JobEventQuerySet(QuerySet["JobEvent"]):
    """The vocabulary for events."""

    def owed(self, now: datetime) -> JobEventQuerySet:
        """Return those whose announcement is still owed although its writer had its time."""
        return self.filter(announce_after__lt=now).order_by("announce_after", "pk")

    def untold(self, since: datetime) -> JobEventQuerySet:
        """Return those from before ``since`` that are still owed, whoever is to tell them next."""
        owed = self.filter(announce_after__isnull=False, created_at__lt=since)
        return owed.order_by("announce_after", "pk")


def _submissions() -> SubmissionQuerySet:
    from .submissions import Submission

    return Submission.objects.all()
