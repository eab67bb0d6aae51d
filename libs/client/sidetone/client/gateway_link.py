"""What happens, as it happens: one WebSocket that is kept up until its owner lets go.

After a drop the session is resumed, and nothing is lost or told twice; where that cannot be, it
begins anew with a snapshot. Tokens are renewed on the way. Knows frames, not what events mean.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal, Protocol, TypeAlias

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from sidetone.client.pinned import Endpoint, WrongKeyError, wrong_server_key
from sidetone.client.requests import EXPIRY_MARGIN_MS
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.events import ClientEvent
from sidetone.protocol.frames import (
    ClientFrame,
    CloseCode,
    Dispatch,
    Heartbeat,
    Hello,
    Identify,
    Ready,
    Renew,
    Resume,
    Resumed,
    ServerFrame,
)
from sidetone.protocol.ids import SessionId
from sidetone.protocol.refusals import (
    Conflict,
    Forbidden,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
)

_log = logging.getLogger(__name__)

Happening: TypeAlias = Ready | ClientEvent
Connection: TypeAlias = Literal["online", "lost"]

# Happenings that wait for their reader; beyond it the server waits, and at last hangs up.
_WAITING_MAX: Final = 1_000
_FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
_OPEN_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 1.0
_PAUSE_SECONDS_MIN: Final = 0.1
_PAUSE_SECONDS_MAX: Final = 10.0
# Without a word for so many heartbeats the connection is dead.
_SILENT_HEARTBEATS: Final = 2.4
_decoder: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)


class Logins(Protocol):
    """Who has the access tokens."""

    async def fresh_login(self, *, refused: LoggedIn | None = None) -> LoggedIn:
        """Return a login whose token is good for a while; *refused* is no such one."""
        ...


class _Numbered(msgspec.Struct, frozen=True):
    """What is understood of an event of a newer server: that there was one."""

    sequence: int


class GatewayLink:
    """The events of one account; *connected* hears how the connection fares."""

    def __init__(
        self,
        endpoint: Endpoint,
        logins: Logins,
        connected: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._url = f"{endpoint.url.replace('http', 'ws', 1)}/gateway"
        self._tls = endpoint.tls or None
        self._logins = logins
        self._connected = connected
        self._session: SessionId | None = None
        self._sequence = 0
        self._refused: LoggedIn | None = None
        self._failures = 0
        self._waiting: asyncio.Queue[Happening | Refusal] = asyncio.Queue(_WAITING_MAX)

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[AsyncIterator[Happening]]:
        """Give what happens while the block runs: a ``Ready`` first, then events.

        Another ``Ready`` may come later: it replaces everything that was known. The iterator
        raises a ``Refusal`` when connecting again would not help.
        """
        keeping = asyncio.create_task(self._keep(), name="gateway")
        try:
            yield self._happenings()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _happenings(self) -> AsyncIterator[Happening]:
        while True:
            happening = await self._waiting.get()
            if isinstance(happening, Refusal):
                raise happening
            yield happening

    async def _keep(self) -> None:
        while True:
            try:
                await self._connect()
            except (Unavailable, RateLimited) as refusal:
                _log.info("the gateway is connected again: %s", refusal.detail)
            except Refusal as refusal:
                self._connected("lost")
                await self._waiting.put(refusal)
                return
            except Exception:
                _log.exception("the gateway is connected again after a fault of this program")
            self._connected("lost")
            pause = min(_PAUSE_SECONDS_MAX, _PAUSE_SECONDS_MIN * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            # Clients that one restart has thrown out do not come back in one moment.
            await asyncio.sleep(pause * (0.5 + secrets.randbelow(1000) / 1000))

    async def _connect(self) -> None:
        """Talk over one connection until it ends. Raises a ``Refusal`` if that is for good."""
        login = await self._logins.fresh_login(refused=self._refused)
        try:
            async with connect(
                self._url,
                ssl=self._tls,
                compression=None,
                ping_interval=None,
                max_size=_FRAME_BYTES_MAX,
                open_timeout=_OPEN_SECONDS,
                close_timeout=_CLOSE_SECONDS,
                proxy=None,
            ) as socket:
                await self._talk(socket, login)
        except WrongKeyError:
            raise wrong_server_key(f"the gateway at {self._url}") from None
        except ConnectionClosed as closed:
            self._judge(closed, login)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise Unavailable("gateway_unreachable", f"no answer from {self._url}") from error

    async def _talk(self, socket: ClientConnection, login: LoggedIn) -> None:
        hello = await _receive(socket, _OPEN_SECONDS)
        if not isinstance(hello, Hello):
            raise Unavailable("gateway_unknown", f"{self._url} does not speak as a gateway does")
        if self._session is None:
            await _send(socket, Identify(login.access_token))
        else:
            await _send(socket, Resume(login.access_token, self._session, self._sequence))
        beating = asyncio.create_task(self._beat(socket, hello.heartbeat_ms / 1000))
        renewing = asyncio.create_task(self._renew(socket, login))
        try:
            while True:
                await self._take(
                    await _receive(socket, hello.heartbeat_ms * _SILENT_HEARTBEATS / 1000)
                )
        finally:
            beating.cancel()
            renewing.cancel()
            await asyncio.gather(beating, renewing, return_exceptions=True)

    async def _take(self, frame: ServerFrame | _Numbered | None) -> None:
        if isinstance(frame, Ready):
            self._session, self._sequence = frame.session, 0
            await self._waiting.put(frame)
        elif isinstance(frame, Dispatch | _Numbered) and frame.sequence > self._sequence:
            if frame.sequence != self._sequence + 1:
                self._session = None
                raise Unavailable("events_missing", "the gateway left out an event")
            self._sequence = frame.sequence
            if isinstance(frame, Dispatch):
                await self._waiting.put(frame.event)
        if frame is not None and not isinstance(frame, Hello):
            self._failures, self._refused = 0, None
        if isinstance(frame, Ready | Resumed):
            self._connected("online")

    async def _beat(self, socket: ClientConnection, every_seconds: float) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(every_seconds)
                await _send(socket, Heartbeat(self._sequence))

    async def _renew(self, socket: ClientConnection, login: LoggedIn) -> None:
        with contextlib.suppress(ConnectionClosed, Refusal):
            while True:
                left_ms = login.expires_at_ms - EXPIRY_MARGIN_MS - time.time_ns() // 1_000_000
                await asyncio.sleep(max(left_ms, 0) / 1000 + 1)
                login = await self._logins.fresh_login()
                await _send(socket, Renew(login.access_token))

    def _judge(self, closed: ConnectionClosed, login: LoggedIn) -> None:
        """Decide from why the gateway hung up how to go on; raise what is final."""
        received = closed.rcvd
        code = received.code if received is not None else None
        detail = received.reason if received is not None else ""
        if code in {CloseCode.SESSION_LOST, CloseCode.RESTARTING}:
            self._session = None
        elif code in {CloseCode.UNAUTHENTICATED, CloseCode.TOKEN_EXPIRED}:
            if self._refused is not None:
                raise Unauthenticated("token_refused", detail or "log in again")
            self._refused = login
        elif code == CloseCode.TOO_MANY_SESSIONS:
            raise Conflict("sessions_too_many", detail)
        elif code in {CloseCode.PROTOCOL_VIOLATION, CloseCode.ORIGIN_REFUSED}:
            raise Forbidden("gateway_refused", detail)


async def _send(socket: ClientConnection, frame: ClientFrame) -> None:
    await socket.send(msgspec.json.encode(frame), text=True)


async def _receive(
    socket: ClientConnection, within_seconds: float
) -> ServerFrame | _Numbered | None:
    """Return the next frame; None for one that only a newer client understands."""
    async with asyncio.timeout(within_seconds):
        text = await socket.recv(decode=False)
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(text, type=_Numbered)
        return None
