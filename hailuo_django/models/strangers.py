"""Stranger: an upstream job of our account that no submission here has on record."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hailuo_django.states import WITHOUT_VIDEO, Status

from .submissions import Submission


class StrangerQuerySet(models.QuerySet["Stranger"]):
    """The vocabulary for unknown upstream jobs."""

    def unrecorded(self) -> StrangerQuerySet:
        """Return those that nobody dismissed and no submission has on record."""
        known = Submission.objects.using(self.db).filter(krea_job_id=OuterRef("krea_job_id"))
        return self.filter(~Exists(known), dismissed_at=None)

    def named_for_job(self, job: Any) -> StrangerQuerySet:
        """Return those that were named for any submission of a job; also in a subquery."""
        return self.unrecorded().filter(named_for__job=job)

    def held_up(self) -> QuerySet[Submission]:
        """Return the submissions that wait until somebody says whose these jobs are.

        Lost answers wait for more than that, and what runs or is completed waits for nothing.
        """
        named = self.open().filter(named_for__isnull=False).values("named_for")
        waiting = [Status.UNSENT, *WITHOUT_VIDEO]
        return Submission.objects.using(self.db).filter(pk__in=named, status__in=waiting)

    def open(self) -> StrangerQuerySet:
        """Return those of them that a person may decide about.

        Krea is not being asked about them for any submission, or has told nothing for so long
        that the submission is overdue.
        """
        # The range tells PostgreSQL that the few which have one are found by index.
        named = Submission.objects.using(self.db).filter(candidate_id__gt="")
        asked_for = named.filter(candidate_id=OuterRef("krea_job_id"), overdue_at=None)
        return self.unrecorded().filter(~Exists(asked_for))


class Stranger(models.Model):
    """A job of Krea's that no submission here has on record.

    Krea listed it: then it may be what became of an ``unconfirmed`` submission, or the work of
    another program that uses the same API token. Or a submission's own webhook, or the answer to
    its own request, named it: then it is kept with what was said, since it may be paid for,
    whatever Krea answers later. For that alone also one that is on record may stand here.
    """

    krea_job_id = models.CharField(_("Krea job id"), max_length=100, unique=True)
    account = models.CharField(_("account"), max_length=32)
    krea_status = models.CharField(_("status in Krea's words"), max_length=100, default="")
    krea_created_at = models.DateTimeField(_("created, by Krea's clock"), null=True)
    raw = models.TextField(_("last answer from Krea"), default="")
    named_for = models.ForeignKey(
        Submission,
        verbose_name=_("named for"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="named_jobs",
        help_text=_("The submission whose own webhook or answer named it."),
    )
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    dismissed_at = models.DateTimeField(
        _("dismissed"), null=True, help_text=_("An operator said that it is none of ours.")
    )
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("dismissed by"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )

    objects = StrangerQuerySet.as_manager()

    class Meta:
        verbose_name = _("unknown upstream job")
        verbose_name_plural = _("unknown upstream jobs")
        ordering = ("-first_seen_at", "-pk")
        default_permissions = ("view",)
        indexes = (
            # Those that nobody dismissed yet, the newest first.
            models.Index(fields=("dismissed_at", "first_seen_at"), name="hailuo_stranger_open"),
        )

    def __str__(self) -> str:
        return self.krea_job_id
