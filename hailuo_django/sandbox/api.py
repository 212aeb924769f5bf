"""The four operations of the job API: requests in, answers out, and everything remembered."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import contract
from .answers import Answer, as_json, echoed, error, refusal, spoil
from .contract import GENERATE_PATH, JOBS_PATH, RefusedError
from .faults import CANCEL, GENERATE, GET, LIST, Faults, Mischief, lasting, read_prompt
from .jobs import SandboxJob, iso
from .upstream import Upstream

_JOB = re.compile(rf"{JOBS_PATH}/([^/]+)")
_KEPT_HEADERS = ("accept", "connection", "content-type", "user-agent", "x-webhook-url")


@dataclass
class Request:
    """One request as it arrived. Header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    client_port: int = 0


@dataclass
class Exchange:
    """A request to the API that arrived, and the status answered (None: not, or not yet)."""

    method: str
    path: str
    status: int | None = None


@dataclass
class Post(Exchange):
    """A request for a video that arrived, whatever became of it. The token is not kept."""

    body: Any = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    authorized: bool = False
    client_port: int = 0
    job_id: str | None = None


class Api:
    """Answers requests as Krea does, and misbehaves as asked."""

    def __init__(self, upstream: Upstream, mischief: Mischief, token: str) -> None:
        self.upstream = upstream
        self.mischief = mischief
        self.token = token
        self.base_url = ""
        self.exchanges: list[Exchange] = []

    def handle(self, request: Request) -> Answer:
        """Answer a request; the effect has happened when this returns."""
        exchange = self._arrived(request)
        try:
            answer = self._answer(request, exchange)
        except RefusedError as refused:
            answer = error(400, str(refused))
        exchange.status = None if answer.manner == "lost" else answer.status or None
        self.upstream.touch()
        return answer

    def _arrived(self, request: Request) -> Exchange:
        exchange = Exchange(request.method, request.path)
        if (request.method, request.path) == ("POST", GENERATE_PATH):
            kept = {
                name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers
            }
            exchange = Post(
                request.method,
                request.path,
                body=_body(request.body),
                headers=kept,
                authorized=self._authorized(request),
                client_port=request.client_port,
            )
        self.exchanges.append(exchange)
        self.upstream.touch()
        return exchange

    def _authorized(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode())

    def _answer(self, request: Request, exchange: Exchange) -> Answer:
        # Documented: a bearer token on everything, 401 without it. Inferred: that is looked at
        # first.
        if not self._authorized(request):
            return error(401, "Unauthorized")
        if isinstance(exchange, Post):
            return self._generate(request, exchange)
        if (request.method, request.path) == ("GET", JOBS_PATH):
            query = contract.read_list_query(request.query)
            return self._perform(request, LIST, {}, lambda _: self._list(query))
        found = _JOB.fullmatch(request.path)
        operation = {"GET": GET, "DELETE": CANCEL}.get(request.method)
        job = self.upstream.jobs.get(found[1]) if found else None
        if job is None or operation is None:
            # Documented: 404 for what is unknown, or not yours.
            return error(404, "Not found")
        act = self._get if operation == GET else self._cancel
        stays: Faults = {
            name: job.faults[name] for name in ("missing", "echo") if name in job.faults
        }
        return self._perform(request, operation, stays, lambda _: act(job))

    def _perform(
        self, request: Request, operation: str, own: Faults, act: Callable[[Faults], Answer]
    ) -> Answer:
        with self.upstream.changed:
            faults = own | self.mischief.take(operation)
        if not self.upstream.clock.sleep(float(faults.get("late_request") or 0)):
            return Answer(0, manner="lost")
        answer = refusal(faults, operation) or spoil(act(faults), faults)
        if "echo" in faults:
            answer = echoed(answer, _secrets(request))
        return answer

    def _generate(self, request: Request, post: Post) -> Answer:
        body = contract.check_body(contract.read_json(request.body))
        webhook_url = request.headers.get("x-webhook-url")
        contract.check_webhook_url(webhook_url)
        own = self.mischief.always | read_prompt(body["prompt"])

        def act(faults: Faults) -> Answer:
            job = SandboxJob(body, webhook_url, self.base_url, lasting(faults), self.upstream.clock)
            if "echo" in faults:
                job.extra = {"request": _secrets(request)}
            post.job_id = job.id
            return self._accept(job)

        return self._perform(request, GENERATE, own, act)

    def _accept(self, job: SandboxJob) -> Answer:
        # Documented: 200 with the pending job. No idempotency key exists: every POST is another
        # job.
        pending = job.as_json()
        self.upstream.create(job)
        told = self.upstream.enter(job, job.fate) if job.ends_early else []
        answer = as_json(200, job.as_json() if job.ends_at_once else pending)
        if "early_webhook" in job.faults:
            # Inferred: nothing orders the answer of the POST and the webhook.
            self.upstream.deliver(job, told)
        elif job.ends_at_once:
            answer.after = lambda: self.upstream.announce(job, told)
        else:
            answer.after = lambda: self.upstream.start(job)
        return answer

    def _get(self, job: SandboxJob) -> Answer:
        with self.upstream.changed:
            return as_json(200, job.as_json())

    def _cancel(self, job: SandboxJob) -> Answer:
        self.upstream.cancel(job)
        # Documented: 200, without a body schema. So there is no body.
        return Answer(200)

    def _list(self, query: contract.ListQuery) -> Answer:
        with self.upstream.changed:
            jobs, more = self.upstream.listed(query)
            items = [job.as_json() for job in jobs]
        # Documented: items and next_cursor, null on the last page.
        cursor = iso(jobs[-1].created_at) if more else None
        return as_json(200, {"items": items, "next_cursor": cursor})


def _body(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _secrets(request: Request) -> dict[str, str]:
    return {
        "authorization": request.headers.get("authorization", ""),
        "webhook_url": request.headers.get("x-webhook-url", ""),
    }
