"""DeletedSubmission: what a submission leaves behind when its row goes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from hailuo_django.states import Status

from .strangers import Stranger
from .submissions import Submission


class DeletedSubmission(models.Model):
    """The money that a deleted submission cost, or the answer that it lost.

    Deleting a row gives back neither: the one counts for the budget, and of the other Krea may
    still list a job that is nobody else's.
    """

    account = models.CharField(max_length=32)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    price_usd = models.DecimalField(max_digits=10, decimal_places=4)
    completed_at = models.DateTimeField(null=True, db_index=True)
    sent_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.price_usd} USD"


@receiver(post_delete, sender=Submission)
def remember(instance: Submission, using: str, **kwargs: Any) -> None:
    """Keep what the deletion of a submission must not undo."""
    completed = instance.status == Status.COMPLETED
    if instance.krea_job_id:
        _set_aside(instance.krea_job_id, instance, using)
    if completed or (instance.lost_at and not instance.krea_job_id):
        DeletedSubmission.objects.using(using).create(
            account=instance.account,
            owner_id=instance.job.owner_id,
            price_usd=instance.price_usd,
            completed_at=instance.ended_at if completed else None,
            sent_at=instance.sent_at,
            lost_at=None if instance.krea_job_id else instance.lost_at,
        )


def _set_aside(krea_job_id: str, submission: Submission, using: str) -> None:
    """Its upstream job is not what became of another."""
    rows, now = Stranger.objects.using(using), timezone.now()
    if not rows.filter(krea_job_id=krea_job_id).update(dismissed_at=now):
        names = {"krea_job_id": krea_job_id, "account": submission.account}
        rows.create(**names, krea_status=submission.krea_status, dismissed_at=now)
