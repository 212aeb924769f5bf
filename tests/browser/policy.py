"""The Content-Security-Policy under which every page has to work, unless it has its own."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

POLICY = "; ".join(
    (
        "default-src 'self'",
        "media-src 'self' http://127.0.0.1:*",  # the sandbox's videos
        "img-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def strict_policy(get_response: GetResponse) -> GetResponse:
    """Send it with every answer; Django has a setting of its own for it from 6.0 on only."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        policy = getattr(settings, "POLICY_OF_THE_TESTS", POLICY)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    return middleware
