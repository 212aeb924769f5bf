"""The vocabulary: what may be asked of the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, ProtectedError, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from hailuo_django.conf import conf
from hailuo_django.states import RUNNING, Status

from .conditions import ABSENT, ENDED_HERE_ALONE, IS_LIVE, NEVER_ENDING, UNSETTLED, lost_for_good

PROTECTED = "A submission that may still become a paid video cannot be deleted."

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
        return self.filter(IS_LIVE)

    def billable(self) -> SubmissionQuerySet:
        """Return those that Krea may still bill: live, or ended here while Krea may go on."""
        return self.filter(IS_LIVE | UNSETTLED)

    def may_arrive(self) -> SubmissionQuerySet:
        """Return those that may still become a video, which a second one would be paid beside.

        Krea may bill them; or somebody gave them up, and Krea goes on saying that they run.
        """
        runs_on = Q(ENDED_HERE_ALONE, not_found_since=None)
        return self.filter(IS_LIVE | UNSETTLED | runs_on)

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
        """Return those to be sent, in the order in which they were asked for.

        Not where their own webhook named a job that is still unknown: they may have been sent.
        """
        return self.due(now).filter(~Q(Exists(_named_jobs(self.db))), status=Status.UNSENT)

    def spoken_for(self) -> SubmissionQuerySet:
        """Return those without a Krea job for which their own webhook named one still unknown."""
        return self.filter(Exists(_named_jobs(self.db)), krea_job_id=None)

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

    def replaceable(self) -> SubmissionQuerySet:
        """Return those whose Krea job ended without a video and whose webhook named another.

        A gateway may have passed their request on twice.
        """
        ended = [Status.FAILED, Status.CANCELLED]
        settled = Q(krea_status__in=ended) | Q(due_at=None) | Q(written_off_at__isnull=False)
        fruitless = self.filter(settled, status__in=ended, krea_job_id__isnull=False)
        return fruitless.filter(Exists(_named_jobs(self.db)))

    def in_question(self) -> SubmissionQuerySet:
        """Return those whose upstream job may still turn up, so that a person is offered to say."""
        return self.lost() | self.replaceable() | self.spoken_for()

    def unmarked(self, longest: timedelta, now: datetime) -> SubmissionQuerySet:
        """Return those that have taken ``longest`` and are not marked overdue."""
        # In the order of the index that finds those without an end; another would read all rows.
        live = self.live().filter(overdue_at=None).order_by("ended_at", "pk")
        began = Coalesce("sent_at", "created_at")
        return live.alias(began=began).filter(began__lt=now - longest)

    def unsettled(self, before: datetime) -> SubmissionQuerySet:
        """Return those that ended here alone ``before`` then and are not marked overdue."""
        # The few that are due at all, by a range of times: all the others ended long ago as well.
        asked_for = self.filter(UNSETTLED, due_at__gt=before - timedelta(days=3650))
        asked_for = asked_for.exclude(last_webhook_at__gt=before)  # which began it anew
        return asked_for.filter(ended_at__lt=before, overdue_at=None).order_by("due_at", "pk")

    def overdue(self) -> SubmissionQuerySet:
        """Return those that are marked as taking too long, and that Krea may still bill."""
        # A range of times is what every database finds by index, also SQLite.
        return self.billable().filter(overdue_at__lte=timezone.now())

    def running_upstream(self) -> SubmissionQuerySet:
        """Return those that Krea works on, as far as we know; also where they ended here."""
        return self.filter(Q(status__in=RUNNING) | ENDED_HERE_ALONE)

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


def _named_jobs(alias: str) -> QuerySet[Any]:
    """Return the unknown upstream jobs that a submission's own webhooks named."""
    from .strangers import Stranger

    return Stranger.objects.using(alias).open().filter(named_for=OuterRef("pk"))
