"""Submission: one try upstream."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import ProtectedError, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from hailuo_django.clock import site_time
from hailuo_django.states import ENDED, LIVE, RUNNING, WITHOUT_VIDEO, Action, FailureCode, Status

from .jobs import VideoJob
from .submission_querysets import PROTECTED, SubmissionQuerySet

if TYPE_CHECKING:
    from django.db.models.deletion import Collector

SUBMISSION_STATUSES = [status for status in Status.values if status != Status.DRAFT]


def protect_live(
    collector: Collector, field: Any, sub_objs: models.QuerySet[Submission], using: str
) -> None:
    """``on_delete``: what may still be a paid video protects its job, the rest goes with it."""
    rows = Submission.objects.using(using).filter(pk__in=[row.pk for row in sub_objs])
    if protected := [*rows.protected()]:
        raise ProtectedError(PROTECTED, {*protected})
    models.CASCADE(collector, field, sub_objs, using)


class Submission(models.Model):
    """One try upstream: the exact request, its price, Krea's job and what became of it."""

    job = models.ForeignKey(
        VideoJob,
        verbose_name=_("job"),
        on_delete=protect_live,
        related_name="submissions",
        db_index=False,  # the unique constraint's index begins with it
    )
    number = models.PositiveIntegerField(_("number"), help_text=_("From 1."))
    endpoint = models.CharField(_("endpoint"), max_length=200)
    account = models.CharField(_("account"), max_length=32, default="")
    body = models.JSONField(_("request body"))
    price_usd = models.DecimalField(_("price (USD)"), max_digits=10, decimal_places=4)

    status = models.CharField(
        _("status"), max_length=24, choices=Status.choices, default=Status.UNSENT
    )
    previous_status = models.CharField(max_length=24, default="")
    krea_job_id = models.CharField(  # noqa: DJ001 - unique where there is one
        _("Krea job id"),
        max_length=100,
        unique=True,
        null=True,
    )
    candidate_id = models.CharField(
        _("candidate id"),
        max_length=100,
        default="",
        help_text=_("A Krea job id that somebody named and that Krea has yet to confirm."),
    )
    krea_status = models.CharField(_("status in Krea's words"), max_length=100, default="")
    failure_code = models.CharField(
        _("failure code"), max_length=24, choices=FailureCode.choices, default=""
    )
    error_code = models.CharField(_("Krea's error code"), max_length=100, default="")
    error_message = models.TextField(_("Krea's error message"), default="")
    result_url = models.TextField(_("result address"), default="")
    raw = models.TextField(_("last answer from Krea"), default="")
    note = models.TextField(_("why it waits"), default="", help_text=_("For staff."))
    evidence = models.JSONField(
        _("evidence"), default=dict, help_text=_("What Krea's list showed about a lost answer.")
    )

    beside_others = models.BooleanField(
        _("may run beside another"),
        default=False,
        help_text=_("A person accepted that an earlier submission may be billed as well."),
    )
    due_at = models.DateTimeField(_("due"), null=True)
    lease_token = models.CharField(max_length=32, default="")
    lease_expires_at = models.DateTimeField(_("lease expires"), null=True)
    has_webhook = models.BooleanField(_("Krea was given a webhook"), default=False)
    attempts = models.PositiveIntegerField(_("attempts to send"), default=0)
    poll_count = models.PositiveIntegerField(_("polls"), default=0)
    last_polled_at = models.DateTimeField(_("last poll"), null=True)
    webhook_count = models.PositiveIntegerField(_("webhooks"), default=0)
    last_webhook_at = models.DateTimeField(_("last webhook"), null=True)
    not_found_since = models.DateTimeField(_("not found since"), null=True)
    cancel_requested_at = models.DateTimeField(_("cancellation requested"), null=True)
    cancel_sent_at = models.DateTimeField(_("cancellation sent"), null=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True)
    expected_at = models.DateTimeField(
        _("expected"), null=True, help_text=_("By this site's history when it was sent.")
    )
    lost_at = models.DateTimeField(_("answer lost"), null=True)
    overdue_at = models.DateTimeField(_("marked overdue"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    written_off_at = models.DateTimeField(
        _("written off"),
        null=True,
        help_text=_("An operator gave it up while Krea told of no end: nothing is reserved."),
    )

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        ordering = ("job_id", "number")
        default_permissions = ("view",)
        indexes = (
            models.Index(fields=("status", "due_at"), name="hailuo_submission_status"),
            models.Index(fields=("due_at",), name="hailuo_submission_due"),
            models.Index(fields=("status", "ended_at"), name="hailuo_submission_ended"),
            # What takes too long: few are ever marked.
            models.Index(fields=("overdue_at",), name="hailuo_submission_overdue"),
            # When the last webhook came.
            models.Index(fields=("last_webhook_at",), name="hailuo_submission_webhook"),
            models.Index(fields=("ended_at",), name="hailuo_submission_live"),
            models.Index(fields=("candidate_id",), name="hailuo_submission_candidate"),
        )
        constraints = (
            models.UniqueConstraint(fields=("job", "number"), name="hailuo_submission_number"),
            models.CheckConstraint(
                condition=Q(status__in=SUBMISSION_STATUSES), name="hailuo_submission_known_status"
            ),
            models.CheckConstraint(
                condition=Q(failure_code__in=["", *FailureCode.values]),
                name="hailuo_submission_known_failure",
            ),
            models.CheckConstraint(condition=Q(price_usd__gte=0), name="hailuo_submission_price"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(status__in=sorted(ENDED)),
                name="hailuo_submission_live_has_no_end",
            ),
        )

    def __str__(self) -> str:
        return f"#{self.number} ({self.status})"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete a settled submission. Raises ProtectedError where it may be a paid video yet."""
        using = kwargs.get("using") or (args[0] if args else None) or VideoJob.database()
        with transaction.atomic(using=using):
            VideoJob.objects.using(using).lock([self.job_id])
            # As it is now, whatever it was when it was read.
            if Submission.objects.using(using).protected().filter(pk=self.pk).exists():
                raise ProtectedError(PROTECTED, {self})
            return super().delete(*args, **kwargs)

    @property
    def is_live(self) -> bool:
        """Whether nobody has decided or heard of its end."""
        return self.status in LIVE

    @property
    def may_be_billed(self) -> bool:
        """Whether Krea may still bill it: live, or ended here while Krea may go on."""
        return self.is_live or (self._ended_here_alone and self.written_off_at is None)

    @property
    def runs_upstream(self) -> bool:
        """Whether Krea works on it, as far as we know; also where it ended here."""
        return self.status in RUNNING or self._ended_here_alone

    @property
    def _ended_here_alone(self) -> bool:
        """Whether Krea never said that it has ended as well, see ``ENDED_HERE_ALONE``."""
        return (
            self.status in WITHOUT_VIDEO
            and (self.krea_job_id is not None or bool(self.candidate_id))
            and self.due_at is not None
            and self.krea_status not in WITHOUT_VIDEO
        )

    @property
    def was_named_by_a_person(self) -> bool:
        """Whether a person named the candidate; a webhook's own token is better evidence."""
        choices = self.events.using(self._state.db).filter(action=Action.CHOOSE)
        return choices.filter(detail=self.candidate_id).exists()

    @property
    def is_to_cancel(self) -> bool:
        """Whether Krea works on it and somebody wants it cancelled."""
        # What was only named may be another's.
        known = self.krea_job_id is not None
        return bool(self.cancel_requested_at and known and self.runs_upstream)

    @property
    def is_overdue(self) -> bool:
        """Whether it takes too long, see ``OVERDUE_AFTER_SECONDS``. It goes on being asked for."""
        return self.may_be_billed and self.overdue_at is not None

    def evidence_time(self, name: str) -> datetime | None:
        """Return a time of the evidence, by Krea's clock, as this site keeps times."""
        moment = parse_datetime(str(self.evidence.get(name, "")))
        return site_time(moment) if moment else None
