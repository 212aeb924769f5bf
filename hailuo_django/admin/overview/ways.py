"""Ways out: links to the pages of this admin that its reader may open."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from hailuo_django.admin.filters import AttentionFilter, ClosedFilter

if TYPE_CHECKING:
    from hailuo_django.admin.base import HailuoAdmin


@dataclass(frozen=True)
class Link:
    """Where to go, and the words to click."""

    address: str
    words: str


@dataclass(frozen=True)
class Button:
    """An action of a list for one of its rows, at one click."""

    address: str
    action: str
    key: str
    words: str


@dataclass(frozen=True)
class Ways:
    """What a reader can reach from the admin of video jobs."""

    admin: HailuoAdmin
    request: HttpRequest

    @property
    def may_decide(self) -> bool:
        """Whether the reader decides about lost answers and pauses."""
        return self.admin.has_reconcile_permission(self.request)

    def job(self, job_id: uuid.UUID) -> str:
        """Return the address of a job's page."""
        return self.admin.address("change", job_id)

    def decision(self, job_id: uuid.UUID, number: int) -> str:
        """Return the address where somebody decides about a submission."""
        return self.admin.address("reconcile", job_id, number)

    def attention(self, reason: str) -> list[Link]:
        """Return a link to all jobs that need attention for a reason."""
        return self.jobs(AttentionFilter, reason, _("The list of them"))

    def jobs(self, by: type[ClosedFilter], value: str, words: str) -> list[Link]:
        """Return a link to the list of jobs, narrowed; none where it lacks that filter."""
        if by not in self.admin.get_list_filter(self.request):
            return []
        query = urlencode({str(by.parameter_name): value})
        return [Link(f"{self.admin.address('changelist')}?{query}", words)]

    def rows(self, model: type[Model], query: str = "") -> str:
        """Return the address of another model's list; empty where the reader has none."""
        site = self.admin.admin_site
        if not site.is_registered(model):
            return ""
        admin = site.get_model_admin(model)
        if not admin.has_view_permission(self.request):
            return ""
        name = f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist"
        address = reverse(name, current_app=site.name)
        return f"{address}?{query}" if query else address

    def button(self, row: Model, action: str, words: str) -> Button | None:
        """Return what does an action to one row; None where the reader has no such action."""
        if not (address := self.rows(type(row))):
            return None
        admin = self.admin.admin_site.get_model_admin(type(row))
        if action not in admin.get_actions(self.request):
            return None
        return Button(address, action, str(row.pk), words)
