"""Pages that stay as fast and as right while rows are added: cursors, no page numbers."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from hailuo_django.clock import read_moment

NUMBER = re.compile(r"[1-9][0-9]{0,5}")


class Position(NamedTuple):
    """The row that a page begins behind: no other row has the same."""

    moment: datetime
    key: Any

    @classmethod
    def of(cls, row: Any) -> Position:
        """Return that of a row."""
        return cls(row.created_at, row.pk)

    @classmethod
    def read(cls, text: str, model: type[Model]) -> Position:
        """Return what ``text`` names. Raises ValueError or Django's ValidationError."""
        moment, _slash, key = text.partition("/")
        return cls(_moment(moment), model._meta.pk.to_python(key))

    def __str__(self) -> str:
        return f"{self.moment.isoformat()}/{self.key}"


class TimeCursorPagination(CursorPagination):
    """Pages of 50, or of ``page_size`` up to 100, by when the rows were created.

    DRF's own cursors know the time alone, and lose their way back among rows of one moment,
    as an import makes them; these name a row.
    """

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 100

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of one page; the next one and the one before are told by its ends."""
        self.request = request
        self.base_url = request.build_absolute_uri()
        size = self.get_page_size(request)
        cursor = self.decode_cursor(request)
        backwards = bool(cursor and cursor.reverse)
        descending = self.get_ordering(request, queryset, view)[0].startswith("-") != backwards
        if cursor:
            queryset = queryset.filter(self._behind(cursor, queryset.model, descending))
        order = ("-created_at", "-pk") if descending else ("created_at", "pk")
        rows = list(queryset.order_by(*order)[: size + 1])
        goes_on, page = len(rows) > size, rows[:size]
        self.page = page[::-1] if backwards else page
        self.has_next = backwards or goes_on
        self.has_previous = goes_on if backwards else cursor is not None
        self.display_page_controls = self.has_next or self.has_previous
        return self.page

    def get_next_link(self) -> str | None:
        """Return the address of the page that follows; None where there is none."""
        return self._link(-1, reverse=False) if self.has_next else None

    def get_previous_link(self) -> str | None:
        """Return the address of the page before; None where there is none."""
        return self._link(0, reverse=True) if self.has_previous else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return what a page is, for a description of the API."""
        example = "https://www.example.com/api/jobs/?cursor=cD0yMDI2"
        address = {"type": "string", "format": "uri", "nullable": True, "example": example}
        properties = {"next": address, "previous": address, "results": schema}
        return {"type": "object", "required": [*properties], "properties": properties}

    def _link(self, index: int, *, reverse: bool) -> str | None:
        if not self.page:  # its rows were deleted meanwhile
            return None
        position: Any = str(Position.of(self.page[index]))
        return self.encode_cursor(Cursor(offset=0, reverse=reverse, position=position))

    def _behind(self, cursor: Cursor, model: type[Model], descending: bool) -> Q:
        try:
            position = Position.read(str(cursor.position), model)
        except (ValueError, DjangoValidationError) as error:
            raise _no_such_page() from error
        side = "lt" if descending else "gt"
        # The first condition alone is what an index is entered by.
        at_or_behind = Q(**{f"created_at__{side}e": position.moment})
        behind = Q(**{f"created_at__{side}": position.moment})
        return at_or_behind & (behind | Q(**{f"pk__{side}": position.key}))

    def get_page_size(self, request: Request) -> int:
        """Return the size that was asked for; DRF itself would pass over a wrong one."""
        asked = request.query_params.get("page_size", str(self.page_size))
        if not NUMBER.fullmatch(asked) or int(asked) > self.max_page_size:
            message = _("Give a whole number from 1 to %(most)d.") % {"most": self.max_page_size}
            raise ValidationError({"page_size": [ErrorDetail(message, "invalid")]})
        return int(asked)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return what the address says; a wrong parameter is a 400 and not DRF's 404."""
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise _no_such_page() from error


class NewestFirst(TimeCursorPagination):
    """The order of jobs."""

    ordering = "-created_at"


class OldestFirst(TimeCursorPagination):
    """The order of a history."""

    ordering = "created_at"


def _no_such_page() -> ValidationError:
    message = _("No such page: follow “next” and “previous” as they stand.")
    return ValidationError({"cursor": [ErrorDetail(message, "invalid")]})


def _moment(text: str) -> datetime:
    moment = read_moment(text)
    if moment is None:
        raise ValueError(text)
    return moment
