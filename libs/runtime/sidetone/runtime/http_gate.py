"""Who gets in to a route: tokens, scopes, the deny-list, general limits, the kind of body.

It stands between the routing and the handler, so that a route says what it wants where it is
declared: by naming ``user`` or ``caller``, and by the options ``scope="manage"`` (what a bot needs
for it), ``privileged=True`` (a login that has ended must not get in, not even for a second) and
``unlimited=True`` (probes).

The general limits are this process's own and cost no I/O: they keep a flood from hurting others.
What must hold over all processes has a limit of its own in its use case.
"""

import msgspec
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from sidetone.credentials.tokens import DEFAULT_POLICY, TokenPolicy
from sidetone.protocol.refusals import Forbidden
from sidetone.runtime.addresses import limited_as
from sidetone.runtime.callers import Caller, Callers
from sidetone.runtime.clock import Clock
from sidetone.runtime.floods import FloodGuard
from sidetone.runtime.http_idempotency import Replays
from sidetone.runtime.http_lane import Lane
from sidetone.runtime.limits import Limit

EVERYTHING = "api"
_NO_CONTENT = 204
_WRITES = frozenset({"POST", "PUT", "PATCH"})
_JSON = b"application/json"


class HttpPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What may differ between two deployments of the HTTP layer.

    *per_address* counts those whom no token tells apart. *cors_origins* are the web pages that may
    use the interface from a browser.
    """

    tokens: TokenPolicy = DEFAULT_POLICY
    per_caller: Limit = Limit(count=100, period_ms=2_000)
    per_address: Limit = Limit(count=100, period_ms=5_000)
    repeatable_per_caller: Limit = Limit(count=120, period_ms=3_600_000)
    cors_origins: list[str] = []


DEFAULT = HttpPolicy()


class Rules(msgspec.Struct, frozen=True):
    """What a route asks of whoever comes to it."""

    caller: bool
    scope: str
    privileged: bool
    limited: bool
    json: bool
    repeatable: bool


def rules_of(handler: HTTPRouteHandler, path: str) -> Rules:
    """Return the rules of the route that *handler* serves at *path*."""
    named = handler.parsed_fn_signature.parameters
    wants_caller = "caller" in named or "user" in named
    privileged = bool(handler.opt.get("privileged"))
    return Rules(
        caller=wants_caller,
        scope=str(handler.opt.get("scope") or _usual_scope(handler, path)),
        privileged=privileged,
        limited=not handler.opt.get("unlimited"),
        json="data" in named,
        # The answer of a privileged route may be a secret, which nothing keeps.
        repeatable=wants_caller and not privileged and "POST" in handler.http_methods,
    )


def _usual_scope(handler: HTTPRouteHandler, path: str) -> str:
    if path.startswith("/voice/"):
        return "voice"
    return "read" if "GET" in handler.http_methods else "write"


class Entry:
    """What all gates of one application share."""

    def __init__(self, callers: Callers, clock: Clock, policy: HttpPolicy) -> None:
        # The methods of each path: the framework forgets some where handlers share a path.
        self.methods: dict[str, str] = {}
        self._callers = callers
        self._per_caller = FloodGuard(policy.per_caller, clock)
        self._per_address = FloodGuard(policy.per_address, clock)

    def admit_stranger(self, scope: HTTPScope) -> None:
        """Count a request without a known token. Raises ``RateLimited``."""
        client = scope["client"]
        self._per_address.take(limited_as(client[0] if client else ""))

    async def admit(self, scope: HTTPScope, authorization: bytes | None, rules: Rules) -> Caller:
        """Return who asks, if they may come in. Raises the refusal if they may not."""
        header = None if authorization is None else authorization.decode("latin-1")
        caller = None if header is None else self._callers.known(header)
        if caller is None:
            self.admit_stranger(scope)
            caller = await self._callers.recognise(header)
        self._per_caller.take(caller.user)
        if EVERYTHING not in caller.scopes and rules.scope not in caller.scopes:
            raise Forbidden(
                "scope_missing", f'this takes a token with the scope "{rules.scope}"; make one'
            )
        if rules.privileged:
            await self._callers.require_live(caller)
        return caller


class Gate:
    """Stands before one handler."""

    def __init__(self, app: ASGIApp, entry: Entry, replays: Replays) -> None:
        self._app = app
        self._entry = entry
        self._replays = replays
        self._rules: Rules | None = None
        self._serve = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or raise why not."""
        handler = scope["route_handler"]
        if scope["type"] != "http" or not isinstance(handler, HTTPRouteHandler):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await _tell_methods(self._entry.methods[str(scope["path_template"])], send)
            return
        rules = self._rules or self._learn(handler, scope)
        authorization, media_type, key = _headers(scope)
        if rules.caller:
            scope["user"] = await self._entry.admit(scope, authorization, rules)
        elif rules.limited:
            self._entry.admit_stranger(scope)
        if rules.json and scope["method"] in _WRITES and not _is_json(media_type):
            raise HTTPException(status_code=415)
        if key is None or not rules.repeatable:
            await self._serve(scope, receive, send)
        else:
            await self._replays.serve(self._serve, scope, receive, send, key)

    def _learn(self, handler: HTTPRouteHandler, scope: HTTPScope) -> Rules:
        self._rules = rules_of(handler, str(scope["path_template"]))
        if Lane.fits(handler):
            self._serve = Lane(handler, frozenset(scope["path_params"])).serve
        return self._rules


async def _tell_methods(methods: str, send: Send) -> None:
    headers = [(b"allow", methods.encode())]
    await send({"type": "http.response.start", "status": _NO_CONTENT, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _headers(scope: HTTPScope) -> tuple[bytes | None, bytes | None, bytes | None]:
    authorization = media_type = key = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value
        elif name == b"content-type":
            media_type = value
        elif name == b"idempotency-key":
            key = value
    return authorization, media_type, key


def _is_json(media_type: bytes | None) -> bool:
    """Tell whether the body is JSON; without a media type it is taken for it."""
    return media_type is None or media_type.partition(b";")[0].strip().lower() == _JSON
