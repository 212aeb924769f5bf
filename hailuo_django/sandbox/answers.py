"""The answers of the API, good and bad, as status, headers and bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .faults import FAULTS, Faults, Value

_HTML = b"<!DOCTYPE html>\n<title>Bad gateway</title><h1>Bad gateway</h1>\n"


@dataclass
class Answer:
    """What goes back, and how: ``manner`` is empty or the misbehaviour of the line it goes over."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = ""
    seconds: float = 0.0
    after: Callable[[], None] | None = None


def as_json(status: int, content: Any, **headers: str) -> Answer:
    """Return an answer with a JSON body."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(content).encode()
    return Answer(status, body, {"Content-Type": "application/json"} | given)


def error(status: int, text: str) -> Answer:
    """Return a refusal as documented for 400, 401, 402, 404 and 429: ``{"error": string}``."""
    return as_json(status, {"error": text})


def _html(status: int) -> Answer:
    return Answer(status, _HTML, {"Content-Type": "text/html; charset=utf-8"})


def _no_answer(manner: str) -> Answer:
    return Answer(0, manner=manner)


def _rate_limited(retry_after: Value) -> Answer:
    # Documented: 429 and "maximum concurrent jobs". Unknown: Retry-After; sent only when asked for.
    answer = error(429, "You have reached the maximum concurrent jobs of your plan.")
    if retry_after is not None:
        text = retry_after if isinstance(retry_after, str) else f"{retry_after:g}"
        answer.headers["Retry-After"] = text
    return answer


def _model_unavailable(_: Value) -> Answer:
    # Documented on the deprecations page; `error` is declared stable there.
    content = {
        "error": "model_unavailable",
        "reason": "sunset",
        "message": "This model is no longer available.",
        "sunset_date": "2026-11-01",
        "replacement": "minimax/hailuo-2.3",
        "migration_url": "https://www.krea.ai/docs/developers/deprecations",
    }
    return as_json(410, content)


def _unavailable(retry_after: Value) -> Answer:
    answer = error(503, "Service Unavailable")
    answer.headers["Retry-After"] = f"{retry_after:g}"
    return answer


_ISSUES = [{"code": "invalid_type", "path": ["prompt"], "message": "Expected string"}]

# One line each: the answers that come instead of an effect.
REFUSALS: dict[str, Callable[[Value], Answer]] = {
    # Inferred: any network may do this.
    "lost_request": lambda _: _no_answer("lost"),
    "cut_request": lambda _: _no_answer("reset"),
    # Documented.
    "unauthorized": lambda _: error(401, "Unauthorized"),
    "invalid_request": lambda _: error(400, "Invalid request."),
    # Documented as {error}; seen live with `message` and no `error`.
    "payment_required": lambda _: as_json(
        402, {"message": "Your API balance is empty. It is separate from your plan: please top up."}
    ),
    # Unknown: whether moderation refuses a request. Seen live: an error that is an object.
    "moderated_request": lambda _: as_json(
        400, {"error": {"code": "moderation", "message": "Rejected by content moderation."}}
    ),
    # Documented for other endpoints only.
    "forbidden": lambda _: error(403, "Forbidden"),
    # Inferred: what an endpoint that was taken away answers.
    "unknown_endpoint": lambda _: error(404, "Not found"),
    "model_unavailable": _model_unavailable,
    # Seen live on an image endpoint, with the words of a schema library.
    "validation": lambda _: as_json(422, {"error": "Validation failed", "issues": _ISSUES}),
    "rate_limited": _rate_limited,
    # Unknown: no 5xx is documented. An edge proxy would answer in HTML (inferred).
    "server_error": lambda _: error(500, "Internal Server Error"),
    "bad_gateway_html": lambda status: _html(int(status or 0)),
    # Inferred: what the servers between a client and an API may say.
    "other_refusal": lambda status: error(int(status or 0), "The request was not processed."),
    "unavailable": _unavailable,
    # Inferred: never sent by Krea; a client that follows it hands its token to whoever is there.
    "redirect": lambda _: Answer(302, headers={"Location": "/redirected"}),
    # Documented: unknown, or not yours.
    "missing": lambda _: error(404, "Job not found"),
}


def refusal(faults: Faults, operation: str) -> Answer | None:
    """Return the answer of the first misbehaviour that refuses this operation, if any."""
    refusing = (name for name in faults if name in REFUSALS and operation in FAULTS[name].on)
    return next((REFUSALS[name](faults[name]) for name in refusing), None)


def spoil(answer: Answer, faults: Faults) -> Answer:
    """Return ``answer`` as it goes over the line, its effect having happened."""
    if "garbage" in faults:
        return _replaced(answer, _html(200))
    if "empty_answer" in faults:
        return _replaced(answer, Answer(200))
    if "answer_without_id" in faults:
        return _replaced(answer, as_json(200, {"status": "queued"}))
    if "answer_with_number" in faults:
        return _replaced(answer, as_json(200, json.loads(answer.body) | {"job_id": 20261101}))
    if "answer_in_list" in faults:
        return _replaced(answer, as_json(200, [json.loads(answer.body)]))
    if "other_success" in faults:
        answer.status = int(faults["other_success"] or 0)
        # Such an answer has no body, whatever is behind its head (RFC 9110, 204 No Content).
        answer.body = b"" if answer.status == 204 else answer.body
    if "server_error_accepted" in faults:
        status = int(faults["server_error_accepted"] or 0)
        return _replaced(answer, error(status, "Something went wrong."))
    if "gateway_timeout" in faults:
        return _replaced(answer, _html(int(faults["gateway_timeout"] or 0)))
    if "lost_answer" in faults:
        answer.manner = "lost"
    if "cut_answer" in faults:
        answer.manner = "cut"
    for name, manner in (("late_answer", "late"), ("drip", "drip")):
        if name in faults:
            answer.manner = manner
            answer.seconds = float(faults[name] or 0)
    return answer


def _replaced(answer: Answer, other: Answer) -> Answer:
    other.after = answer.after
    return other


def echoed(answer: Answer, secrets: dict[str, str]) -> Answer:
    """Return ``answer`` with secrets in its error text or, without one, in an unknown key."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        return answer
    place = next((key for key in ("error", "message") if isinstance(content.get(key), str)), None)
    if place:
        content[place] += f" {secrets}"
    else:
        content["request"] = secrets
    answer.body = json.dumps(content).encode()
    return answer
