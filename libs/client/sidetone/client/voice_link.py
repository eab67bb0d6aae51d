"""One QUIC connection to a voice node: control messages on a stream, frames as datagrams.

It drives aioquic's pure connection, beside kernels where there is a path for media past it. It
never sends the ticket, or
anything else of ours, to a node that does not hold the pinned key; it queues no stale audio; and
it says by itself that a node has gone silent.
"""

import asyncio
import ssl
from typing import Protocol, cast

from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import NetworkAddress, QuicConnection
from aioquic.tls import CipherSuite
from cryptography.hazmat.primitives.serialization import Encoding
from typing_extensions import override

from sidetone.client.control import ControlReader, encode
from sidetone.client.media_path import Lane, MediaPath, NoLane
from sidetone.client.pinned import holds_key, wrong_server_key
from sidetone.client.screen_link import LinkVideo
from sidetone.client.screen_streams import Arrival
from sidetone.protocol.refusals import Refusal, Unavailable
from sidetone.protocol.voice_control import ClientMessage, ServerMessage
from sidetone.quic import ACK_DELAY_SECONDS, ALPN, VERSIONS, announce_ack_delay, keep_few_ids
from sidetone.quic.congestion import VoiceWindow

_IDLE_SECONDS = 15.0
_DATAGRAM_BYTES_MAX = 1200
# At 10 ms a frame, what waits longer than this would be heard too late to be worth sending.
_DATAGRAMS_WAITING_MAX = 8
# From half a second of silence on the node is pinged at every look: a lossy network loses some of
# the ten pings and their answers, but not all.
_WATCH_SECONDS = 0.1
_PING_AFTER_SECONDS = 0.5
_SILENCE_SECONDS_MAX = 1.5
_GOODBYE_SECONDS = 0.5
# A bit of the numbers of streams that carry video (RFC 9000 section 2.1).
_UNIDIRECTIONAL = 0b10


class LinkListener(Protocol):
    """Who hears what arrives. Called on the event loop; must not block."""

    def frame_received(self, frame: bytes) -> None:
        """Take a datagram that came."""
        ...

    def video_received(self, arrival: Arrival) -> None:
        """Take a video frame that came, or was cut."""
        ...

    def message_received(self, message: ServerMessage) -> None:
        """Take a control message that came."""
        ...

    def link_closed(self, code: str, detail: str) -> None:
        """Note, once, that the connection is over: the node's code, or ``node_silent``."""
        ...


