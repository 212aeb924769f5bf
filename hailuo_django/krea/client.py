"""The one place that asks Krea for something (Krea documentation, API reference).

Nothing is ever repeated here: each method performs one request and says how it ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from hailuo_django import __version__

from .answers import (
    deprecation,
    is_success,
    no_answer,
    refusal,
    server_time,
    unclear,
    unreadable,
)
from .deadline import Exchange
from .errors import AccountProblem, NotFound, NotSent
from .text import Redact, Secret, redactor
from .transport import Answer, NoAnswer, Request, new_session, perform
from .wire import (
    GENERATE_PATH,
    JobPage,
    JobReport,
    Unreadable,
    is_job_id,
    read_job,
    read_page,
)

MAX_JOB_BYTES = 1024 * 1024
MAX_PAGE_BYTES = 8 * 1024 * 1024

_HEADERS = {
    "User-Agent": f"hailuo_django/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
_HEADER_VALUE = re.compile(r"[\x21-\x7e]*")


class _Bearer(AuthBase):
    """A header would be replaced by an entry in .netrc; an auth object is not."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r

    def __repr__(self) -> str:
        return "<bearer token>"


class KreaClient:
    """Asks Krea with one API token; a few threads may share it. A context manager.

    ``timeout_seconds`` is the total for one request, dripped answers included; connecting gets
    at most 5 of them. ``connections`` are kept open for GET and DELETE; ``generate`` always
    opens its own, because a stale one is the commonest way to lose an answer.

    An answer may repeat our secrets; the API token and the webhook URL are taken out of all
    that is kept, and so is what has the shape of ``webhook_token``.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: str,
        timeout_seconds: float = 30,
        connections: int = 1,
        keep_alive: bool = True,
        webhook_token: re.Pattern[str] | None = None,
    ) -> None:
        token = Secret(token)  # a report of the errors below shows the variables of this frame
        if not _HEADER_VALUE.fullmatch(token):
            raise ValueError("The API token holds characters that no HTTP header may hold.")
        if not _is_origin(base_url):
            raise ValueError("The base URL is no plain http or https address.")
        if not timeout_seconds > 0:
            raise ValueError("The timeout must be more than 0 seconds.")
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._timeout_seconds = float(timeout_seconds)
        self._keep_alive = keep_alive
        self._webhook_token = webhook_token
        self._session = new_session(connections, _HEADERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def generate(
        self,
        body: Mapping[str, object],
        *,
        webhook_url: str | None = None,
        before_write: Callable[[], None] | None = None,
    ) -> JobReport:
        """Order a video, at most once. Raises ``KreaError``.

        ``before_write`` runs in this thread when the connection stands and before a byte of the
        request is written; if it raises, nothing is written, and ``NotSent`` has it as cause.
        """
        redact = self._redactor(webhook_url or "")
        headers = {"Content-Type": "application/json"}
        if webhook_url:
            headers["X-Webhook-URL"] = webhook_url
        usable = _HEADER_VALUE.fullmatch(webhook_url or "") is not None
        data = json.dumps(body, allow_nan=False).encode()
        request = self._request("POST", GENERATE_PATH, data=data, headers=headers)
        del webhook_url, headers  # error mails show the variables of each frame
        if not usable:
            raise NotSent("The webhook URL holds characters that no HTTP header may hold.")
        answer = self._answer(request, redact, before_write=before_write)
        return _job(answer, posting=True, redact=redact)

    def get(self, krea_job_id: str) -> JobReport:
        """Look at one job, in Krea's spelling. Raises ``KreaError``, ``NotFound`` among them."""
        redact = self._redactor()
        answer = self._answer(self._request("GET", _job_path(krea_job_id)), redact)
        report = _job(answer, posting=False, redact=redact)
        if report.krea_job_id.casefold() != krea_job_id.casefold():
            raise unclear("The answer is about another job.", posting=False, status=answer.status)
        return report

    def list(
        self, *, cursor: str | None = None, limit: int = 100, status: str | None = None
    ) -> JobPage:
        """Look at one page of the account's jobs, newest first. Raises ``KreaError``.

        ``cursor`` is a time: the page has jobs created before it; ``limit`` is 1 to 1000.
        """
        redact = self._redactor()
        wanted = {"limit": str(limit), "cursor": cursor, "status": status}
        params = {name: value for name, value in wanted.items() if value is not None}
        request = self._request("GET", "/jobs", params=params, max_answer_bytes=MAX_PAGE_BYTES)
        answer = self._answer(request, redact)
        try:
            page = read_page(answer.body, redact=redact)
        except Unreadable as error:
            reason = str(error)
        else:
            return replace(page, server_time=server_time(answer.headers))
        raise unreadable(answer, reason, posting=False, redact=redact)

    def cancel(self, krea_job_id: str) -> None:
        """Ask Krea to stop a job; a later ``get`` tells the outcome. Raises ``KreaError``."""
        self._answer(self._request("DELETE", _job_path(krea_job_id)), self._redactor())

    def _redactor(self, webhook_url: str = "") -> Redact:
        return redactor(self._token, webhook_url, self._webhook_token)

    def _request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_answer_bytes: int = MAX_JOB_BYTES,
    ) -> Request:
        return Request(
            method=method,
            url=self._base_url + path,
            max_answer_bytes=max_answer_bytes,
            data=data,
            params=params,
            headers=headers or {},
            auth=_Bearer(self._token),
        )

    def _answer(
        self,
        request: Request,
        redact: Redact,
        *,
        before_write: Callable[[], None] | None = None,
    ) -> Answer:
        """Perform the request and return a success; raise what anything else means."""
        if not self._token:
            raise AccountProblem("There is no API token.")
        posting = request.method == "POST"
        outcome = self._perform(request, Exchange(self._timeout_seconds, before_write))
        if isinstance(outcome, NoAnswer):
            raise no_answer(outcome, posting=posting, redact=redact) from outcome.refusal
        if not is_success(outcome):
            raise refusal(outcome, posting=posting, redact=redact)
        return outcome

    def _perform(self, request: Request, exchange: Exchange) -> Answer | NoAnswer:
        if self._keep_alive and request.method != "POST":
            return perform(self._session, request, exchange)
        with new_session(1, {**_HEADERS, "Connection": "close"}) as session:
            return perform(session, request, exchange)


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return parts.scheme in ("http", "https") and named and plain


def _job_path(krea_job_id: str) -> str:
    if not is_job_id(krea_job_id):
        raise NotFound("This cannot be the id of a job.")
    return f"/jobs/{quote(krea_job_id, safe='')}"


def _job(answer: Answer, *, posting: bool, redact: Redact) -> JobReport:
    try:
        report = read_job(answer.body, redact=redact)
    except Unreadable as error:
        reason = str(error)
    else:
        return replace(report, deprecation=deprecation(answer.headers, redact))
    raise unreadable(answer, reason, posting=posting, redact=redact)
