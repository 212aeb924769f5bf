"""The page itself, and who may open it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hailuo_django.admin.base import HailuoAdmin

from . import figures, standing, tables
from .drawing import drawings
from .job_concerns import about_jobs
from .scope import Scope
from .site_concerns import about_the_site
from .ways import Ways


class OverviewMixin(HailuoAdmin):
    """Adds a page that tells whether it works, for whoever may see the list of jobs.

    Its figures are those of the jobs that ``get_queryset`` returns for the reader. Where that
    is narrowed, the figures of the whole site are left out: its budget and how long videos take.
    """

    overview_template = "admin/hailuo_django/overview.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page, before Django's own that match anything."""
        page = path(
            "overview/",
            self.admin_site.admin_view(self.overview_view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_overview",
        )
        return [page, *super().get_urls()]

    @method_decorator(require_safe)
    def overview_view(self, request: HttpRequest) -> HttpResponse:
        """Show the page. It only reads."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        scope, ways = Scope(self.get_queryset(request)), Ways(self, request)
        month = figures.read(scope)
        now = standing.read(scope, month.days)
        return self.page(
            request,
            self.overview_template,
            _("Overview"),
            concerns=[*about_the_site(scope, ways, now), *about_jobs(scope, ways, month.days)],
            facts=tables.facts(now),
            accounts=tables.accounts(now),
            balances=tables.balances(now),
            about_the_budget=tables.about_the_budget(),
            is_everything=scope.is_everything,
            drawings=drawings(month, now.balances),
        )
