"""The door of the gateway: all sockets of this process, their deadlines, and their end.

It is what uvicorn makes a protocol from for each connection that asks for a WebSocket.
"""

import asyncio
from collections import Counter
from typing import Any, Final

import structlog
import uvicorn
from uvicorn.server import ServerState

from sidetone.gateway.application.hub import Hub
from sidetone.gateway.domain.policy import Policy
from sidetone.gateway.domain.session import Session
from sidetone.gateway.domain.wheel import SLOT_MS, Wheel
from sidetone.gateway.interface.reception import Reception
from sidetone.gateway.interface.ticks import Ticks
from sidetone.gateway.interface.websocket import Socket
from sidetone.protocol.frames import ClientFrame, CloseCode
from sidetone.protocol.refusals import Unavailable

_GOODBYE_SECONDS: Final = 0.2
_log = structlog.get_logger(__name__)


class Door:
    """Makes a ``Socket`` for each client, and looks after all of them."""

    def __init__(self, hub: Hub, reception: Reception, ticks: Ticks, policy: Policy) -> None:
        self.policy = policy
        self._hub = hub
        self._reception = reception
        self._ticks = ticks
        self._sockets: set[Socket] = set()
        self._greeting: Counter[str] = Counter()
        # When to look at them again, and for those that are full how much they held.
        self._full: dict[Socket, tuple[int, int]] = {}
        self._closing: dict[Socket, int] = {}
        self._due: Wheel[Socket] = Wheel(ticks.now_ms())
        self._detached: Wheel[Session] = Wheel(ticks.now_ms())
        self._is_open = False
        self._all_gone = asyncio.Event()
        # Sums since the beginning, for metrics.
        self.closes: Counter[CloseCode] = Counter()
        self.frames = 0

    @property
    def sockets(self) -> int:
        """How many sockets there are."""
        return len(self._sockets)

    @property
    def full_sockets(self) -> int:
        """How many of them take no more for now."""
        return len(self._full)

    @property
    def sockets_max(self) -> int:
        """How many there may be."""
        return self.policy.sockets_max

    def __call__(
        self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> Socket:
        """Return the protocol of one connection, as uvicorn asks for it.

        Its sockets are not among uvicorn's connections, which are bounded for the sake of plain
        requests; they are bounded here, and closed with ``close``.
        """
        del server_state, app_state
        trusted = config.forwarded_allow_ips if config.proxy_headers else []
        return Socket(self, [trusted] if isinstance(trusted, str) else list(trusted or ()))

    def open(self) -> None:
        """Let clients in: from now on nothing that happens is missed."""
        self._is_open = True

    async def require_open(self) -> None:
        """Raise ``Unavailable`` while clients would be sent away."""
        if not self._is_open:
            raise Unavailable("gateway_deaf", "the gateway does not hear the other services yet")

    # --- Sockets come and go ---

    def now_ms(self) -> int:
        """Return milliseconds that never jump."""
        return self._ticks.now_ms()

    def refuses(self, address: str) -> int | None:
        """Return the HTTP status that says why no client of *address* can come in, if so."""
        if not self._is_open or len(self._sockets) >= self.policy.sockets_max:
            return 503
        return 429 if self._greeting[address] >= self.policy.greetings_per_address else None

    def opened(self, socket: Socket) -> None:
        """Look after *socket* from now on."""
        self._sockets.add(socket)
        self._greeting[socket.address] += 1
        self._due.put(socket, socket.due_ms)

    def asked(self, socket: Socket, frame: ClientFrame) -> None:
        """Do what the client asks for."""
        self.frames += 1
        self._greeted(socket)
        self._reception.answer(socket, frame)

    def full(self, socket: Socket) -> None:
        """Give *socket* some time to take what it holds."""
        self._full[socket] = (self.now_ms() + self.policy.stall_ms, socket.unsent_bytes)

    def drained(self, socket: Socket) -> None:
        """Write what has gathered for *socket*."""
        self._full.pop(socket, None)
        if socket.session is not None:
            self._hub.resume_writing(socket.session)

    def closing(self, socket: Socket) -> None:
        """Give the client of *socket* some time to answer the goodbye."""
        self._closing[socket] = self.now_ms() + self.policy.goodbye_ms

    def lost(self, socket: Socket, *, left: bool) -> None:
        """Keep the session of *socket* for a while, unless its client will not come back."""
        self._sockets.discard(socket)
        self._full.pop(socket, None)
        self._closing.pop(socket, None)
        self._greeted(socket)
        if not self._sockets:
            self._all_gone.set()
        session = socket.session
        if session is None or self._hub.socket_of(session) is not socket:
            return
        if left:
            self._hub.remove(session)
        else:
            self._hub.detach(session, self.now_ms())
            self._detached.put(session, self.now_ms() + self.policy.kept_ms)

    def _greeted(self, socket: Socket) -> None:
        if socket.is_greeting:
            socket.is_greeting = False
            self._greeting[socket.address] -= 1
            if not self._greeting[socket.address]:
                del self._greeting[socket.address]

    # --- Time passes ---

    async def run(self) -> None:
        """Keep the deadlines until cancelled."""
        while True:
            await asyncio.sleep(SLOT_MS / 1000)
            try:
                self._turn(self.now_ms())
            except Exception:
                _log.exception("deadlines_not_kept")

    def _turn(self, now_ms: int) -> None:
        for socket in self._due.turn(now_ms):
            if socket in self._sockets and socket not in self._closing:
                socket.check(now_ms)
                self._due.put(socket, socket.due_ms)
        for session in self._detached.turn(now_ms):
            if session.expired(now_ms):
                self._hub.remove(session)
        for socket in [one for one, (due_ms, _) in self._full.items() if now_ms >= due_ms]:
            self._look_at_full(socket)
        for socket in [one for one, due_ms in self._closing.items() if now_ms >= due_ms]:
            socket.abort()

    def _look_at_full(self, socket: Socket) -> None:
        _, held_bytes = self._full[socket]
        if socket.unsent_bytes < held_bytes:
            self.full(socket)
        else:
            socket.close(CloseCode.TOO_SLOW, "you take nothing any more; resume")

    async def close(self) -> None:
        """Tell every client to come back to another process or a little later, and let none in."""
        self._is_open = False
        self._all_gone.clear()
        for socket in list(self._sockets):
            socket.close(CloseCode.RESTARTING, "the gateway restarts; connect again and identify")
        if not self._sockets:
            return
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._all_gone.wait()
        except TimeoutError:
            for socket in list(self._sockets):
                socket.abort()
