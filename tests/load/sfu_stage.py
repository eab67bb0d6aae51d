"""What a test of the forwarding unit stands on: a voice service that signs, and a plain client."""

import asyncio
import itertools
import socket
import ssl
import struct
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    DatagramFrameReceived,
    QuicEvent,
    StreamDataReceived,
)
from nacl.signing import SigningKey

from sidetone.bus import Bus
from sidetone.credentials import tickets
from sidetone.credentials.tickets import Perm, Ticket
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.questions import Briefing, BriefNode
from sidetone.protocol.voice_control import ClientMessage, Join, ServerMessage, Welcome
from sidetone.quic import ACK_DELAY_SECONDS, announce_ack_delay, keep_few_ids

KID = 7
TALK = Perm.CONNECT | Perm.SPEAK
CHANNEL = ChannelId(UUID(int=1))
PATIENCE_SECONDS = 10.0
# A connection is closed after three probe timeouts, which a busy machine stretches.
GOODBYE_SECONDS = 40.0

M = TypeVar("M", bound=ServerMessage)
C = TypeVar("C", bound="Client")

_HEADER = struct.Struct(">BBHI")
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[ServerMessage] = msgspec.msgpack.Decoder(ServerMessage)
_counters = itertools.count()


def frame(sender: int, kind: int = 0, payload: bytes = bytes(40)) -> bytes:
    """Return a frame with a true header; the unit cannot tell that nothing is sealed in it."""
    return _HEADER.pack(0x40 | kind << 4, 0, sender, next(_counters)) + payload


class VoiceDesk:
    """Signs tickets, and briefs forwarding units like the voice service."""

    def __init__(self) -> None:
        self.key = SigningKey.generate()
        self.watermarks: list[VoiceRights] = []

    async def open(self, bus: Bus) -> None:
        """Answer on *bus* from now on."""
        await bus.answer(BriefNode, self.brief)

    async def brief(self, _: BriefNode) -> Briefing:
        """Return the keys and the changes of rights."""
        return Briefing({KID: self.key.verify_key.encode()}, self.watermarks)

    def ticket(self, node: NodeId, **changes: Any) -> bytes:
        """Sign a good ticket, or one with *changes*."""
        now = int(time.time())
        fields: dict[str, Any] = {
            "kid": KID,
            "perms": TALK,
            "user": UserId(uuid4()),
            "device": DeviceId(uuid4()),
            "channel": CHANNEL,
            "node": node,
            "jti": uuid4(),
            "generation": 1,
            "issued_at": now,
            "expires_at": now + tickets.LIFETIME_SECONDS,
        }
        return tickets.sign(Ticket(**(fields | changes)), self.key)


