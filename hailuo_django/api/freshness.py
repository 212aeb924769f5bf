"""Conditional requests: who has the newest gets a 304, who has another changes nothing.

The tag is a digest of what is shown, whatever it was made of: rows, settings, the language, the
renderer, the time. Nothing can change and be forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import parse_etags, parse_http_date_safe, quote_etag
from rest_framework.request import Request
from rest_framework.response import Response

SAFE = ("GET", "HEAD")
Refuse = Callable[[], HttpResponseBase]
"""Makes the answer for a condition that does not hold."""


def make_conditional(request: Request, response: HttpResponseBase, otherwise: Refuse) -> None:
    """Let whoever asked keep the answer, and ask each time whether it is still right."""
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
    is_shown = request.method in SAFE and response.status_code == 200
    if is_shown and isinstance(response, Response):  # a site's handler may answer otherwise
        response.add_post_render_callback(partial(_unless_known, request._request, otherwise))


def is_what_they_have(request: Request, show: Callable[[], HttpResponse | None]) -> bool:
    """Tell whether a request that writes may: it names no condition, or one that holds.

    ``show`` gives what a GET would answer; None where nothing is there yet.
    """
    headers = request.headers
    if "If-Match" in headers:
        return _names(headers["If-Match"], show())
    if "If-None-Match" in headers and _names(headers["If-None-Match"], show()):
        return False
    # No date of a last change is told that it could be measured by; what is no date asks nothing.
    return parse_http_date_safe(headers.get("If-Unmodified-Since", "")) is None


def _unless_known(
    request: HttpRequest, otherwise: Refuse, response: Response
) -> HttpResponseBase | None:
    response["ETag"] = _tag(response)
    answer = get_conditional_response(request, etag=response["ETag"], response=response)
    if answer is None or answer is response:
        return answer
    if answer.status_code == 412:
        return otherwise()
    if "Retry-After" in response:
        answer["Retry-After"] = response["Retry-After"]
    return answer


def _names(tags: str, shown: HttpResponse | None) -> bool:
    # Who compresses an answer on its way weakens its tag, which is of all that is shown.
    named = {tag.removeprefix("W/") for tag in parse_etags(tags)}
    return shown is not None and ("*" in named or _tag(shown) in named)


def _tag(shown: HttpResponse) -> str:
    digest = hashlib.sha256(shown["Content-Type"].encode() + b"\n" + shown.content)
    return quote_etag(digest.hexdigest()[:32])
