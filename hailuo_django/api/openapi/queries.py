"""What a list may be asked for, as ``hailuo_django.api.filters`` and ``pagination`` have it."""

from __future__ import annotations

from collections.abc import Iterator

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from hailuo_django.api.pagination import TimeCursorPagination
from hailuo_django.pricing import DURATIONS

from .components import MOMENT, STORABLE, Schema, word

SEVERAL = "One or several, repeated or separated by commas."
A_MOMENT = "A time in ISO 8601; without a zone of its own it is the site's."


def of_lists() -> Iterator[OpenApiParameter]:
    """Yield the parameters that every list takes."""
    yield OpenApiParameter(
        "cursor", str, description="What `next` and `previous` hold: follow these as they stand."
    )
    size: Schema = {
        "type": "integer",
        "minimum": 1,
        "maximum": TimeCursorPagination.max_page_size,
        "default": TimeCursorPagination.page_size,
    }
    yield OpenApiParameter("page_size", size, description="How many rows a page has.")


def of_jobs(view: AutoSchema) -> Iterator[OpenApiParameter]:
    """Yield the filters of the list of jobs, and its order."""
    words: dict[str, Schema] = {
        "status": word(view, "VideoJobStatus"),
        "failure_code": word(view, "VideoJobFailureCode"),
        "resolution": word(view, "VideoJobResolution"),
        "duration": {"type": "integer", "enum": [*DURATIONS]},
    }
    for name, one in words.items():
        yield OpenApiParameter(name, {"type": "array", "items": one}, description=SEVERAL)
    texts: Schema = {"type": "array", "items": {"type": "string", "pattern": STORABLE}}
    yield OpenApiParameter("reference", texts, description="The exact text; repeated for several.")
    yield OpenApiParameter("created_after", MOMENT, description=f"From it on. {A_MOMENT}")
    yield OpenApiParameter("created_before", MOMENT, description=f"Before it. {A_MOMENT}")
    order: Schema = {
        "type": "string",
        "enum": ["created_at", "-created_at"],
        "default": "-created_at",
    }
    yield OpenApiParameter("ordering", order, description="By when they were created.")