class Client(QuicConnectionProtocol):
    """A client that knows QUIC and the control stream, and no cryptography."""

    def __init__(self, quic: QuicConnection) -> None:
        super().__init__(quic)
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.frames_received = 0
        self.keeps_frames = True
        self.is_deaf = False
        self.close_code: str | None = None
        self.welcome: Welcome | None = None
        self._messages: list[ServerMessage] = []
        self._news = asyncio.Event()
        self._pending = bytearray()
        self._control: int | None = None
        # As our own clients do it: a packet for each frame would cost both sides too much.
        announce_ack_delay(quic)
        keep_few_ids(quic)
        quic._ack_delay = ACK_DELAY_SECONDS

    @property
    def sender(self) -> int:
        """Our place in the room."""
        assert self.welcome is not None
        return self.welcome.sender

    def tell(self, message: ClientMessage) -> None:
        """Send *message* on the control stream."""
        self.tell_raw(framed(_encoder.encode(message)))

    def tell_raw(self, data: bytes, stream: int | None = None) -> None:
        """Send *data* on the control stream, or on another one."""
        if stream is None:
            stream = self._control_stream()
        self._quic.send_stream_data(stream, data)
        self.transmit()

    def say(self, datagram: bytes) -> None:
        """Send a datagram."""
        self._quic.send_datagram_frame(datagram)
        self.transmit()

    async def join(self, ticket: bytes) -> Welcome:
        """Show *ticket* and wait to be welcomed."""
        self.tell(Join(ticket))
        self.welcome = await self.told(Welcome)
        return self.welcome

    async def told(self, kind: type[M]) -> M:
        """Return the next message of *kind*; those before it are skipped."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                while self._messages:
                    message = self._messages.pop(0)
                    if isinstance(message, kind):
                        return message
                assert not self._closed.is_set(), f"closed with {self.close_code}"
                self._news.clear()
                await self._news.wait()

    async def closed(self) -> str:
        """Wait for the end, and return its code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._closed.wait()
        return self.close_code or ""

    async def heard(self) -> bytes:
        """Return the next frame."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.frames.get()

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        if not self.is_deaf:
            super().datagram_received(data, addr)

    def quic_event_received(self, event: QuicEvent) -> None:
        match event:
            case DatagramFrameReceived(data):
                self.frames_received += 1
                if self.keeps_frames:
                    self.frames.put_nowait(data)
            case StreamDataReceived(data=data, stream_id=stream) if stream == self._control:
                self._pending += data
                self._read()
            case ConnectionTerminated(reason_phrase=reason):
                self.close_code = reason
            case _:
                pass
        self._news.set()

    def _control_stream(self) -> int:
        if self._control is None:
            self._control = self._quic.get_next_available_stream_id()
        return self._control

    def _read(self) -> None:
        while len(self._pending) >= 4:
            end = 4 + int.from_bytes(self._pending[:4], "big")
            if len(self._pending) < end:
                return
            self._messages.append(_decoder.decode(bytes(self._pending[4:end])))
            del self._pending[:end]


def framed(body: bytes) -> bytes:
    """Return *body* with its length before it."""
    return len(body).to_bytes(4, "big") + body


def free_ports_in_a_row(kind: socket.SocketKind) -> int:
    """Return the first of two neighbouring loopback ports that nobody has."""
    while True:
        with (
            socket.socket(socket.AF_INET, kind) as one,
            socket.socket(socket.AF_INET, kind) as two,
        ):
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            with suppress(OSError, OverflowError):
                two.bind(("127.0.0.1", port + 1))
                return port


@asynccontextmanager
async def connected(
    port: int,
    host: str = "127.0.0.1",
    alpn: str = "sidetone/1",
    kind: type[C] = Client,
    **changes: Any,
) -> AsyncGenerator[C]:
    """Connect a client; the handshake is over when the block begins."""
    client = await begin(port, host, alpn, kind, **changes)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await client.wait_connected()
        yield client
    finally:
        await end(client)


async def begin(
    port: int,
    host: str = "127.0.0.1",
    alpn: str = "sidetone/1",
    kind: type[C] = Client,
    **changes: Any,
) -> C:
    """Send the first datagram of a handshake."""
    settings: dict[str, Any] = {
        "alpn_protocols": [alpn],
        "max_datagram_frame_size": 1200,
        "verify_mode": ssl.CERT_NONE,
        "idle_timeout": 15.0,
    }
    configuration = QuicConfiguration(**(settings | changes))
    loop = asyncio.get_running_loop()
    _, client = await loop.create_datagram_endpoint(
        lambda: kind(QuicConnection(configuration=configuration)),
        local_addr=("::1" if ":" in host else "127.0.0.1", 0),
    )
    client.connect((host, port, 0, 0) if ":" in host else (host, port))
    return client


async def move(client: Client, *, says_so: bool) -> None:
    """Go on from another port, and let nobody listen on the old one.

    A client that *says_so* uses another connection id there; behind a router that forgets, it does
    not even know.
    """
    left: Any = client._transport
    client._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Through(client), local_addr=(*left.get_extra_info("sockname")[:1], 0)
    )
    left.close()
    if says_so:
        client.change_connection_id()


class _Through(asyncio.DatagramProtocol):
    """Hands what arrives at a new socket to the connection that moved there."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._client.datagram_received(data, addr)


async def end(client: Client) -> None:
    """Say goodbye and close the socket."""
    transport: Any = client._transport
    client.close()
    try:
        async with asyncio.timeout(GOODBYE_SECONDS):
            await client.wait_closed()
    finally:
        transport.close()
