"""What every admin of this app keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import django
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from hailuo_django.models import VideoJob
from hailuo_django.transactions import outside_atomic_requests

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin  # Django's own class takes no parameters


Crumb = tuple[str, str]
"""The address and the name of a page above another."""

TRAIL_IS_LIST = django.VERSION >= (6, 1)
"""Whether this Django's styles want the pages above a page as a list."""


class HailuoAdmin(ModelAdmin):
    """Commits by itself, and changes rows where they are written."""

    show_full_result_count = False

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("hailuo_django/admin.css",)}

    def get_urls(self) -> list[URLPattern]:
        """Return Django's own, out of the reach of ``ATOMIC_REQUESTS``."""
        urls = super().get_urls()
        for url in urls:
            outside_atomic_requests(url.callback)
        return urls

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return rows from where they are written, if they may be changed."""
        rows = super().get_queryset(request)
        return rows.using(VideoJob.database()) if request.method == "POST" else rows

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list; what no database can look for leads back to the whole of it."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error

    def has_submit_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to spend, which resubmitting and sending again take as well."""
        return request.user.has_perm(f"{self.opts.app_label}.submit_videojob")

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to decide about lost answers and what hangs on them."""
        return request.user.has_perm(f"{self.opts.app_label}.reconcile_videojob")

    def has_view_raw_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to see raw requests and answers."""
        return request.user.has_perm(f"{self.opts.app_label}.view_raw_payload")

    def add_to_page(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        """Add to ``context`` what the page of a row shows besides Django's own; None: a new row."""

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show the page of a row with what ``add_to_page`` adds."""
        self.add_to_page(request, context, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def address(self, view: str, *keys: Any) -> str:
        """Return the address of one of this model's pages, within this very admin."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}"
        return reverse(name, args=[quote(str(k)) for k in keys], current_app=self.admin_site.name)

    def page(
        self, request: HttpRequest, template: str, title: str, *trail: Crumb, **context: Any
    ) -> TemplateResponse:
        """Return a page of ours; it stands below the list of rows and the pages of ``trail``."""
        # As on Django's own pages: links of the templates stay within this admin.
        request.current_app = self.admin_site.name
        app = reverse(
            "admin:app_list", args=[self.opts.app_label], current_app=self.admin_site.name
        )
        above: list[Any] = [
            (reverse("admin:index", current_app=self.admin_site.name), _("Home")),
            (app, self.opts.app_config.verbose_name),
        ]
        if may_view := self.has_view_permission(request):
            above.append((self.address("changelist"), capfirst(self.opts.verbose_name_plural)))
        shared = {
            "title": title,
            "opts": self.opts,
            "has_view_permission": may_view,
            "trail": [*above, *trail],
            "trail_is_list": TRAIL_IS_LIST,
        }
        each = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**each, **shared, **context})

    def seen(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row that an address names, if its reader may see it.

        Raises PermissionDenied, and Http404 for what ``get_queryset`` leaves out: that does
        not exist.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row


class ReadOnlyAdmin(HailuoAdmin):
    """Shows rows that only workers write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one by hand."""
        return False
