"""VideoJob: the video somebody wants."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hailuo_django import pricing, results
from hailuo_django.conf import conf
from hailuo_django.fields import validate_storable_text
from hailuo_django.states import RUNNING, FailureCode, Status

from .guards import Guarded
from .querysets import VideoJobQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models.fields.related_descriptors import RelatedManager

    from .events import JobEvent
    from .submissions import Submission


class VideoJob(Guarded):
    """The video somebody wants: request, owner, present state, result. Survives resubmission."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # the index for the API's list begins with it
    )
    reference = models.CharField(
        _("reference"),
        max_length=200,
        blank=True,
        validators=[validate_storable_text],
        help_text=_("The site's own name for what this video is for."),
    )
    status = models.CharField(
        _("status"), max_length=24, choices=Status.choices, default=Status.DRAFT, editable=False
    )
    previous_status = models.CharField(max_length=24, default="", editable=False)
    failure_code = models.CharField(
        _("failure code"), max_length=24, choices=FailureCode.choices, default="", editable=False
    )
    result_url = models.TextField(_("result address"), default="", editable=False)
    result_host = models.CharField(  # noqa: DJ001 - null until there is a result
        max_length=results.MAX_HOST_LENGTH,
        null=True,
        editable=False,
        help_text="Where RESULT_HOSTS names it, the result is linked; empty where it never is.",
    )
    submission_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now, editable=False)
    submitted_at = models.DateTimeField(_("submitted"), null=True, editable=False)
    completed_at = models.DateTimeField(_("completed"), null=True, editable=False)
    sync_asked_at = models.DateTimeField(_("last asked to look"), null=True, editable=False)

    objects = VideoJobQuerySet.as_manager()

    if TYPE_CHECKING:
        submissions: RelatedManager[Submission]
        events: RelatedManager[JobEvent]

    class Meta:
        verbose_name = _("video job")
        verbose_name_plural = _("video jobs")
        ordering = ("-created_at", "-id")
        permissions = (
            ("submit_videojob", _("Can submit and resubmit video jobs (costs money)")),
            ("cancel_videojob", _("Can cancel video jobs")),
            ("reconcile_videojob", _("Can decide about unconfirmed submissions")),
            ("view_raw_payload", _("Can see raw requests and answers")),
        )
        indexes = (
            models.Index(fields=("created_at", "id"), name="hailuo_job_created"),
            models.Index(fields=("owner", "created_at", "id"), name="hailuo_job_owner"),
            models.Index(
                fields=("owner", "status", "created_at", "id"), name="hailuo_job_owner_status"
            ),
            models.Index(fields=("reference",), name="hailuo_job_reference"),
            # The newest completed videos of one kind: how long the next may take.
            models.Index(
                fields=("status", "resolution", "duration", "completed_at"), name="hailuo_job_kind"
            ),
            # The admin's list: filtered, newest first, and sorted by status.
            models.Index(fields=("status", "-created_at", "-id"), name="hailuo_job_status"),
            models.Index(fields=("failure_code", "created_at", "id"), name="hailuo_job_by_failure"),
            models.Index(
                fields=("resolution", "created_at", "id"), name="hailuo_job_by_resolution"
            ),
            models.Index(fields=("duration", "created_at", "id"), name="hailuo_job_by_duration"),
            models.Index(fields=("result_host",), name="hailuo_job_result"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(resolution__in=pricing.RESOLUTIONS), name="hailuo_job_resolution"
            ),
            models.CheckConstraint(
                condition=Q(duration__in=pricing.DURATIONS), name="hailuo_job_duration"
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="hailuo_job_known_status"
            ),
            models.CheckConstraint(
                condition=Q(failure_code__in=["", *FailureCode.values]),
                name="hailuo_job_known_failure",
            ),
        )

    def __str__(self) -> str:
        return f"{self.prompt[:60]} ({self.resolution}, {self.duration} s)"

    @property
    def latest_submission(self) -> Submission | None:
        """The newest submission, from prefetched rows where there are any."""
        return max(self._submissions(), key=lambda row: row.number, default=None)

    def _submissions(self) -> Iterable[Submission]:
        # A draft has none, saved or not; asking would cost a query.
        if not self.submission_count:
            return ()
        # A page of jobs asks often, and a manager for each question takes it a tenth longer.
        fetched = getattr(self, "_prefetched_objects_cache", {}).get("submissions")
        return self.submissions.all() if fetched is None else fetched

    @property
    def is_asked_for(self) -> bool:
        """Whether Krea goes on being asked about any of its submissions, also about ended ones."""
        return any(row.due_at for row in self._submissions())

    @property
    def price_usd(self) -> Decimal:
        """The price in USD: of the newest submission; of a draft, by today's table.

        Raises ValueError for a request that is not on the price list.
        """
        if submission := self.latest_submission:
            return submission.price_usd
        return self.quote_usd()

    @property
    def spent_usd(self) -> Decimal:
        """USD that this job cost so far: Krea bills completed jobs only."""
        paid = (s.price_usd for s in self._submissions() if s.status == Status.COMPLETED)
        return sum(paid, start=Decimal(0))

    @property
    def expected_at(self) -> datetime | None:
        """When such a video is usually done, by this site's history when it was sent.

        None where nothing is on its way, or too few such videos were made. It may have passed.
        """
        if self.status != Status.SUBMITTING and self.status not in RUNNING:
            return None
        newest = self.latest_submission
        return newest.expected_at if newest else None

    @property
    def video_url(self) -> str:
        """The address of the video, empty while there is none that may be linked."""
        return self.result_url if results.linkable(self.result_url, conf.RESULT_HOSTS) else ""

    @property
    def is_flagged(self) -> bool:
        """Completed, but with no result address that may be linked: somebody should look."""
        return self.status == Status.COMPLETED and not self.video_url

    # The verbs only write; a worker does the rest. They stand here because this is where a
    # site looks for them, and call the ledger, which is the one writer.

    def submit(
        self,
        *,
        max_price_usd: Decimal | None = None,
        actor: AbstractBaseUser | None = None,
        source: str = "code",
    ) -> Submission:
        """Ask for the video, which costs ``price_usd``. An unsaved job is saved first.

        Raises ValidationError when the request is wrong, Conflict when it is no draft or costs
        more than ``max_price_usd``, BudgetExceeded when a cap of the site leaves no room.
        """
        from hailuo_django import ledger

        return ledger.submit(self, by=ledger.By(source, actor), max_price_usd=max_price_usd)

    def resubmit(
        self,
        *,
        force: bool = False,
        max_price_usd: Decimal | None = None,
        actor: AbstractBaseUser | None = None,
        source: str = "code",
    ) -> Submission:
        """Ask for it once more, which costs money once more, by today's price list.

        Raises BudgetExceeded when a cap of the site leaves no room, and Conflict while a
        submission may be alive, when the video is there, or where it costs more than
        ``max_price_usd``. With ``force`` a live submission is no hindrance: **both may be
        billed**; one that was not sent yet is withdrawn.
        """
        from hailuo_django import ledger

        by = ledger.By(source, actor)
        return ledger.resubmit(self, by=by, force=force, max_price_usd=max_price_usd)

    def cancel(self, *, actor: AbstractBaseUser | None = None, source: str = "code") -> None:
        """Wish every live submission cancelled. Raises Conflict when there is none."""
        from hailuo_django import ledger

        ledger.cancel(self, by=ledger.By(source, actor))

    def sync(
        self,
        *,
        cooldown_seconds: float = 0,
        actor: AbstractBaseUser | None = None,
        source: str = "code",
    ) -> None:
        """Have a worker look now instead of when it is due.

        Raises Conflict for a draft, and TooSoon within ``cooldown_seconds`` of the last time.
        """
        from hailuo_django import ledger

        ledger.sync(self, by=ledger.By(source, actor), cooldown_seconds=cooldown_seconds)
