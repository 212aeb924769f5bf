"""The vocabulary: what may be asked of the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, ProtectedError, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from hailuo_django.conf import conf
from hailuo_django.states import ENDED, LIVE, RUNNING, FailureCode, Status

PROTECTED = "A submission that may still become a paid video cannot be deleted."

NOT_FOUND_AFTER = timedelta(minutes=15)
"""A job that Krea does not know for so long is gone; just after its POST it may be late."""

ABSENT = (FailureCode.GIVEN_UP, FailureCode.NOT_FOUND)
"""Failures that we assumed and Krea never said."""


def lost_for_good(now: datetime) -> Q:
    """Return the condition of a lost answer that nobody has named a job of Krea's for."""
    unnamed = Q(candidate_id="") | Q(not_found_since__lte=now - NOT_FOUND_AFTER)
    return Q(status=Status.UNCONFIRMED) & unnamed


# By the one that has an index and few rows; a constraint says that both are the same.
_IS_LIVE = Q(ended_at=None, status__in=LIVE)

HAS_A_NAME = Q(krea_job_id__isnull=False) | ~Q(candidate_id="")
"""There is a job of Krea's to ask for: on record, or named and not confirmed yet."""

_ENDED_HERE_ALONE = (
    Q(
        status__in=[Status.FAILED, Status.CANCELLED],
        due_at__isnull=False,  # it is asked for as long as Krea may answer otherwise
    )
    & HAS_A_NAME
    & ~Q(krea_status__in=ENDED)
)
"""Ended by a verdict, a refusal, or since Krea did not find it; Krea never said that it has."""

_UNSETTLED = _ENDED_HERE_ALONE & Q(written_off_at=None)
"""Of these those that nobody has written off: their money is reserved."""

NEVER_ENDING = Q(overdue_at__isnull=False) & (Q(status__in=RUNNING) | _UNSETTLED)
"""Krea may work on it, and takes longer than it ever should to tell of an end."""

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    # Named in strings below, where the linter does not look.
    from .events import JobEvent  # noqa: F401
    from .jobs import VideoJob  # noqa: F401
    from .submissions import Submission  # noqa: F401


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


class SubmissionQuerySet(QuerySet["Submission"]):
    """The vocabulary for submissions."""

    def live(self) -> SubmissionQuerySet:
        """Return those whose end nobody has decided or heard of."""
        return self.filter(_IS_LIVE)

    def billable(self) -> SubmissionQuerySet:
        """Return those that Krea may still bill: live, or ended here while Krea may go on."""
        return self.filter(_IS_LIVE | _UNSETTLED)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete settled submissions. Raises ProtectedError when Krea may still bill any."""
        self._for_write = True  # and so ``db`` is where rows are deleted, not where they are read
        alias = self.db
        found = list(self.using(alias).values_list("pk", "job"))
        jobs: Any = self.model._meta.get_field("job").related_model
        with transaction.atomic(using=alias):
            jobs.objects.using(alias).lock({job for _key, job in found})
            rows = self.model._default_manager.using(alias).filter(pk__in=[pk for pk, _ in found])
            if billable := [*rows.billable()]:
                raise ProtectedError(PROTECTED, {*billable})
            return QuerySet.delete(rows)

    delete.queryset_only = True  # type: ignore[attr-defined]

    def due(self, now: datetime) -> SubmissionQuerySet:
        """Return those a worker should do something about, the longest waiting first."""
        return self.filter(due_at__lte=now).order_by("due_at", "pk")

    def to_send(self, now: datetime) -> SubmissionQuerySet:
        """Return those to be sent, in the order in which they were asked for."""
        return self.due(now).filter(status=Status.UNSENT)

    def to_look_at(self, now: datetime) -> SubmissionQuerySet:
        """Return those to be asked for upstream now: by their Krea id, or by a candidate.

        A candidate waits while its submission's own request is under way: the answer to that
        is better evidence.
        """
        candidate = ~Q(candidate_id="") & ~Q(status=Status.SUBMITTING)
        return self.due(now).filter(Q(krea_job_id__isnull=False) | candidate)

    def unconfirmed(self) -> SubmissionQuerySet:
        """Return those that were sent, their answer lost, and that nobody has named a job for."""
        return self.filter(status=Status.UNCONFIRMED, candidate_id="")

    def lost(self) -> SubmissionQuerySet:
        """Return those whose answer was lost and whose upstream job may still turn up."""
        given_up = Q(status=Status.FAILED, failure_code__in=ABSENT) | Q(status=Status.CANCELLED)
        undecided = Q(status=Status.UNCONFIRMED) | given_up
        return self.filter(undecided, krea_job_id=None, lost_at__isnull=False)

    def nameable(self) -> SubmissionQuerySet:
        """Return those that a person may name an upstream job for.

        Besides lost answers what was not sent, as far as this database knows: one restored from
        a backup has forgotten what was sent since. And what was refused, or withdrawn: whoever
        refused it in Krea's place may have passed it on.
        """
        never_named = Q(status__in=[Status.UNSENT, Status.FAILED, Status.CANCELLED])
        return self.lost() | self.filter(never_named, krea_job_id=None)

    def unmarked(self, longest: timedelta, now: datetime) -> SubmissionQuerySet:
        """Return those that have taken ``longest`` and are not marked overdue."""
        # In the order of the index that finds those without an end; another would read all rows.
        live = self.live().filter(overdue_at=None).order_by("ended_at", "pk")
        began = Coalesce("sent_at", "created_at")
        return live.alias(began=began).filter(began__lt=now - longest)

    def unsettled(self, before: datetime) -> SubmissionQuerySet:
        """Return those that ended here alone ``before`` then and are not marked overdue."""
        # The few that are due at all, by a range of times: all the others ended long ago as well.
        asked_for = self.filter(_UNSETTLED, due_at__gt=before - timedelta(days=3650))
        return asked_for.filter(ended_at__lt=before, overdue_at=None).order_by("due_at", "pk")

    def overdue(self) -> SubmissionQuerySet:
        """Return those that are marked as taking too long, and that Krea may still bill."""
        # A range of times is what every database finds by index, also SQLite.
        return self.billable().filter(overdue_at__lte=timezone.now())

    def running_upstream(self) -> SubmissionQuerySet:
        """Return those that Krea works on, as far as we know; also where they ended here."""
        return self.filter(Q(status__in=RUNNING) | _ENDED_HERE_ALONE)

    def undecided(self, now: datetime) -> SubmissionQuerySet:
        """Return those about which a person may decide.

        Their answer was lost, and no job is named that Krea is being asked about; or they are
        overdue, and Krea tells of no end.
        """
        return self.filter(lost_for_good(now) | NEVER_ENDING)

    def abandoned(self, now: datetime) -> SubmissionQuerySet:
        """Return those whose sender's lease ran out with no word of the outcome."""
        rows = self.filter(status=Status.SUBMITTING, lease_expires_at__lte=now)
        return rows.order_by("lease_expires_at", "pk")


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
