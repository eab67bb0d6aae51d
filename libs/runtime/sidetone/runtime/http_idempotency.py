"""The same ``Idempotency-Key`` on a POST is the same request: who lost the answer gets it again.

The answer is kept for a day, bound to the caller, the route and the body. While the first is on
its way a second is refused; a key with another body is a mistake worth telling. Only answers that
settle the matter are kept: after a 5xx, or a refusal for coming too fast, the request may be tried
anew under its old key. Without the store such a request is refused: doing it twice is what the
client asked us to prevent.
"""

import hashlib
import re

import msgspec
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPRequestEvent,
    HTTPScope,
    Message,
    Receive,
    Send,
    WebSocketReceiveMessage,
)

from sidetone.protocol.refusals import Conflict, Invalid, Refusal
from sidetone.runtime.callers import Caller
from sidetone.runtime.clock import Clock
from sidetone.runtime.http_problems import BODY_BYTES_MAX, status_of
from sidetone.runtime.http_requests import whole_body
from sidetone.runtime.limits import Limiter
from sidetone.runtime.openapi import PROBLEM_MEDIA_TYPE
from sidetone.storage import KeyValue

_KEPT_SECONDS = 24 * 3600.0
# Longer than any request takes; after a crash the key is free again.
_RUNNING_SECONDS = 60.0
_KEY = re.compile(rb"[\x21-\x7e]{1,128}")
_KEPT_HEADERS = frozenset({b"content-type", b"etag", b"location"})
_SETTLED_BELOW = 500
_TOO_FAST = 429


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What the store holds: whose attempt it is, and the answer once there is one."""

    attempt: str
    body_hash: bytes
    status: int = 0
    headers: list[tuple[bytes, bytes]] = []
    body: bytes = b""


class Replays:
    """Answers that are kept for those who ask again."""

    def __init__(self, store: KeyValue, limiter: Limiter, clock: Clock) -> None:
        self._store = store
        self._limiter = limiter
        self._clock = clock

    async def serve(
        self, app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send, key: bytes
    ) -> None:
        """Let *app* answer, or answer what it answered before."""
        if not _KEY.fullmatch(key):
            raise Invalid(
                "idempotency_key_invalid", "use 1 to 128 visible ASCII characters as the key"
            )
        body = await whole_body(receive, BODY_BYTES_MAX)
        caller: Caller = scope["user"]
        place = _place(caller, scope, key)
        mine = _Kept(str(self._clock.new_id()), hashlib.sha256(body).digest())
        held = await self._claim(place, mine, caller)
        if held.attempt != mine.attempt:
            await _repeat(held, mine, send)
            return
        answer = _Recorder(send)
        try:
            await app(scope, _replaying(body, receive), answer.send)
        except Refusal as refusal:
            answer.note(refusal)
            raise
        finally:
            if 0 < answer.status < _SETTLED_BELOW and answer.status != _TOO_FAST:
                await self._store.put(place, _encode(answer.kept(mine)), _KEPT_SECONDS)
            else:
                await self._store.remove(place)

    async def _claim(self, place: str, mine: _Kept, caller: Caller) -> _Kept:
        present = await self._store.get(place)
        if present is None:
            await self._limiter.take(str(caller.user))
            present = await self._store.put_if_absent(place, _encode(mine), _RUNNING_SECONDS)
        return msgspec.msgpack.decode(present, type=_Kept)


class _Recorder:
    """Passes an answer on and remembers it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = [pair for pair in message["headers"] if pair[0] in _KEPT_HEADERS]
        elif message["type"] == "http.response.body":
            self._body.append(message["body"])
        await self._send(message)

    def note(self, refusal: Refusal) -> None:
        """Remember an answer that others will send."""
        self.status = status_of(refusal)
        self._headers = [(b"content-type", PROBLEM_MEDIA_TYPE.encode())]
        self._body = [msgspec.json.encode(refusal.problem())]

    def kept(self, mine: _Kept) -> _Kept:
        return msgspec.structs.replace(
            mine, status=self.status, headers=self._headers, body=b"".join(self._body)
        )


async def _repeat(held: _Kept, mine: _Kept, send: Send) -> None:
    if held.body_hash != mine.body_hash:
        raise Invalid(
            "idempotency_key_reused", "this key came with another body; use a new key for it"
        )
    if held.status == 0:
        raise Conflict(
            "request_running", "the same request is still on its way; ask again in a moment"
        )
    length = (b"content-length", str(len(held.body)).encode())
    headers = [*held.headers, length, (b"idempotency-replayed", b"true")]
    await send({"type": "http.response.start", "status": held.status, "headers": headers})
    await send({"type": "http.response.body", "body": held.body, "more_body": False})


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives *body* once, and then what comes from the peer."""
    unread = [body]

    async def receive_again() -> HTTPReceiveMessage | WebSocketReceiveMessage:
        if not unread:
            return await receive()
        return HTTPRequestEvent(type="http.request", body=unread.pop(), more_body=False)

    return receive_again


def _place(caller: Caller, scope: HTTPScope, key: bytes) -> str:
    where = f"{scope['method']} {scope['path']}?".encode() + scope["query_string"]
    digest = hashlib.sha256(where + b"\n" + key).hexdigest()
    return f"idempotency:{caller.user}:{digest}"


def _encode(kept: _Kept) -> bytes:
    return msgspec.msgpack.encode(kept)
