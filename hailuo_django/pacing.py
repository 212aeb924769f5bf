"""How fast Krea may be asked: one row an account, read and written by every worker.

Four things hold sending back: a person, until a person resumes it; a time that Krea named or
that grows with every setback; a pause after several lost answers in a row, which lasts until
Krea answers a GET; and after either of the last two a single trial that goes ahead of the rest.
Trials that are lost as well come ever more rarely: each leaves one more submission in doubt.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from .clock import site_time
from .conf import conf
from .deadlines import lease_seconds
from .krea.errors import AccountProblem, KreaError, RateLimited
from .krea.text import Secret
from .models import KreaAccount, VideoJob

FIRST_BACKOFF_SECONDS = 5
LONGEST_BACKOFF_SECONDS = 300
DOUBTS_BEFORE_A_PAUSE = 3
FIRST_WAIT_FOR_A_TRIAL_SECONDS = 60
LONGEST_WAIT_FOR_A_TRIAL_SECONDS = 3600
LONGEST_HOLD = timedelta(days=1)
"""No answer of Krea's and no trial holds anything back for so long."""
MAX_NAME_LENGTH = 254


@dataclass(frozen=True)
class Turn:
    """Leave to send one request; after trouble it is a single trial, for which others wait."""

    trial_until: datetime | None = None
    """How long others wait for the trial; None: nothing holds them back."""
    follows_pause: bool = False


def account() -> str:
    """Return a name for the account in use that gives nothing of its token away."""
    secret = Secret(f"{conf.KREA_BASE_URL}\n{conf.KREA_API_TOKEN}")
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def backoff_seconds(tries: int) -> float:
    """Return a growing, jittered, capped number of seconds for the ``tries``-th failure."""
    grown: float = FIRST_BACKOFF_SECONDS * 2 ** min(tries, 10)
    return min(grown, LONGEST_BACKOFF_SECONDS) * random.uniform(0.8, 1.2)  # noqa: S311


def take_turn() -> Turn | None:
    """Return leave to send one request now, to be given back by ``end_turn``; None: not now."""
    row, now = _account().first(), timezone.now()
    if row is not None and row.holds_sending(now):
        return None
    if row is None or not (row.setbacks or row.doubts):
        return Turn()
    until = now + timedelta(seconds=lease_seconds())
    trial = Turn(until, follows_pause=row.doubts >= DOUBTS_BEFORE_A_PAUSE)
    free = _account().filter(_past("send_after", now), _past("trial_until", now))
    free = free.filter(paused_at=None, held_at=None)
    return trial if free.update(trial_until=until) else None


def end_turn(turn: Turn) -> None:
    """Let the next one try, whatever came of this trial; that of another goes on."""
    if turn.trial_until:
        _account().filter(trial_until=turn.trial_until).update(trial_until=None)


def bring_forward() -> None:
    """End what a host has held back whose clock was far ahead, and would until then."""
    row, now = _account().first(), timezone.now()
    for name in ("send_after", "look_after", "trial_until", "paused_at"):
        until = getattr(row, name, None)
        if until and until > now + LONGEST_HOLD:
            _account().filter(**{name: until}).update(**{name: now})


def may_look() -> bool:
    """Tell whether Krea lets this account ask now."""
    return not _account().filter(look_after__gt=timezone.now()).exists()


def is_paused() -> bool:
    """Tell whether sending waits until Krea answers a GET."""
    return _account().filter(paused_at__isnull=False).exists()


def is_held() -> bool:
    """Tell whether a person holds sending back, until they resume it."""
    return _account().filter(held_at__isnull=False).exists()


def holding() -> QuerySet[KreaAccount]:
    """Return the row of this account where it holds sending back now, to be asked within a query.

    While a single trial is under way the others wait as well.
    """
    now = timezone.now()
    until = Q(send_after__gt=now) | Q(trial_until__gt=now)
    rows = KreaAccount.objects.filter(fingerprint=account())
    return rows.filter(until | Q(paused_at__isnull=False) | Q(held_at__isnull=False))


def slow_sending(error: KreaError) -> str:
    """Hold back every sender of this account; return why, in words for staff."""
    _slow(error, "send_after")
    return _reason(error)


def slow_looking(error: KreaError) -> datetime:
    """Hold back every look and every sender of this account; return until when."""
    return _slow(error, "send_after", "look_after")


