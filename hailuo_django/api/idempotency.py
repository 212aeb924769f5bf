"""Idempotency-Key: a request that may be repeated until its answer arrives, and counts once.

As in the IETF's draft-ietf-httpapi-idempotency-key-header. The key, what was asked for and its
answer are written in one transaction, whose first statement, the INSERT of the key, decides who
is the first. Whoever is killed at any moment leaves all of it or nothing: there is no key whose
outcome is unknown, and no money spent whose key is free.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import IntegrityError, OperationalError, connections, transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from hailuo_django.conf import conf
from hailuo_django.models import IdempotencyKey, VideoJob

from .exceptions import (
    IdempotencyKeyAnonymous,
    IdempotencyKeyInUse,
    IdempotencyKeyInvalid,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
)
from .permissions import is_signed_in

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_HEADERS = ("Location", "Retry-After")

KEY = re.compile(r"[!#-~]([!-~]{0,253}[!#-~])?")
"""Visible ASCII; in the draft's own form it stands in double quotes, which are no part of it."""

STILL_LOCKED = {"55P03", "40P01", "57014", 1205, 1213, 5, 6}
"""What PostgreSQL (SQLSTATE), MySQL and SQLite (numbers) say when a lock was not to be had."""

PATIENCE_SECONDS = 5
"""So long a repetition waits for the request that it repeats."""


class _Taken(Exception):
    """Somebody gave this key before."""


def answer_once(
    request: Request, write: Callable[[], Response], fields: Mapping[str, Any], *, spends: bool
) -> Response:
    """Return what ``write`` answers, or for a key that was given before what it answered then.

    ``fields`` are what is asked for. Without a key it is done as often as it is asked, unless it
    ``spends`` money and the site wants one. What ``write`` raises leaves the key free.
    """
    key = _key(request, spends)
    if not key:
        return write()
    fingerprint = _fingerprint(request, fields)
    try:
        with contextlib.ExitStack() as until_commit:
            row = _take(until_commit, user_id=request.user.pk, key=key, fingerprint=fingerprint)
            answer = write()
            row.status = answer.status_code
            row.headers = {name: answer[name] for name in KEPT_HEADERS if name in answer}
            row.body = json.dumps(answer.data, cls=JSONEncoder)
            row.save(force_update=True)
        return answer
    except _Taken:
        return _answer_again(request.user.pk, key, fingerprint)


def _key(request: Request, spends: bool) -> str:
    written = request.headers.get(HEADER)
    if written is None:
        if spends and conf.API_REQUIRE_IDEMPOTENCY_KEY:
            raise IdempotencyKeyRequired
        return ""
    key = written.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    if not is_signed_in(request.user) or request.user.pk is None:
        raise IdempotencyKeyAnonymous
    return key


def _fingerprint(request: Request, fields: Mapping[str, Any]) -> str:
    asked = [request.method, request.path, fields]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, cls=JSONEncoder).encode()).hexdigest()


def _take(until_commit: contextlib.ExitStack, **names: Any) -> IdempotencyKey:
    """Become the one request with this key, until the transaction that begins here ends."""
    keys = IdempotencyKey.objects.using(VideoJob.database())
    try:
        until_commit.enter_context(transaction.atomic(using=keys.db))
        with _bounded_waiting(keys.db):
            return keys.create(**names)
    except IntegrityError as error:
        raise _Taken from error
    except OperationalError as error:
        if not _is_about_a_lock(error):
            raise
        raise IdempotencyKeyInUse from error  # the first one has not ended yet


def _is_about_a_lock(error: OperationalError) -> bool:
    drivers = error.__cause__
    by_sqlite = getattr(drivers, "sqlite_errorcode", 0) & 0xFF  # above it, more exactly why
    by_postgresql = getattr(drivers, "sqlstate", None) or getattr(drivers, "pgcode", None)
    return not STILL_LOCKED.isdisjoint([by_sqlite, by_postgresql, *error.args[:1]])


@contextlib.contextmanager
def _bounded_waiting(alias: str) -> Iterator[None]:
    """PostgreSQL waits for a lock without end; the other databases have a limit of their own."""
    if connections[alias].vendor != "postgresql":
        yield
        return
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{PATIENCE_SECONDS}s"])
        yield
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


def _answer_again(user_id: Any, key: str, fingerprint: str) -> Response:
    row = IdempotencyKey.objects.using(VideoJob.database()).filter(user=user_id, key=key).first()
    if row is None:  # removed for its age a moment ago
        raise IdempotencyKeyInUse
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    headers = {**row.headers, REPLAYED: "true"}
    return Response(json.loads(row.body), status=row.status, headers=headers)
