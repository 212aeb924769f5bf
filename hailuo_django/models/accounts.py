"""What the workers of all processes must know of each other."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class KreaAccount(models.Model):
    """Pace of one Krea account: whether sending is held back, until when, and why."""

    fingerprint = models.CharField(_("account"), max_length=32, primary_key=True)
    send_after = models.DateTimeField(_("no sending before"), null=True)
    look_after = models.DateTimeField(_("no looking before"), null=True)
    reason = models.TextField(_("reason"), default="", help_text=_("For staff."))
    setbacks = models.PositiveIntegerField(_("setbacks in a row"), default=0)
    doubts = models.PositiveIntegerField(_("lost answers in a row"), default=0)
    paused_at = models.DateTimeField(
        _("paused"), null=True, help_text=_("Nothing is sent until Krea answers a GET again.")
    )
    trial_until = models.DateTimeField(
        _("trial"), null=True, help_text=_("After trouble one request goes ahead alone.")
    )
    held_at = models.DateTimeField(
        _("held"), null=True, help_text=_("By hand: nothing is sent until somebody resumes it.")
    )
    held_by = models.CharField(_("held by"), max_length=254, default="")

    class Meta:
        verbose_name = _("Krea account")
        verbose_name_plural = _("Krea accounts")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.fingerprint

    def holds_sending(self, now: datetime) -> bool:
        """Tell whether nothing may be sent, not even a single trial."""
        waits = self.send_after and self.send_after > now
        return bool(self.held_at or self.paused_at or waits)


class Heartbeat(models.Model):
    """When a worker last finished a pass, by the name of the pass."""

    SWEEP = "sweep"
    """The pass over everything that is due."""

    LATE_AFTER = timedelta(minutes=3)
    """A sweep that ended longer ago is late: the schedule and cron run it every minute."""

    name = models.CharField(_("name"), max_length=32, primary_key=True)
    beat_at = models.DateTimeField(_("last time"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name


class BudgetLock(models.Model):
    """The one row under whose lock the budget is summed: two submits never see the same room."""

    name = models.CharField(max_length=32, primary_key=True)
    taken = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
