"""Pages that stay as fast and as right while rows are added: cursors, no page numbers."""

from __future__ import annotations

from django.conf import settings
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class TimeCursorPagination(CursorPagination):
    """Pages of 50, or of ``page_size`` up to 100, by when the rows were created."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 100

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Answer a made-up cursor with 404; DRF itself would pass it to the database."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class NewestFirst(TimeCursorPagination):
    """The order of jobs."""

    ordering = ("-created_at", "-id")


class OldestFirst(TimeCursorPagination):
    """The order of a history."""

    ordering = ("created_at", "id")


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return False
    # The first and the last year may leave the calendar in another time zone.
    return moment is not None and is_aware(moment) == settings.USE_TZ and 1 < moment.year < 9999
