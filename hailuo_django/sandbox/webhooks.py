"""Webhooks: what is sent at which state, and one HTTP POST for each."""

from __future__ import annotations

import http.client
import json
import uuid
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .contract import TERMINAL
from .jobs import SandboxJob

DELIVERY_TIMEOUT_SECONDS = 10.0
_TOO_LARGE_BYTES = 256 * 1024


class Delivery(NamedTuple):
    """One webhook that was tried. ``http_status`` is None when no answer came."""

    job_id: str
    status: str
    http_status: int | None
    body: bytes


class Message(NamedTuple):
    """One webhook to be sent."""

    status: str
    body: bytes


def messages(job: SandboxJob, status: str) -> list[Message]:
    """Return the webhooks that belong to ``job`` having entered ``status``, in their order.

    Documented: one POST when a job is completed, failed or cancelled. A tip on the rate limits page
    speaks of being told when backlogged jobs start (``running_webhook``). Unknown: retries; here
    each is tried once.
    """
    if job.webhook_url is None or "no_webhook" in job.faults:
        return []
    if status not in TERMINAL:
        return [message(job, status)] if "running_webhook" in job.faults else []
    # Inferred: nothing is promised about duplicates and order, so both may go wrong.
    times = int(float(job.faults.get("duplicate_webhook") or 1))
    shown = [status] * times
    if "reordered_webhook" in job.faults:
        shown.append("processing")
    return [message(job, one) for one in shown]


def message(job: SandboxJob, status: str) -> Message:
    """Return one webhook that shows ``job`` in ``status`` (documented: the job as JSON)."""
    content: dict[str, Any] = job.as_json(status)
    if "webhook_other_job" in job.faults:
        content["job_id"] = str(uuid.uuid4())
    if "webhook_too_large" in job.faults:
        content["padding"] = "x" * _TOO_LARGE_BYTES
    if "webhook_not_json" in job.faults:
        return Message(status, b"<html><body>This is not the JSON you expect</body></html>")
    return Message(status, json.dumps(content).encode())


def post(url: str, body: bytes) -> int | None:
    """POST one webhook and return the HTTP status, or None when no answer came.

    Documented: no signature, no secret and no special headers. Unknown: redirects; here they are
    not followed. http.client because it logs nothing: the address holds the receiver's secret.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    port = parts.port or (443 if secure else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(connect(parts.hostname or "", port, timeout=DELIVERY_TIMEOUT_SECONDS)) as line:
        try:
            line.request("POST", target, body, {"Content-Type": "application/json"})
            answer = line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None
        return answer.status
