"""Performs one HTTP request: no retry, no redirect, no cookie, no .netrc, one total deadline."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from .deadline import Exchange, Stopped

CHUNK_BYTES = 16 * 1024
# How far the socket's own limit for a read stays behind the exchange's. Python throws away what
# it had read when that limit comes first, as it may where the machine is busy.
BEHIND_SECONDS = 5.0

_exchange: ContextVar[Exchange] = ContextVar("hailuo_django_exchange")


@dataclass(frozen=True)
class Request:
    """What to send. Its repr shows no header, so that no error report does."""

    method: str
    url: str
    max_answer_bytes: int
    data: bytes | None = None
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: requests.auth.AuthBase | None = None


@dataclass(frozen=True)
class Answer:
    """A status line came back. ``body`` is what arrived in time, up to the size limit."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class NoAnswer:
    """None came back. ``written`` tells whether Krea may have seen the request."""

    reason: str
    written: bool
    refusal: Exception | None = None


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        super().begin()
        # urllib3 logs what it could not parse of the headers, where a gateway may echo ours.
        self.msg.defects.clear()
        self.msg.set_payload("")


class _Connection(HTTPConnection):
    """Shows its socket to the exchange, and asks it before the first byte."""

    response_class = _Response

    def _new_conn(self) -> socket.socket:
        exchange = _exchange.get()
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error
        reason = "the name has no address"
        for family, kind, protocol, _, address in found:
            try:
                return self._open(exchange, socket.socket(family, kind, protocol), address)
            except OSError as error:
                reason = str(error)
        raise NewConnectionError(self, reason)

    def _open(self, exchange: Exchange, connection: socket.socket, address: Any) -> socket.socket:
        try:
            for option in self.socket_options or ():
                connection.setsockopt(*option)
            # One limit for all addresses together, not one for each.
            connection.settimeout(exchange.seconds_to_connect())
            connection.connect(address)
            exchange.watch(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        exchange = _exchange.get()
        if self.sock is None:
            self.connect()
        exchange.watch(self.sock)
        self.sock.settimeout(exchange.begin_writing())
        super().request(*args, **kwargs)


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        if not proxy.lower().startswith(("http://", "https://")):
            # Its connections would not be ours, and so under no deadline.
            raise requests.exceptions.InvalidProxyURL("only HTTP proxies are supported")
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, ever: requests reads a redirect's body without a limit to prepare the next."""


def new_session(connections: int, headers: Mapping[str, str]) -> requests.Session:
    """Return a session of ours; it keeps up to ``connections`` connections open."""
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(headers)
    adapter = _Adapter(pool_connections=1, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def perform(session: requests.Session, request: Request, exchange: Exchange) -> Answer | NoAnswer:
    """Send ``request`` at most once. Never raises: what went wrong is in the outcome.

    The exceptions of requests and urllib3 hold the request and its headers; none leaves here.
    """
    token = _exchange.set(exchange)
    try:
        exchange.start()
        return _send(session, request, exchange)
    except Exception as error:  # anything else let through would look as if it were not sent
        reason = _reason(error, exchange)
        return NoAnswer(reason, exchange.written, exchange.refusal)
    finally:
        exchange.close()
        _exchange.reset(token)


def _send(session: requests.Session, request: Request, exchange: Exchange) -> Answer:
    with session.request(
        request.method,
        request.url,
        params=request.params,
        data=request.data,
        headers=request.headers,
        auth=request.auth,
        stream=True,
        allow_redirects=False,
        timeout=(exchange.seconds_to_connect(), exchange.seconds + BEHIND_SECONDS),
    ) as response:
        body = _read(response, request.max_answer_bytes)
        return Answer(response.status_code, response.headers, body)


def _read(response: requests.Response, limit: int) -> bytes:
    """Return what arrives; a cut body is judged by whether it can be read."""
    response.raw.enforce_content_length = False
    body = bytearray()
    try:
        for chunk in response.iter_content(CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                break
    except (requests.RequestException, OSError):
        pass
    return bytes(body[:limit])


def _reason(error: BaseException, exchange: Exchange) -> str:
    """The innermost cause in words: the outer ones name addresses and objects, not reasons."""
    if exchange.expired:
        return exchange.late
    if isinstance(error, Stopped):
        return str(error)
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error}"
