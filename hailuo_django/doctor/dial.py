"""One POST as a stranger on the Internet would make it: no redirect, one total deadline."""

from __future__ import annotations

from hailuo_django import __version__
from hailuo_django.krea.deadline import Exchange
from hailuo_django.krea.transport import Answer, NoAnswer, Request, new_session, perform

SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024

_HEADERS = {
    "User-Agent": f"hailuo_django/{__version__} doctor",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


def post(url: str, body: bytes) -> Answer | NoAnswer:
    """Send ``body`` as JSON to ``url``. Takes at most ``SECONDS`` and never raises."""
    request = Request(
        method="POST",
        url=url,
        max_answer_bytes=MAX_ANSWER_BYTES,
        data=body,
        headers={"Content-Type": "application/json"},
    )
    with new_session(1, _HEADERS) as session:
        # Neither this machine's proxy, nor its .netrc, nor its own certificate authorities.
        session.trust_env = False
        exchange = Exchange(SECONDS)
        outcome = perform(session, request, exchange)
    # A status line in time is no answer where the rest was dripped until the end of it.
    return NoAnswer(exchange.late, exchange.written) if exchange.expired else outcome
