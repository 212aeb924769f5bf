"""IdempotencyKey: the answer that a consumer's request was given, for its repetitions."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

KEPT_FOR = timedelta(hours=24)
"""So long at least an answer is given again."""


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """The vocabulary for keys."""

    def expired(self, now: datetime) -> IdempotencyKeyQuerySet:
        """Return those whose answer nobody may count on any more."""
        return self.filter(created_at__lt=now - KEPT_FOR)


class IdempotencyKey(models.Model):
    """A key that a user gave to a request, what was asked, and the answer.

    It is written in the transaction of what was asked for: with a key there is always its
    answer, and without one nothing was done.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(
        max_length=64, help_text="A digest of the method, the path and the fields."
    )
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(default="", help_text="JSON, in the order in which it was given.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("user", "key"), name="hailuo_idempotency_key"),
        )

    def __str__(self) -> str:
        return self.key
