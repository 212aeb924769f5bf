"""Dials the site's own webhook address and says what a sender would meet there.

Two POSTs. The first has a forged token, which only our view answers with its own words. The
second is as large as a webhook may be and has a good token that names no submission: it shows
that the site takes our signature, and no row is changed by it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from hailuo_django.conf import conf
from hailuo_django.krea.transport import Answer
from hailuo_django.tokens import Addressee, make_token, webhook_url
from hailuo_django.webhooks import REFUSAL

from . import refusals
from .dial import post
from .findings import Finding, ok, problem

FORGED = f"{'0' * 32}-0.doctor.{'0' * 43}"
"""As long as a token is, with a signature that is none."""


def examine_webhook() -> Iterator[Finding]:
    """Dial the webhook address as Krea would."""
    if not conf.WEBHOOK_BASE_URL:
        yield ok("webhook.none", _('HAILUO["WEBHOOK_BASE_URL"] is empty: every job is polled.'))
        return
    url = webhook_url(FORGED)
    if url is None:
        yield problem(
            "webhook.no_url",
            _("The URL of the webhook is not included: every job is polled."),
            _('Add path("hailuo/", include("hailuo_django.urls")) to the ROOT_URLCONF.'),
        )
        return
    outcome = post(url, b"{}")
    if not _is_ours(outcome):
        yield refusals.explained(outcome, url)
        return
    yield _with_signature()


def _with_signature() -> Finding:
    """Dial once more, in full size; the token names a submission that does not exist."""
    url = webhook_url(make_token(Addressee(uuid.uuid4(), 0))) or ""
    outcome = post(url, b"{}".ljust(conf.WEBHOOK_MAX_BODY_BYTES))
    if isinstance(outcome, Answer) and outcome.status == 202:
        host = urlsplit(url).netloc
        return ok("webhook.ok", _("Webhooks arrive at %(host)s.") % {"host": host})
    if _is_ours(outcome):
        return problem(
            "webhook.signature",
            _("The site refuses tokens that are signed here."),
            _("Give web and workers the same SECRET_KEY, and see that this is the same site."),
        )
    return refusals.explained(outcome, url)


def _is_ours(outcome: object) -> bool:
    return (
        isinstance(outcome, Answer)
        and outcome.status == 403
        and outcome.body.strip() == REFUSAL.encode()
    )
