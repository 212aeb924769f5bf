"""A list of jobs that is as fast with a million rows as with a thousand.

It counts no further than it shows, and sorts by nothing but what an index keeps in order.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format

from .base import HailuoAdmin
from .filters import CreatedFilter
from .searching import in_prompts, looks_in_prompts

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator  # Django's own class takes no parameters

MAX_COUNTED = 10_000

NEWEST_FIRST = ("-created_at", "-id")
ORDERINGS = {
    "-created_at": NEWEST_FIRST,
    "created_at": ("created_at", "id"),
    "status": ("status", *NEWEST_FIRST),
    "-status": ("-status", "created_at", "id"),
    "-pk": NEWEST_FIRST,  # Django's last resort for an address that names no column
}
"""What the list can be sorted by, as an index has it."""


class AtLeast(int):
    """A number of rows that was not counted to its end."""

    def __str__(self) -> str:
        return f"{number_format(int(self), force_grouping=True)}+"


class BoundedPaginator(AnyPaginator):
    """Counts and shows the first ``MAX_COUNTED`` rows."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or that there are more than are counted."""
        rows = cast(QuerySet[Any], self.object_list).order_by()
        counted = rows[: MAX_COUNTED + 1].count()
        return counted if counted <= MAX_COUNTED else AtLeast(MAX_COUNTED)


class JobChangeList(ChangeList):
    """One page of the list of jobs, and what its template says beside it."""

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Return the order of one column: no index keeps jobs sorted by several."""
        if order := self.params.get(ORDER_VAR):
            self.params[ORDER_VAR] = order.split(".")[0]  # also for the arrows above the columns
        ordering = super().get_ordering(request, queryset)
        return [*ORDERINGS.get(str(ordering[0]), ordering)]

    @property
    def ends_early(self) -> bool:
        """Whether this is the last page although there are more rows."""
        is_last = self.page_num == self.paginator.num_pages
        return is_last and isinstance(self.result_count, AtLeast)

    @property
    def continued(self) -> str:
        """The query string of the list from here on; empty where it is not sorted by time."""
        if tuple(self.queryset.query.order_by) != NEWEST_FIRST:
            return ""
        last = list(self.result_list)[-1]
        until = {CreatedFilter.parameter_name: last.created_at.isoformat()}
        return self.get_query_string(until)

    @property
    def looked_in_prompts(self) -> bool:
        """Whether this is what a search in prompts found."""
        return looks_in_prompts(self.query)

    @property
    def search_in_prompts(self) -> str:
        """The query string of the same search in prompts."""
        return self.get_query_string({SEARCH_VAR: in_prompts(self.query)})


class ListMixin(HailuoAdmin):
    """Keeps the list from growing slow."""

    paginator: ClassVar[type[AnyPaginator]] = BoundedPaginator
    show_facets = ShowFacets.NEVER
    """Each count of a facet would read every row."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return our own, which sorts by index."""
        return JobChangeList
