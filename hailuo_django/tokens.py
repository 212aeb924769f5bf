"""Webhook URLs, made and read. The signed token names one submission and is a credential."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils import translation

from .conf import conf
from .krea.text import Secret

SALT = "hailuo_django.webhook"
SEPARATOR = "."  # unreserved in URLs: nobody on the way rewrites it
PATTERN = re.compile(
    r"[0-9a-f]{32}-[0-9]{1,9}(?:\.|%2E)[0-9A-Za-z]{1,12}(?:\.|%2E)[0-9A-Za-z_-]{16,}", re.IGNORECASE
)
"""The shape of every token we make, for whoever has to recognise one in a text.

Wider than what we make: a damaged token gives most of a good one away.
"""


class BadToken(Exception):
    """Forged, altered, expired, or no token at all."""


@dataclass(frozen=True)
class Addressee:
    """The submission that a token names."""

    job_id: uuid.UUID
    number: int


def make_token(addressee: Addressee) -> str:
    """Return a new token for one submission."""
    return _signer().sign(f"{addressee.job_id.hex}-{addressee.number}")


def read_token(token: str) -> Addressee:
    """Return whom the token names. Raises BadToken; asks no database.

    Django's signing checks the signature in constant time, against ``SECRET_KEY`` and
    ``SECRET_KEY_FALLBACKS``.
    """
    if not PATTERN.fullmatch(token):
        raise BadToken
    try:
        value = _signer().unsign(token, max_age=conf.WEBHOOK_MAX_AGE_SECONDS)
    except BadSignature:
        raise BadToken from None  # the cause would carry the token
    job_id, _, number = value.partition("-")
    return Addressee(uuid.UUID(hex=job_id), int(number))


def make_webhook_url(addressee: Addressee) -> str | None:
    """Return the address Krea is to call for this submission; None when the site takes no calls."""
    return webhook_url(make_token(addressee))


def webhook_url(token: str) -> str | None:
    """Return the address of our webhook with ``token``; None when the site takes no calls.

    The same from every process: whatever script prefix or language is active here, the
    address is ``WEBHOOK_BASE_URL`` and the path of our URL in the site's own language.
    """
    if not conf.WEBHOOK_BASE_URL:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        try:
            path = Secret(reverse("hailuo_django:webhook", args=[token]))
        except NoReverseMatch:
            return None  # a check names it; polling finishes the job
    return Secret(f"{conf.WEBHOOK_BASE_URL}/{path.removeprefix(get_script_prefix())}")


def _signer() -> TimestampSigner:
    return TimestampSigner(salt=SALT, sep=SEPARATOR)
