"""Batch: jobs that an operator pays for with one click, proposed first and then confirmed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Count, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hailuo_django.states import Action

from .jobs import VideoJob

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


ACTIONS = [(Action.SUBMIT.value, _("submit")), (Action.RESUBMIT.value, _("resubmit"))]


class BatchQuerySet(models.QuerySet["Batch"]):
    """The vocabulary for batches."""

    def due(self, now: datetime) -> BatchQuerySet:
        """Return those with work left that nobody is at, the longest waiting first."""
        return self.filter(due_at__lte=now).order_by("due_at", "pk")

    def proposed_before(self, moment: datetime) -> BatchQuerySet:
        """Return the proposals that nobody has confirmed since."""
        return self.filter(confirmed_at=None, created_at__lt=moment).order_by("created_at", "pk")


class Batch(models.Model):
    """Jobs to be submitted, or resubmitted, with one confirmation: a proposal until then.

    The row is the one-time key: of all who confirm it, one sets ``confirmed_at``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.CharField(_("what"), max_length=24, choices=ACTIONS)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("operator"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,  # the index for the operator's own list begins with it
    )
    language = models.CharField(
        max_length=32, default="", help_text="Of the operator, for what workers write down."
    )
    job_count = models.PositiveIntegerField(_("jobs"))
    created_at = models.DateTimeField(_("proposed"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    due_at = models.DateTimeField(
        null=True, db_index=True, help_text="Work is left, and from then on nobody is at it."
    )
    finished_at = models.DateTimeField(_("finished"), null=True)
    done_count = models.PositiveIntegerField(
        default=0, help_text="Of its jobs, written when it is finished."
    )
    done_usd = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))

    objects = BatchQuerySet.as_manager()

    if TYPE_CHECKING:
        items: RelatedManager[BatchItem]

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ("-created_at", "-id")
        default_permissions = ("view",)
        indexes = (
            models.Index(fields=("actor", "created_at", "id"), name="hailuo_batch_actor"),
            models.Index(fields=("confirmed_at", "created_at"), name="hailuo_batch_confirmed"),
            models.Index(fields=("created_at", "id"), name="hailuo_batch_created"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(action__in=["submit", "resubmit"]), name="hailuo_batch_known_action"
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.job_count} ({self.created_at:%Y-%m-%d %H:%M})"

    @property
    def is_proposal(self) -> bool:
        """Whether nobody has confirmed it."""
        return self.confirmed_at is None

    @property
    def is_under_way(self) -> bool:
        """Whether it was confirmed and work is left."""
        return self.confirmed_at is not None and self.finished_at is None


class Tally(NamedTuple):
    """How many of a batch's jobs had one outcome, and their prices in USD."""

    jobs: int = 0
    usd: Decimal = Decimal(0)


class BatchItemQuerySet(models.QuerySet["BatchItem"]):
    """The vocabulary for the jobs of batches."""

    def waiting(self) -> BatchItemQuerySet:
        """Return those that nothing was done about yet."""
        return self.filter(outcome=BatchItem.Outcome.WAITING)

    def tally(self) -> dict[str, Tally]:
        """Return by outcome how many there are and what they cost; every outcome is there."""
        found: Iterable[tuple[str, int, Decimal | None]] = (
            self.order_by()
            .values_list("outcome")
            .annotate(Count("pk"), Sum("price_usd"))
            .values_list("outcome", "pk__count", "price_usd__sum")
        )
        cents = Decimal("0.0001")  # SQLite adds floats
        tallies = {name: Tally(n, Decimal(usd or 0).quantize(cents)) for name, n, usd in found}
        return {name: tallies.get(name, Tally()) for name in BatchItem.Outcome.values}


class BatchItem(models.Model):
    """One job of a batch: what it was when it was selected, and what became of it."""

    class Outcome(models.TextChoices):
        """What became of a job that was selected."""

        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        SKIPPED = "skipped", _("skipped")
        FAILED = "failed", _("failed")

    batch = models.ForeignKey(
        Batch,
        on_delete=models.CASCADE,
        related_name="items",
        db_index=False,  # the unique constraints' indexes begin with it
    )
    number = models.PositiveIntegerField(help_text="From 1, in the order of the work.")
    # No constraint: deleting a job neither asks for nor waits for the batches that it was in.
    job = models.ForeignKey(
        VideoJob, on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    price_usd = models.DecimalField(
        max_digits=10, decimal_places=4, null=True, help_text="None where the list has no price."
    )
    fingerprint = models.CharField(max_length=32, help_text="Of the request that was selected.")
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.WAITING)
    reason = models.TextField(default="", help_text="Why it was not done.")

    objects = BatchItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("job of a batch")
        verbose_name_plural = _("jobs of batches")
        ordering = ("batch_id", "number")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("batch", "number"), name="hailuo_batch_number"),
            models.UniqueConstraint(fields=("batch", "job"), name="hailuo_batch_job"),
            models.CheckConstraint(
                condition=Q(outcome__in=["waiting", "done", "skipped", "failed"]),
                name="hailuo_batch_known_outcome",
            ),
        )

    def __str__(self) -> str:
        return f"#{self.number} ({self.outcome})"
