"""One client's WebSocket: frames in and out of a transport, and nothing that a frame asks for.

Clients say little, so what comes in is parsed by ``websockets``. What goes out is finished bytes:
they are written to the transport as they are. There is no compression, which would cost every
socket tens of kilobytes and every event several times its writing.
"""

import asyncio
import logging
import socket as sockets
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol, cast

from typing_extensions import override
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, SERVER
from websockets.protocol import Protocol as Wire
from websockets.server import ServerProtocol

from sidetone.gateway.domain.connection import Connection, HangUp, Phase
from sidetone.gateway.domain.policy import Policy
from sidetone.gateway.domain.session import Session
from sidetone.gateway.interface.encoding import encode_frame
from sidetone.gateway.interface.upgrade import client_address, is_gateway, may_connect
from sidetone.protocol.frames import ClientFrame, CloseCode, Hello, ServerFrame
from sidetone.runtime.addresses import limited_as

# What lies in the kernel's buffer is not seen from here: a small one makes a slow reader visible.
_KERNEL_BUFFER_BYTES: Final = 32 * 1024
_HIGH_WATER_BYTES: Final = 64 * 1024
_LOW_WATER_BYTES: Final = 16 * 1024
_REASON_BYTES_MAX: Final = 123
_LEFT_CODES: Final = frozenset({1000, 1001})
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})

# It would tell of every connection that ends.
_quiet = logging.getLogger("sidetone.gateway.websockets")
_quiet.setLevel(logging.WARNING)


class Owner(Protocol):
    """Who looks after sockets. Called on the event loop; must not block."""

    policy: Policy
    closes: Counter[CloseCode]

    def now_ms(self) -> int:
        """Return milliseconds that never jump."""
        ...

    def refuses(self, address: str) -> int | None:
        """Return the HTTP status that says why no client of *address* can come in, if so."""
        ...

    def opened(self, socket: "Socket") -> None:
        """Look after *socket* from now on."""
        ...

    def asked(self, socket: "Socket", frame: ClientFrame) -> None:
        """Do what the client asks for."""
        ...

    def full(self, socket: "Socket") -> None:
        """Note that *socket* takes no more."""
        ...

    def drained(self, socket: "Socket") -> None:
        """Note that *socket* takes more again."""
        ...

    def closing(self, socket: "Socket") -> None:
        """Note that goodbye was said on *socket*."""
        ...

    def lost(self, socket: "Socket", *, left: bool) -> None:
        """Note that *socket* is gone; *left*: its client said that it will not come back."""
        ...


