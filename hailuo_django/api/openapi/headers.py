"""The headers that go with requests and answers."""

from __future__ import annotations

from collections.abc import Iterator

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from hailuo_django.api.idempotency import HEADER, KEY, REPLAYED
from hailuo_django.conf import conf

from .operations import Operation

TAG = '"0f6f7e8d9c0b1a2f3e4d5c6b7a8f9e0d"'


def of_requests(operation: Operation, action: str) -> Iterator[OpenApiParameter]:
    """Yield the headers that a request may have."""
    if operation.is_read:
        yield OpenApiParameter(
            "If-None-Match",
            str,
            OpenApiParameter.HEADER,
            description="The `ETag` of what you have: 304 while there is no news.",
            examples=[OpenApiExample("What you have", TAG)],
        )
    elif operation.is_conditional and action != "create":
        yield OpenApiParameter(
            "If-Match",
            str,
            OpenApiParameter.HEADER,
            description="The `ETag` of the job as you have seen it: 412 where it has changed.",
            examples=[OpenApiExample("What you have seen", TAG)],
        )
    if operation.takes_key:
        yield OpenApiParameter(
            HEADER,
            {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{KEY.pattern}$"},
            OpenApiParameter.HEADER,
            # A draft costs nothing and needs none.
            required=conf.API_REQUIRE_IDEMPOTENCY_KEY and action != "create",
            description="A new one for each video. Repeat the request with it until there is an"
            " answer: it counts once.",
            examples=[OpenApiExample("A UUID", "3c9a1d0e-5b7f-4a52-8f0e-2d8c6b1a9e47")],
        )


def of_answers(operation: Operation) -> Iterator[OpenApiParameter]:
    """Yield the headers of the answers, each with the statuses that have it."""
    everywhere = [*operation.answers, *operation.refusals]
    yield _header("Cache-Control", everywhere, "Keep it for one user, and ask each time.", True)
    yield _header("Vary", everywhere, "What the answer depends on.", True)
    made = [status for status in (200, 201, 202) if status in operation.answers]
    if operation.is_read:
        yield _header("ETag", [200, 304], "For `If-None-Match`.", True)
    yield _header("WWW-Authenticate", [401], "How to sign in.", True)
    if operation.takes_key:
        yield _header(REPLAYED, made, "`true`: this is the answer to an earlier request.")


def location(statuses: list[int]) -> OpenApiParameter:
    """Return the header with the address of the job."""
    return _header("Location", statuses, "Where the job is.", True, OpenApiTypes.URI)


def retry_after(statuses: list[int]) -> OpenApiParameter:
    """Return the header that says when to ask again."""
    words = "Ask again in so many seconds; where it is left out, nothing more will happen."
    return _header("Retry-After", statuses, words, type=OpenApiTypes.INT)


def _header(
    name: str,
    statuses: list[int],
    description: str,
    required: bool = False,
    type: OpenApiTypes = OpenApiTypes.STR,  # noqa: A002 - spectacular's name for it
) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        type,
        OpenApiParameter.HEADER,
        required=required,
        description=description,
        response=[*statuses],
    )