def doubt(reason: str, turn: Turn | None = None) -> None:
    """Count a lost answer; after a few in a row sending pauses until Krea answers a GET.

    One outage shall not make a whole queue doubtful. ``turn`` is that of the request: a trial
    that was lost after a pause is a setback.
    """
    _row()
    setbacks = 1 if turn and turn.follows_pause else 0
    _account().update(doubts=F("doubts") + 1, setbacks=F("setbacks") + setbacks)
    too_many = _account().filter(doubts__gte=DOUBTS_BEFORE_A_PAUSE, paused_at=None)
    too_many.update(paused_at=timezone.now(), reason=f"Answers were lost: {reason}")


def answered(asked_at: datetime) -> None:
    """End a pause: a GET made while it lasted was answered. A single trial goes ahead.

    At once the first time. Krea may answer every GET and lose every POST: the wait grows with
    each trial that was lost.
    """
    paused = _account().filter(paused_at__lte=site_time(asked_at))
    row = paused.first()
    if row is None:
        return
    if seconds := _seconds_to_trial(row.setbacks):
        _not_before("send_after", timezone.now() + timedelta(seconds=seconds))
    paused.update(paused_at=None, reason=row.reason if seconds else "")


def went_through() -> None:
    """Forget earlier trouble: Krea took a request, or refused it for what it asked.

    Not while a pause lasts: the request was then under way when it began, and staff are to
    see why nothing is sent.
    """
    over = _account().filter(_past("send_after", timezone.now()), paused_at=None)
    over.exclude(setbacks=0, doubts=0).update(setbacks=0, doubts=0, trial_until=None, reason="")


def hold(fingerprint: str, by: str = "") -> bool:
    """Let an account send nothing until somebody resumes it; False when it is held already.

    By hand, by whom is in ``by``. Krea goes on being asked, and no answer of its ends this. What
    is under way goes out.
    """
    accounts = KreaAccount.objects.using(VideoJob.database())
    accounts.get_or_create(fingerprint=fingerprint)
    free = accounts.filter(pk=fingerprint, held_at=None)
    return bool(free.update(held_at=timezone.now(), held_by=by[:MAX_NAME_LENGTH]))


def resume(fingerprint: str) -> bool:
    """Let an account send and look at once, whatever held it back; False when nothing did.

    By hand. What is still wrong upstream will hold it back again after a single trial.
    """
    row = KreaAccount.objects.using(VideoJob.database()).filter(pk=fingerprint)
    now = timezone.now()
    held = Q(paused_at__isnull=False) | Q(held_at__isnull=False)
    for field in ("send_after", "look_after", "trial_until"):
        held |= Q(**{f"{field}__gt": now})
    times = ("send_after", "look_after", "paused_at", "trial_until", "held_at")
    return bool(row.filter(held).update(**dict.fromkeys(times), held_by="", reason=""))


def _slow(error: KreaError, *fields: str) -> datetime:
    now = timezone.now()
    until = now + timedelta(seconds=_wait_seconds(error, _row().setbacks))
    # Several requests under way get the same answer at once: that is one setback.
    _account().filter(_past("send_after", now)).update(setbacks=F("setbacks") + 1)
    for field in fields:
        _not_before(field, until, reason=_reason(error))
    return until


def _not_before(field: str, until: datetime, **changes: str) -> None:
    earlier = Q(**{field: None}) | Q(**{f"{field}__lt": until})
    _account().filter(earlier).update(**{field: until, **changes})


def _wait_seconds(error: KreaError, setbacks: int) -> float:
    # Sooner than that is no advice: Krea would be asked again and again within a sweep.
    if isinstance(error, RateLimited) and (error.retry_after or 0) >= FIRST_BACKOFF_SECONDS:
        return error.retry_after or 0
    if isinstance(error, AccountProblem):
        return LONGEST_BACKOFF_SECONDS  # a person must act; a rare trial goes on meanwhile
    return backoff_seconds(setbacks)


def _seconds_to_trial(setbacks: int) -> float:
    if not setbacks:
        return 0
    grown: float = FIRST_WAIT_FOR_A_TRIAL_SECONDS * 2 ** min(setbacks - 1, 10)
    return min(grown, LONGEST_WAIT_FOR_A_TRIAL_SECONDS)


def _reason(error: KreaError) -> str:
    what = f"HTTP {error.status}" if error.status else "Not sent"
    return f"{what}: {error.message}" if error.message else what


def _past(field: str, now: datetime) -> Q:
    return Q(**{field: None}) | Q(**{f"{field}__lte": now})


def _row() -> KreaAccount:
    accounts = KreaAccount.objects.using(VideoJob.database())
    row, _created = accounts.get_or_create(fingerprint=account())
    return row


def _account() -> QuerySet[KreaAccount]:
    return KreaAccount.objects.using(VideoJob.database()).filter(fingerprint=account())
