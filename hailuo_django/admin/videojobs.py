"""The pages of video jobs: the list, the draft that can be edited, the job that can be read."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

from django.contrib.admin import display as shown
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hailuo_django.exceptions import Conflict
from hailuo_django.fields import validate_web_address
from hailuo_django.models import REQUEST_FIELDS, Submission, VideoJob

from . import display, signs
from .actions import cancel_selected, resubmit_selected, submit_selected, sync_selected
from .changelist import ListMixin
from .deletion import DeletionMixin
from .duplicating import DuplicatingMixin
from .filters import AttentionFilter, CreatedFilter, StatusFilter
from .live import LiveMixin
from .overview import OverviewMixin
from .page_actions import PageActionsMixin
from .quotes import QuoteMixin
from .reconcile import ReconcilingMixin
from .saving import back
from .searching import SearchMixin
from .sheets import SheetMixin, download_csv
from .story import StoryMixin
from .support import SupportMixin

NEEDED = (
    "job_id",
    "number",
    "status",
    "price_usd",
    "created_at",
    "sent_at",
    "ended_at",
    "overdue_at",
    "due_at",
    "krea_job_id",
    "candidate_id",
    "krea_status",
    "written_off_at",
)
"""All that lists need of a submission; its request and Krea's answer are long."""

Options: TypeAlias = list[Any] | tuple[Any, ...]
"""As Django types them, so that subclasses may have more and fewer."""

SITE_FIELDS = (gettext_lazy("Site"), {"fields": ("owner", "reference")})
DRAFT = (
    (None, {"fields": REQUEST_FIELDS}),
    (gettext_lazy("Price"), {"fields": ("quote",)}),
    SITE_FIELDS,
)
READ_ONLY = (
    (None, {"fields": ("state", "video", ("price", "spent"), "advice")}),
    (
        gettext_lazy("Request"),
        {
            "fields": (
                "whole_prompt",
                "start_image_address",
                "end_image_address",
                ("resolution", "duration", "expand_prompt"),
            )
        },
    ),
    SITE_FIELDS,
    (
        gettext_lazy("Times"),
        {"fields": ("id", ("created_at", "submitted_at", "completed_at"))},
    ),
)


class VideoJobAdmin(
    PageActionsMixin,
    QuoteMixin,
    DeletionMixin,
    LiveMixin,
    StoryMixin,
    SupportMixin,
    ReconcilingMixin,
    OverviewMixin,
    SearchMixin,
    SheetMixin,
    DuplicatingMixin,
    ListMixin,
):
    """Video jobs. Subclass it and register yours to change what is shown."""

    list_display: Options = (
        "title",
        "state",
        "price",
        "spent",
        "resolution",
        "duration",
        "owner",
        "created_at",
    )
    list_filter: ClassVar[Options] = (
        AttentionFilter,
        StatusFilter,
        "failure_code",
        CreatedFilter,
        "resolution",
        "duration",
    )
    list_select_related: ClassVar[Options] = ("owner",)
    sortable_by: ClassVar[Options] = ("state", "created_at")
    actions: Options = (
        submit_selected,
        resubmit_selected,
        cancel_selected,
        sync_selected,
        download_csv,
    )
    raw_id_fields: ClassVar[Options] = ("owner",)
    formfield_overrides = {
        models.URLField: {
            "assume_scheme": "https",
            "error_messages": {"invalid": validate_web_address.message},
        }
    }
    readonly_fields: ClassVar[Options] = (
        "id",
        "state",
        "video",
        "price",
        "spent",
        "advice",
        "quote",
        "whole_prompt",
        "start_image_address",
        "end_image_address",
        "created_at",
        "submitted_at",
        "completed_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[VideoJob]:
        """Return jobs with what is needed of their submissions, from where they are written."""
        needed = Submission.objects.only(*NEEDED)
        if self.has_reconcile_permission(request):
            mine = Submission.objects.filter(pk=OuterRef("pk"))
            undecided = mine.in_question() | mine.undecided(timezone.now())
            needed = needed.annotate(may_be_decided=Exists(undecided))
        return super().get_queryset(request).prefetch_related(Prefetch("submissions", needed))

    def get_fieldsets(self, request: HttpRequest, obj: VideoJob | None = None) -> Any:
        """Return what can be written for a draft, all there is to read for any other job."""
        is_draft = obj is None or self.has_change_permission(request, obj)
        return DRAFT if is_draft else READ_ONLY

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the operator as the owner."""
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list and run its actions."""
        try:
            return super().changelist_view(request, extra_context)
        except ValidationError:  # what was selected is no id; verbs keep theirs to the row
            return back(request, _("Select jobs from the list. Nothing was done."))
        except Conflict as conflict:  # of a field in ``list_editable``; all or none are saved
            return back(request, conflict.message)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to cancel."""
        return request.user.has_perm(f"{self.opts.app_label}.cancel_videojob")

    @shown(description=gettext_lazy("video job"))
    def title(self, job: VideoJob) -> str:
        """Return the beginning of the prompt."""
        return display.title(job)

    @shown(description=gettext_lazy("status"), ordering="status")
    def state(self, job: VideoJob) -> str:
        """Return the state, whatever asks for attention, and how long that takes."""
        return self.followed(job, self.with_links(job, signs.job_sign(job)))

    @shown(description=gettext_lazy("price"))
    def price(self, job: VideoJob) -> str:
        """Return what the newest submission costs, or a draft would."""
        return display.usd(job.price_usd)

    @shown(description=gettext_lazy("spent"))
    def spent(self, job: VideoJob) -> str:
        """Return what the job cost so far."""
        shown = display.usd(job.spent_usd) if job.spent_usd else self.get_empty_value_display()
        return self.part(job, "spent", shown)

    @shown(description=gettext_lazy("advice"))
    def advice(self, job: VideoJob) -> str:
        """Return what is worth knowing before this is paid for."""
        return display.advice(job.advice()) or self.get_empty_value_display()

    @shown(description=gettext_lazy("video"))
    def video(self, job: VideoJob) -> str:
        """Return the video, or why there is none to see."""
        return display.video(job) or self.get_empty_value_display()

    @shown(description=gettext_lazy("prompt"))
    def whole_prompt(self, job: VideoJob) -> str:
        """Return the prompt with its lines."""
        return display.text(job.prompt)

    @shown(description=gettext_lazy("start image"))
    def start_image_address(self, job: VideoJob) -> str:
        """Return the address only: the picture is not loaded."""
        return display.address(job.start_image) or self.get_empty_value_display()

    @shown(description=gettext_lazy("end image"))
    def end_image_address(self, job: VideoJob) -> str:
        """Return the address only: the picture is not loaded."""
        return display.address(job.end_image) or self.get_empty_value_display()
