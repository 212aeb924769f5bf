"""JobEvent: one line of the append-only history of a job."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hailuo_django.states import Action, Status

from .jobs import VideoJob
from .querysets import JobEventQuerySet
from .submissions import Submission


class JobEvent(models.Model):
    """A change or a decision: when, by whom, from which state to which. Never a mere look."""

    class Source(models.TextChoices):
        """Where it came from."""

        OPERATOR = "operator", _("operator")
        API = "api", _("API")
        CODE = "code", _("code")
        WEBHOOK = "webhook", _("webhook")
        POLL = "poll", _("poll")
        SYSTEM = "system", _("system")

    job = models.ForeignKey(
        VideoJob, verbose_name=_("job"), on_delete=models.CASCADE, related_name="events"
    )
    submission = models.ForeignKey(
        Submission,
        verbose_name=_("submission"),
        on_delete=models.CASCADE,
        related_name="events",
        null=True,
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)
    source = models.CharField(_("source"), max_length=16, choices=Source.choices)
    action = models.CharField(_("what"), max_length=24, choices=Action.choices)
    from_status = models.CharField(_("from"), max_length=24, choices=Status.choices, default="")
    to_status = models.CharField(_("to"), max_length=24, choices=Status.choices, default="")
    detail = models.TextField(_("detail"), default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("actor"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    announcement = models.CharField(max_length=32, default="")
    announce_after = models.DateTimeField(
        null=True,
        db_index=True,
        help_text="The signal is still owed, and from then on to be sent by any worker.",
    )

    objects = JobEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("pk",)
        default_permissions = ("view",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(
                    source__in=["operator", "api", "code", "webhook", "poll", "system"]
                ),
                name="hailuo_event_known_source",
            ),
        )
        indexes = (
            # How jobs ended, day by day, and by whom that became known: read from here alone.
            models.Index(fields=("announcement", "created_at", "source"), name="hailuo_event_ends"),
        )

    def __str__(self) -> str:
        return f"{self.action}: {self.from_status or '-'} > {self.to_status or '-'}"
