"""The seconds that follow from ``KREA_TIMEOUT_SECONDS``: one place, so that they fit together."""

from __future__ import annotations

import math

from .conf import conf

LEASE_MARGIN_SECONDS = 10
"""Beyond the request's own deadline: clock skew between hosts, and the writes around it."""

TASK_MARGIN_SECONDS = 15


def call_seconds() -> float:
    """Return the total deadline of one request to Krea."""
    return conf.KREA_TIMEOUT_SECONDS


def lease_seconds(calls: int = 1) -> float:
    """Return for how long a worker owns a submission while it makes so many calls about it."""
    return calls * call_seconds() + LEASE_MARGIN_SECONDS


def sweep_seconds() -> float:
    """Return how long a sweep may take: two whole calls, one after the other, and the writes."""
    return lease_seconds(calls=2)


def batch_seconds() -> float:
    """Return the longest that a sweep writes rows of batches before it talks to Krea again."""
    return LEASE_MARGIN_SECONDS / 2


def task_seconds() -> int:
    """Return django-q2's ``timeout`` for our tasks; it must be an integer."""
    return math.ceil(2 * call_seconds()) + TASK_MARGIN_SECONDS
