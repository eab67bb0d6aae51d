"""HTTP manners shared by all services: ids on requests, refusals as Problems, tokens as users.

``app_of`` is the one place that makes an application out of routes. What is not a refusal is a
bug: it is logged with its traceback and the peer gets an empty 500.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import TypeAlias

import msgspec
import structlog
from litestar import Litestar, Response, get
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

from sidetone.credentials.tokens import DEFAULT_POLICY, TokenPolicy
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from sidetone.runtime.callers import Caller, Callers
from sidetone.runtime.clock import Clock
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.metrics import REQUEST_SECONDS, REQUESTS, exposition
from sidetone.runtime.surroundings import Surroundings

Check: TypeAlias = Callable[[], Awaitable[None]]

BODY_BYTES_MAX = 64 * 1024

_STATUS: Mapping[type[Refusal], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    RateLimited: 429,
    Unavailable: 503,
}
_BUG = 500
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What the framework finds wrong by itself, before a use case runs.
_PROBLEMS: Mapping[int, Problem] = {
    404: Problem("not_found", "route_unknown", "there is nothing at this path; check the URL"),
    405: Problem("invalid", "method_not_allowed", "this path does not take this method"),
    413: Problem("invalid", "body_too_large", f"send at most {BODY_BYTES_MAX} bytes"),
}
_MALFORMED = Problem(
    "invalid",
    "malformed",
    "the request cannot be read; send it as this version of the interface defines it",
)
_log = structlog.get_logger(__name__)


def app_of(
    routers: Sequence[ControllerRouterHandler],
    *,
    around: Surroundings,
    tokens: TokenPolicy = DEFAULT_POLICY,
    ready: Sequence[Check] = (),
) -> ASGIApp:
    """Return the application that serves *routers*, with the manners of every service.

    A handler that names a parameter ``user`` (``UserId``) or ``caller`` (``Caller``) can only be
    reached with a valid token. *ready* are checks that raise while a dependency is down.
    """
    callers = Callers(around.bus, around.clock, tokens)

    async def caller_of(request: AnyRequest) -> Caller:
        return await callers.recognise(request.headers.get("authorization"))

    async def user_of(caller: Caller) -> UserId:
        return caller.user

    app = Litestar(
        [*routers, *_probes(ready)],
        dependencies={"caller": Provide(caller_of), "user": Provide(user_of)},
        exception_handlers={
            Refusal: _refuse,
            HTTPException: _reject,
            # The framework lets this one through for a body that is not UTF-8.
            UnicodeDecodeError: _misread,
            Exception: _confess,
        },
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )
    return _Manners(app, around.clock)


class _Manners:
    """Gives each request an id that its log lines and its answer carry, and counts it."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(self._clock.new_id())
        started = time.perf_counter()
        status = _BUG

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableScopeHeaders(message)
                headers["x-request-id"] = request_id
                headers["x-content-type-options"] = "nosniff"
                headers["cache-control"] = "no-store"
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            await self._app(scope, receive, send_with_id)
        route = str(scope.get("path_template") or "unknown")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        REQUESTS.labels(method, route, str(status)).inc()
        REQUEST_SECONDS.labels(route).observe(time.perf_counter() - started)


def _probes(ready: Sequence[Check]) -> list[ControllerRouterHandler]:
    @get("/livez", media_type="text/plain")
    async def livez() -> str:
        return "alive"

    @get("/readyz", media_type="text/plain")
    async def readyz() -> str:
        for check in ready:
            await check()
        return "ready"

    @get("/metrics", media_type="text/plain")
    async def metrics(request: AnyRequest) -> bytes:
        # Scrapers live beside the process; to the rest of the world the path does not exist.
        if request.client is None or not ip_address(request.client.host).is_private:
            raise NotFoundException
        return exposition()

    return [livez, readyz, metrics]


def _refuse(_: AnyRequest, refusal: Refusal) -> Response[bytes]:
    problem = refusal.problem()
    headers: dict[str, str] = {}
    if problem.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, round(problem.retry_after_seconds)))
    if isinstance(refusal, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    return _answer(problem, _STATUS[type(refusal)], headers)


def _reject(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    if error.status_code >= _BUG:
        return _confess(request, error)
    return _answer(_PROBLEMS.get(error.status_code, _MALFORMED), error.status_code, {})


def _misread(_: AnyRequest, __: UnicodeDecodeError) -> Response[bytes]:
    return _answer(_MALFORMED, 400, {})


def _confess(request: AnyRequest, error: Exception) -> Response[bytes]:
    _log.error("request_failed", method=request.method, exc_info=error)
    return Response(b"", status_code=_BUG)


def _answer(problem: Problem, status: int, headers: dict[str, str]) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )
