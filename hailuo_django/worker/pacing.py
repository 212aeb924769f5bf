"""How fast Krea may be asked: one row an account, read and written by every worker."""

from __future__ import annotations

import hashlib
import random
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from hailuo_django.conf import conf
from hailuo_django.krea.errors import AccountProblem, KreaError, RateLimited
from hailuo_django.models import KreaAccount, VideoJob

FIRST_BACKOFF_SECONDS = 5
LONGEST_BACKOFF_SECONDS = 300


def account() -> str:
    """Return a name for the account in use that gives nothing of its token away."""
    secret = f"{conf.KREA_BASE_URL}\n{conf.KREA_API_TOKEN}".encode()
    return hashlib.sha256(secret).hexdigest()[:16]


def backoff_seconds(tries: int) -> float:
    """Return a growing, jittered, capped number of seconds for the ``tries``-th failure."""
    grown: float = FIRST_BACKOFF_SECONDS * 2 ** min(tries, 10)
    return min(grown, LONGEST_BACKOFF_SECONDS) * random.uniform(0.8, 1.2)  # noqa: S311


def may_send() -> bool:
    """Tell whether Krea lets this account send now."""
    return not _account().filter(send_after__gt=timezone.now()).exists()


def may_look() -> bool:
    """Tell whether Krea lets this account ask now."""
    return not _account().filter(look_after__gt=timezone.now()).exists()


def slow_sending(error: KreaError) -> str:
    """Hold back every sender of this account; return why, in words for staff."""
    _slow(error, "send_after")
    return _reason(error)


def slow_looking(error: KreaError) -> datetime:
    """Hold back every look and every sender of this account; return until when."""
    return _slow(error, "send_after", "look_after")


def went_through() -> None:
    """Forget earlier setbacks: Krea took a request.

    Not while a pause lasts: the request was then under way when it began, and staff are to
    see why nothing is sent.
    """
    over = Q(send_after=None) | Q(send_after__lte=timezone.now())
    _account().filter(over, setbacks__gt=0).update(setbacks=0, reason="")


def _slow(error: KreaError, *fields: str) -> datetime:
    now = timezone.now()
    accounts = KreaAccount.objects.using(VideoJob.database())
    row, _created = accounts.get_or_create(fingerprint=account())
    until = now + timedelta(seconds=_wait_seconds(error, row.setbacks))
    # Several requests under way get the same answer at once: that is one setback.
    _account().filter(Q(send_after=None) | Q(send_after__lte=now)).update(
        setbacks=F("setbacks") + 1
    )
    for field in fields:
        earlier = Q(**{field: None}) | Q(**{f"{field}__lt": until})
        _account().filter(earlier).update(**{field: until, "reason": _reason(error)})
    return until


def _wait_seconds(error: KreaError, setbacks: int) -> float:
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return error.retry_after
    if isinstance(error, AccountProblem):
        return LONGEST_BACKOFF_SECONDS  # a person must act; a rare trial goes on meanwhile
    return backoff_seconds(setbacks)


def _reason(error: KreaError) -> str:
    return f"HTTP {error.status}: {error.message}" if error.status else f"Not sent: {error.message}"


def _account() -> QuerySet[KreaAccount]:
    return KreaAccount.objects.using(VideoJob.database()).filter(fingerprint=account())
