"""What the workers of all processes must know of each other."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class KreaAccount(models.Model):
    """Pace of one Krea account: until when its owner asked everyone to be quiet."""

    fingerprint = models.CharField(_("account"), max_length=32, primary_key=True)
    send_after = models.DateTimeField(_("no sending before"), null=True)
    look_after = models.DateTimeField(_("no looking before"), null=True)
    reason = models.TextField(_("reason"), default="", help_text=_("For staff."))
    setbacks = models.PositiveIntegerField(_("setbacks in a row"), default=0)

    class Meta:
        verbose_name = _("Krea account")
        verbose_name_plural = _("Krea accounts")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.fingerprint


class Heartbeat(models.Model):
    """When a worker last finished a pass, by the name of the pass."""

    name = models.CharField(_("name"), max_length=32, primary_key=True)
    beat_at = models.DateTimeField(_("last time"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name