class VoiceLink(asyncio.DatagramProtocol):
    """A connection to one voice node; made by `link_opening.open_link`.

    Its socket is bound to no address of this machine, so that the connection lives on when the
    network changes: the node follows the packets to where they come from.
    """

    def __init__(
        self, host: str, pin: bytes, listener: LinkListener, path: MediaPath | None = None
    ) -> None:
        self._quic = QuicConnection(
            configuration=QuicConfiguration(
                alpn_protocols=[ALPN],
                cipher_suites=[CipherSuite.AES_128_GCM_SHA256],
                congestion_control_algorithm=VoiceWindow.__name__,
                idle_timeout=_IDLE_SECONDS,
                max_datagram_frame_size=_DATAGRAM_BYTES_MAX,
                server_name=host,
                supported_versions=[*VERSIONS],
                verify_mode=ssl.CERT_NONE,
            )
        )
        announce_ack_delay(self._quic)
        keep_few_ids(self._quic)
        self._quic._ack_delay = ACK_DELAY_SECONDS  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._host = host
        self._pin = pin
        self._listener = listener
        self._path = path
        self._lane: Lane = NoLane()
        self._loop = asyncio.get_running_loop()
        self.connected: asyncio.Future[None] = self._loop.create_future()
        self._video = LinkVideo(self._quic)
        self._transport: asyncio.DatagramTransport | None = None
        self._reader = ControlReader()
        self._stream = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._transmission: asyncio.Handle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._established = False
        self._watched_at = 0.0
        self._heard_ns = 0
        self._silence_seconds = 0.0
        self._closed = asyncio.Event()
        self._dropped = 0

    @property
    def rtt_ms(self) -> float:
        """The smoothed round trip to the node."""
        if self._lane.rtt_ms > 0:
            return self._lane.rtt_ms
        loss = self._quic._loss  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return float(loss._rtt_smoothed) * 1000  # noqa: SLF001 # pyright: ignore[reportPrivateUsage,reportUnknownMemberType,reportUnknownArgumentType]

    @property
    def datagrams_dropped(self) -> int:
        """How many frames found the network full."""
        return self._dropped + self._lane.dropped

    def connect(self, address: NetworkAddress) -> None:
        """Begin the handshake; ``connected`` is done when the node has shown the pinned key."""
        self._quic.connect(address, now=self._loop.time())
        self._transmit()

    def send(self, message: ClientMessage) -> None:
        """Send *message* reliably, in order."""
        if not self._closed.is_set():
            self._quic.send_stream_data(self._stream, encode(message))
            self._transmit_soon()

    def send_frame(self, frame: bytes) -> None:
        """Send *frame* once, soon or not at all: where the network is full, the oldest goes.

        Frames that come in a burst because this process was busy are sent, however many.
        """
        if self._closed.is_set():
            return
        waiting = self._quic._datagrams_pending  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        if len(waiting) >= _DATAGRAMS_WAITING_MAX:
            self._transmit()
        while len(waiting) >= _DATAGRAMS_WAITING_MAX:
            waiting.popleft()
            self._dropped += 1
        self._quic.send_datagram_frame(frame)
        self._transmit_soon()

    async def show(self, frame: bytes) -> bool:
        """Send a video frame; returns when the path has taken it, False if it never will."""
        taken = self._video.show(frame)
        self._transmit_soon()
        return await taken

    async def close(self) -> None:
        """Give the node a moment to answer a ``Leave``, then close."""
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._closed.wait()
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Close at once; what waits to be sent is lost."""
        self._end("left", "the connection was closed on this side")

    # --- asyncio's side ---

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    @override
    def datagram_received(self, data: bytes, addr: NetworkAddress) -> None:
        """Take in one packet.

        Between handshake and end nothing has to leave because of it: acknowledgements wait for
        their timer, so a listener pays for sending only ten times a second. Beside kernels there
        is no such timer, and what they leave to aioquic may tell it to send something again.
        """
        if self._closed.is_set():
            return
        self._silence_seconds = 0.0
        connecting = not self._established
        self._lane.receiving()
        self._quic.receive_datagram(data, addr, now=self._loop.time())
        self._lane.received()
        self._handle_events()
        if connecting or self._video.waits or self._path is not None:
            self._transmit_soon()
        elif not self._closed.is_set():
            self._arm()

    @override
    def error_received(self, exc: Exception) -> None:
        """Go on: this is a network that is away for a moment; a longer time is silence."""

    # --- aioquic's side ---

    def _transmit_soon(self) -> None:
        if self._transmission is None:
            self._transmission = self._loop.call_soon(self._transmit)

    def _transmit(self) -> None:
        self._transmission = None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._video.pump()
        # The numbers of packets go back before they leave: sending may wait for the interpreter.
        self._lane.sending()
        packets = self._quic.datagrams_to_send(now=self._loop.time())
        self._lane.sent()
        for data, address in packets:
            transport.sendto(data, address)
        self._arm()

    def _arm(self) -> None:
        """Have the timer fire in time.

        One that would fire too early is left: it costs less than moving it with every packet.
        """
        at = self._quic.get_timer()
        if at is None or (self._timer is not None and self._timer_at <= at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._handle_timer)

    def _handle_timer(self) -> None:
        self._timer = None
        self._lane.timing()
        at = self._quic.get_timer()
        now = self._loop.time()
        if at is not None and at <= now:
            self._quic.handle_timer(now=now)
            self._handle_events()
            self._transmit()
        else:
            self._arm()

    def _handle_events(self) -> None:
        while not self._closed.is_set() and (event := self._quic.next_event()) is not None:
            if isinstance(event, events.DatagramFrameReceived):
                if self._established and not self._lane.has_passed():
                    self._listener.frame_received(event.data)
            elif isinstance(event, events.StreamDataReceived):
                self._read(event)
            elif isinstance(event, events.HandshakeCompleted):
                self._check_key()
            else:
                self._cut(event)
        ended = self._quic._close_event  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        if ended is not None:
            reason = ended.reason_phrase
            self._end(reason or "node_closed", f"the voice node closed the connection: {reason}")

    def _check_key(self) -> None:
        certificate = self._quic.tls._peer_certificate  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        der = certificate.public_bytes(Encoding.DER) if certificate is not None else b""
        if not holds_key(der, self._pin):
            self._end_handshake(wrong_server_key(f"the voice node at {self._host}"))
            return
        if self.connected.done():
            return
        self._established = True
        self.connected.set_result(None)
        self._stream = self._quic.get_next_available_stream_id()
        self._watched_at = self._loop.time()
        self._watch = self._loop.call_later(_WATCH_SECONDS, self._look)
        if self._path is not None:
            self._lane = self._path.connect(self._quic)

    def _read(self, event: events.StreamDataReceived) -> None:
        stream, data, ended = event.stream_id, event.data, event.end_stream
        if stream & _UNIDIRECTIONAL:
            self._show(self._video.received(stream, data, self._loop.time(), ended=ended))
        if stream != self._stream or not self._established:
            return
        try:
            messages = self._reader.feed(data)
        except Refusal as refusal:
            self._end(refusal.code, refusal.detail)
            return
        for message in messages:
            self._listener.message_received(message)

    def _cut(self, event: events.QuicEvent) -> None:
        if isinstance(event, events.StreamReset):
            self._show(self._video.reset(event.stream_id, self._loop.time()))
        elif isinstance(event, events.StopSendingReceived):
            self._video.stopped(event.stream_id)

    def _show(self, arrivals: list[Arrival]) -> None:
        for arrival in arrivals:
            self._listener.video_received(arrival)

    def _look(self) -> None:
        """Ping a node that is quiet and give up one that stays silent.

        Only time in which this process ran counts: after a pause of the whole machine, or of this
        event loop, what came in meanwhile is still to be read.
        """
        now = self._loop.time()
        self._lane.renew_keys()
        if self._lane.heard_ns != self._heard_ns:
            # Most packets are seen by nobody but the kernels.
            self._heard_ns = self._lane.heard_ns
            self._silence_seconds = 0.0
        self._silence_seconds += min(now - self._watched_at, 2 * _WATCH_SECONDS)
        self._watched_at = now
        if self._silence_seconds >= _SILENCE_SECONDS_MAX:
            self._end("node_silent", "the voice node has not been heard for too long")
            return
        if self._silence_seconds >= _PING_AFTER_SECONDS:
            self._quic.send_ping(0)
            self._transmit_soon()
        self._watch = self._loop.call_later(_WATCH_SECONDS, self._look)

    # --- the end ---

    def _end(self, code: str, detail: str) -> None:
        if not self._established:
            reason = f"the voice node ended the handshake: {code}"
            self._end_handshake(Unavailable("node_refused", reason))
        elif not self._closed.is_set():
            self._shut()
            self._listener.link_closed(code, detail)

    def _end_handshake(self, refusal: Refusal) -> None:
        if not self.connected.done():
            self.connected.set_exception(refusal)
        self._shut()

    def _shut(self) -> None:
        self._closed.set()
        self._video.close()
        self._lane.close()
        for handle in (self._timer, self._watch, self._transmission):
            if handle is not None:
                handle.cancel()
        transport = self._transport
        if transport is not None and not transport.is_closing():
            self._quic.close()
            for data, address in self._quic.datagrams_to_send(now=self._loop.time()):
                transport.sendto(data, address)
            transport.close()
