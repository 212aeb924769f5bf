"""Conditional answers: who has the newest already gets a 304.

The tag is a digest of what is shown, whatever it was made of: rows, settings, the language, the
renderer, the time. Nothing can change and be forgotten.
"""

from __future__ import annotations

import hashlib
from functools import partial

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from rest_framework.request import Request
from rest_framework.response import Response

SAFE = ("GET", "HEAD")


def make_conditional(request: Request, response: Response) -> None:
    """Let whoever asked keep the answer, and ask each time whether it is still right."""
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
    if request.method in SAFE and response.status_code == 200:
        response.add_post_render_callback(partial(_unless_known, request._request))


def _unless_known(request: HttpRequest, response: Response) -> HttpResponseBase | None:
    digest = hashlib.sha256(response["Content-Type"].encode() + b"\n" + response.content)
    response["ETag"] = quote_etag(digest.hexdigest()[:32])
    answer = get_conditional_response(request, etag=response["ETag"], response=response)
    if answer is not None and "Retry-After" in response:
        answer["Retry-After"] = response["Retry-After"]
    return answer
