"""The vocabulary for submissions: what may be asked of their rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef, ProtectedError, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from hailuo_django.states import RUNNING, WITHOUT_VIDEO, Status

from .conditions import (
    ABSENT,
    ENDED_HERE_ALONE,
    IS_LIVE,
    NEVER_ENDING,
    NOT_FOUND_AFTER,
    UNSETTLED,
    lost_for_good,
)

if TYPE_CHECKING:
    from .strangers import StrangerQuerySet

    # Named in strings below, where the linter does not look.
    from .submissions import Submission  # noqa: F401

PROTECTED = "A submission that may still become a paid video cannot be deleted."


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

        Krea may bill them; or somebody gave them up, and Krea goes on saying that they run: that
        it does not know them counts after a while.
        """
        lately = Q(not_found_since__gt=timezone.now() - NOT_FOUND_AFTER)
        runs_on = Q(ENDED_HERE_ALONE, Q(not_found_since=None) | lately)
        return self.filter(IS_LIVE | UNSETTLED | runs_on)

    def protected(self) -> SubmissionQuerySet:
        """Return those that are not deleted: they, or a job named for them, may be billed.

        What a person gave up is theirs to delete, whatever Krea goes on saying.
        """
        return self.filter(IS_LIVE | UNSETTLED | Q(Exists(_named_jobs(self.db).unrecorded())))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete settled submissions. Raises ProtectedError where any is ``protected()``."""
        self._for_write = True  # and so ``db`` is where rows are deleted, not where they are read
        alias = self.db
        found = list(self.using(alias).values_list("pk", "job"))
        jobs: Any = self.model._meta.get_field("job").related_model
        with transaction.atomic(using=alias):
            jobs.objects.using(alias).lock({job for _key, job in found})
            rows = self.model._default_manager.using(alias).filter(pk__in=[pk for pk, _ in found])
            if protected := [*rows.protected()]:
                raise ProtectedError(PROTECTED, {*protected})
            return QuerySet.delete(rows)

    delete.queryset_only = True  # type: ignore[attr-defined]

    def due(self, now: datetime) -> SubmissionQuerySet:
        """Return those a worker should do something about, the longest waiting first."""
        return self.filter(due_at__lte=now).order_by("due_at", "pk")

    def to_send(self, now: datetime) -> SubmissionQuerySet:
        """Return those to be sent, in the order in which they were asked for.

        Not where their own webhook named a job that is still unknown: they may have been sent.
        Nor where it is known since that another submission of the job runs, or where one was
        named for another, unless a person accepted that.
        """
        others = self.model._default_manager.using(self.db).may_arrive()
        others = others.filter(job=OuterRef("job")).exclude(pk=OuterRef("pk"))
        siblings = _strangers(self.db).named_for_job(OuterRef("job"))
        alone = Q(beside_others=True) | Q(~Exists(others), ~Exists(siblings))
        wanted = self.filter(status=Status.UNSENT, candidate_id="", cancel_requested_at=None)
        return wanted.filter(alone, ~Exists(_named_jobs(self.db).unrecorded())).due(now)

    def spoken_for(self) -> SubmissionQuerySet:
        """Return those without a Krea job for which their own webhook named one still unknown."""
        return self.filter(Exists(_named_jobs(self.db).open()), krea_job_id=None)

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
        never_named = Q(status__in=[Status.UNSENT, *WITHOUT_VIDEO])
        return self.lost() | self.filter(never_named, krea_job_id=None)

    def replaceable(self) -> SubmissionQuerySet:
        """Return those whose Krea job ended without a video and whose webhook named another.

        A gateway may have passed their request on twice.
        """
        over = Q(krea_status__in=WITHOUT_VIDEO) | Q(due_at=None)
        settled = over | Q(written_off_at__isnull=False)
        fruitless = self.filter(settled, status__in=WITHOUT_VIDEO, krea_job_id__isnull=False)
        return fruitless.filter(Exists(_named_jobs(self.db).open()))

    def in_question(self) -> SubmissionQuerySet:
        """Return those whose upstream job may still turn up, so that a person is offered to say."""
        return self.lost() | self.replaceable() | self.spoken_for()

    def unmarked(self, longest: timedelta, now: datetime) -> SubmissionQuerySet:
        """Return those that have taken ``longest`` and are not marked overdue.

        Also what was sent long after now, by a clock that was wrong: nobody knows when it was.
        """
        # In the order of the index that finds those without an end; another would read all rows.
        live = self.live().filter(overdue_at=None).order_by("ended_at", "pk")
        began = Coalesce("sent_at", "created_at")
        nobody_knows = Q(sent_at__gt=now + timedelta(days=1), created_at__lte=now)
        return live.alias(began=began).filter(Q(began__lt=now - longest) | nobody_knows)

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


def _named_jobs(alias: str) -> StrangerQuerySet:
    """Return the upstream jobs that were named for a submission, in a subquery of its own."""
    return _strangers(alias).filter(named_for=OuterRef("pk"))


def _strangers(alias: str) -> StrangerQuerySet:
    from .strangers import Stranger

    rows: StrangerQuerySet = Stranger.objects.using(alias)
    return rows
