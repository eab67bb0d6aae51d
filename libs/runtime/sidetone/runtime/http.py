"""HTTP manners shared by all services: ids on requests, refusals as Problems, tokens as users.

``app_of`` is the one place that makes an application out of routes. What is not a refusal is a
bug: it is logged with its traceback and the peer gets an empty 500.
"""

from collections.abc import Sequence

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, ControllerRouterHandler

from sidetone.protocol.ids import UserId
from sidetone.runtime.callers import Caller, Callers
from sidetone.runtime.http_gate import DEFAULT, Entry, Gate, HttpPolicy
from sidetone.runtime.http_idempotency import Replays
from sidetone.runtime.http_manners import Manners
from sidetone.runtime.http_probes import Check, probes
from sidetone.runtime.http_problems import BODY_BYTES_MAX, exception_handlers
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.limits import Limiter
from sidetone.runtime.openapi_document import document_of
from sidetone.runtime.surroundings import Surroundings


def app_of(
    routers: Sequence[ControllerRouterHandler],
    *,
    around: Surroundings,
    policy: HttpPolicy = DEFAULT,
    ready: Sequence[Check] = (),
) -> ASGIApp:
    """Return the application that serves *routers*, with the manners of every service.

    A handler that names a parameter ``user`` (``UserId``) or ``caller`` (``Caller``) can only be
    reached with a valid token. *ready* are checks that raise while a dependency is down.
    """
    entry = Entry(Callers(around, policy.tokens), around.clock, policy)
    limiter = Limiter(around.store, "idempotency", policy.repeatable_per_caller)
    replays = Replays(around.store, limiter, around.clock)

    def gate(app: ASGIApp) -> ASGIApp:
        return Gate(app, entry, replays)

    app = Litestar(
        [*routers, *probes(ready, lambda: document_of(app.routes))],
        dependencies={
            "caller": Provide(_caller_of, sync_to_thread=False),
            "user": Provide(_user_of, sync_to_thread=False),
        },
        middleware=[gate],
        exception_handlers=exception_handlers(),
        request_max_body_size=BODY_BYTES_MAX,
        cors_config=_cors(policy.cors_origins),
        openapi_config=None,
        logging_config=None,
    )
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            head = {"HEAD"} if "GET" in route.methods else set[str]()
            entry.methods[route.path_format] = ", ".join(sorted({*route.methods, *head}))
    return Manners(app, around.clock)


def _caller_of(request: AnyRequest) -> Caller:
    """Return whom the gate recognised: it reads the same parameters of the same handler."""
    caller: Caller = request.scope["user"]
    return caller


def _user_of(request: AnyRequest) -> UserId:
    return _caller_of(request).user


def _cors(origins: list[str]) -> CORSConfig | None:
    """Return what browsers on *origins* may do; no page may do anything by default."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type", "if-match", "idempotency-key"],
        expose_headers=["etag", "retry-after", "x-request-id"],
        max_age=600,
    )
