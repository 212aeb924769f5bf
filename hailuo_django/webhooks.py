"""The door for Krea's webhooks.

Krea signs nothing (Krea documentation, webhooks page), so the address itself is the
credential: the token is verified before the body is read and before any query. After that
no answer is a 4xx, since a sender would take it as final: what cannot be applied makes the
row due, and Krea's own answer to a GET decides.
"""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls.converters import StringConverter
from django.views.decorators.csrf import csrf_exempt

from . import ledger, results
from .conf import conf
from .krea.text import Secret, redactor
from .krea.wire import JobReport, Unreadable, read_job
from .states import ENDED, WITHOUT_VIDEO, Status
from .tokens import PATTERN, Addressee, BadToken, read_token

logger = logging.getLogger(__name__)

REFUSAL = "No valid token."
"""What this view alone says to a forged token."""


class TokenConverter(StringConverter):
    """Any one path segment: what is no token is refused by the view, not by the resolver."""

    def to_python(self, value: str) -> Secret:
        """Hide the token from whoever prints the view's arguments."""
        return Secret(value)


@csrf_exempt
@login_not_required
def webhook(request: HttpRequest, token: str) -> HttpResponse:
    """Take one webhook: 200 applied or known, 202 Krea will be asked, 403, 405, or 503."""
    if request.method != "POST":
        return HttpResponse("POST only.", status=405, headers={"Allow": "POST"})
    try:
        addressee = read_token(token)
    except BadToken:
        return HttpResponse(REFUSAL, status=403)
    return HttpResponse(status=_take(addressee, _read_body(request)))


def _read_body(request: HttpRequest) -> bytes:
    """Return the body, or nothing when it is too large or does not arrive."""
    limit = conf.WEBHOOK_MAX_BODY_BYTES
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            return b""
        body: bytes = request.read(limit + 1)
    except (OSError, ValueError):
        return b""
    return body if len(body) <= limit else b""


def _take(addressee: Addressee, body: bytes) -> int:
    # Neither request nor token in this frame, nor the body, which may echo our secrets: what
    # fails below is logged with its traceback, and error mails show the variables in it.
    try:
        news = _read_news(body)
        del body
        return _apply(addressee, news)
    except Exception:
        logger.exception(
            "Webhook for submission %d of job %s failed; the sender may try again.",
            addressee.number,
            addressee.job_id,
        )
        return 503


def _read_news(body: bytes) -> JobReport | None:
    # A sender may echo what it was given; our secrets are not kept among its words.
    redact = redactor(conf.KREA_API_TOKEN, webhook_token=PATTERN)
    try:
        return read_job(body, redact=redact)
    except Unreadable:
        return None


def _apply(addressee: Addressee, news: JobReport | None) -> int:
    job_id, number = addressee.job_id, addressee.number
    if news is None:
        ledger.make_due(job_id, number)
        return 202
    # Also what ended here alone: since Krea did not find it, or somebody gave it up.
    open_ended = ~Q(krea_status__in=ENDED)
    # That there is no video after all is Krea's to say, when it is asked.
    untold = Q() if news.status not in WITHOUT_VIDEO else ~ledger.is_told_of(news.krea_job_id)
    may_decide, seen = _may_decide(news), ledger.webhook_seen()
    if may_decide and ledger.report(
        job_id, number, news, by=ledger.WEBHOOK, where=open_ended & untold, **seen
    ):
        return 200
    if ledger.count_webhook(job_id, number, news):
        return 200
    if may_decide and ledger.confirm_end(
        job_id, number, news, by=ledger.WEBHOOK, where=untold, **seen
    ):
        return 200
    ledger.make_due(job_id, number, news)
    return 202


def _may_decide(news: JobReport) -> bool:
    if conf.WEBHOOK_CONFIRM:
        return False
    # A video without an address that may be linked: a GET tells where it really is.
    url = results.best(news.urls, conf.RESULT_HOSTS)
    return news.status != Status.COMPLETED or results.linkable(url, conf.RESULT_HOSTS)