class Socket(asyncio.Protocol):
    """One connection, small enough for ten thousand of them."""

    __slots__ = (
        "_owner", "_parts", "_transport", "_trusted", "_wire",
        "address", "connection", "is_greeting", "session", "writable",
    )  # fmt: skip

    def __init__(self, owner: Owner, trusted_proxies: Sequence[str]) -> None:
        self._owner = owner
        self._trusted = trusted_proxies
        self._transport: asyncio.Transport | None = None
        self._wire: Wire | None = None
        self._parts: list[bytes] | None = None
        self.address = ""
        self.is_greeting = False
        self.connection = Connection(owner.policy, owner.now_ms())
        self.session: Session | None = None
        self.writable = False

    # --- What the transport tells ---

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(_HIGH_WATER_BYTES, _LOW_WATER_BYTES)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, _KERNEL_BUFFER_BYTES)

    @override
    def data_received(self, data: bytes) -> None:
        if self._wire is None:
            self._shake_hands(data)
            return
        if self.connection.phase is Phase.CLOSED and not self._is_saying_goodbye:
            return
        self._wire.receive_data(data)
        for frame in self._wire.events_received():
            if isinstance(frame, Frame):
                self._take(frame)
        self._send_pending()

    @override
    def pause_writing(self) -> None:
        if self.writable:
            self.writable = False
            self._owner.full(self)

    @override
    def resume_writing(self) -> None:
        if self.connection.phase is not Phase.CLOSED and self._wire is not None:
            self.writable = True
            self._owner.drained(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.writable = False
        self.connection.phase = Phase.CLOSED
        close = None if self._wire is None else self._wire.close_rcvd
        self._transport = None
        self._owner.lost(self, left=close is not None and close.code in _LEFT_CODES)

    # --- What others ask of it ---

    @property
    def due_ms(self) -> int:
        """When to check it."""
        return self.connection.due_ms

    @property
    def unsent_bytes(self) -> int:
        """How much the transport still holds."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def write(self, frames: bytes) -> None:
        """Send finished *frames*, or drop them if it is closed."""
        transport = self._transport
        if transport is not None and self.connection.phase is not Phase.CLOSED:
            transport.write(frames)

    def send(self, frame: ServerFrame) -> None:
        """Encode *frame* and send it."""
        if self._wire is not None and self.connection.phase is not Phase.CLOSED:
            self._wire.send_text(encode_frame(frame))
            self._send_pending()

    def check(self, now_ms: int) -> None:
        """Hang up if a deadline has passed."""
        hang_up = self.connection.check(now_ms)
        if hang_up is not None:
            self._hang_up(hang_up)

    def close(self, code: CloseCode, reason: str) -> None:
        """Say goodbye; who does not take it is cut off."""
        if self.connection.phase is not Phase.CLOSED:
            self._hang_up(self.connection.hang_up(code, reason))

    def abort(self) -> None:
        """Cut it off."""
        self.writable = False
        self.connection.phase = Phase.CLOSED
        if self._transport is not None:
            self._transport.abort()

    # --- Inside ---

    @property
    def _is_saying_goodbye(self) -> bool:
        """Whether the client's answer to our goodbye is all that is waited for."""
        return self._wire is not None and self._wire.close_sent is not None

    def _shake_hands(self, data: bytes) -> None:
        shaking = ServerProtocol(max_size=self._owner.policy.frame_bytes_max, logger=_quiet)
        shaking.receive_data(data)
        request = next(iter(shaking.events_received()), None)
        transport = self._transport
        if transport is None:
            return
        if not isinstance(request, Request):
            transport.abort()
            return
        status = self._refused(request, transport)
        response = (
            shaking.accept(request) if status is None else shaking.reject(status, "Not here.\n")
        )
        shaking.send_response(response)
        for part in shaking.data_to_send():
            if part:
                transport.write(part)
        if shaking.state is not OPEN:
            transport.close()
            return
        # Of the hand-shake nothing is kept: a request is several times as large as all the rest.
        self._wire = Wire(
            SERVER, state=OPEN, max_size=self._owner.policy.frame_bytes_max, logger=_quiet
        )
        self.writable = self.is_greeting = True
        self._owner.opened(self)
        self._greet(request)

    def _refused(self, request: Request, transport: asyncio.Transport) -> int | None:
        if not is_gateway(request.path):
            return 404
        peer = cast("tuple[str, int] | None", transport.get_extra_info("peername"))
        forwarded = ", ".join(request.headers.get_all("X-Forwarded-For"))
        address = limited_as(client_address(peer[0] if peer else "", forwarded, self._trusted))
        status = self._owner.refuses(address)
        if status is None:
            self.address = address
        return status

    def _greet(self, request: Request) -> None:
        policy, headers = self._owner.policy, request.headers
        if may_connect(headers.get("Origin"), headers.get("Host"), policy.origins):
            self.send(Hello(policy.heartbeat_ms))
        else:
            self.close(CloseCode.ORIGIN_REFUSED, "pages of this origin may not connect")

    def _take(self, frame: Frame) -> None:
        if frame.opcode not in _DATA or self.connection.phase is Phase.CLOSED:
            return
        if frame.opcode is Opcode.BINARY:
            self.close(CloseCode.PROTOCOL_VIOLATION, "frames are text")
        elif not frame.fin:
            self._parts = [*(self._parts or ()), bytes(frame.data)]
        else:
            parts, self._parts = self._parts or (), None
            self._hear(b"".join((*parts, frame.data)))

    def _hear(self, text: bytes) -> None:
        heard = self.connection.receive(text, self._owner.now_ms())
        if isinstance(heard, HangUp):
            self._hang_up(heard)
        else:
            self._owner.asked(self, heard)

    def _hang_up(self, hang_up: HangUp) -> None:
        wire, transport = self._wire, self._transport
        if wire is None or transport is None:
            return
        self._owner.closes[hang_up.code] += 1
        if not self.writable:
            # It takes nothing, so it would never take a goodbye.
            self.abort()
            return
        self.writable = False
        if wire.state is OPEN:
            reason = hang_up.reason.encode()[:_REASON_BYTES_MAX].decode(errors="ignore")
            wire.send_close(hang_up.code, reason)
        self._send_pending()
        self._owner.closing(self)

    def _send_pending(self) -> None:
        wire, transport = self._wire, self._transport
        if wire is None or transport is None or transport.is_closing():
            return
        for part in wire.data_to_send():
            if part:
                transport.write(part)
            else:
                # The parser has said all: what is written goes out, then it ends.
                self.writable = False
                self.connection.phase = Phase.CLOSED
                transport.close()
