"""Sessions over QUIC: the only module that knows aioquic.

Early data is refused, so that nothing can be replayed; the one cipher suite is the one that
hardware is fast at. A connection that does something wrong is closed, alone and with a code.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.retry import QuicRetryTokenHandler
from aioquic.tls import CipherSuite
from typing_extensions import override

from sidetone.quic import ALPN, VERSIONS, keep_few_ids
from sidetone.voice_sfu.application.node import Node
from sidetone.voice_sfu.application.ports import Place
from sidetone.voice_sfu.domain.handshakes import HalfOpen, HandshakeLimits
from sidetone.voice_sfu.domain.limits import FLOOD_FACTOR, Flood, Rates, Verdict
from sidetone.voice_sfu.domain.meter import Drop, Meter
from sidetone.voice_sfu.interface.congestion import ForwardingWindow
from sidetone.voice_sfu.interface.initial import header_of_initial
from sidetone.voice_sfu.interface.media_path import Lane, MediaPath
from sidetone.voice_sfu.interface.session import Session
from sidetone.voice_sfu.interface.streams import is_stopped, unread
from sidetone.voice_sfu.interface.udp import Address, UdpTransport, bind
from sidetone.voice_sfu.interface.video import QuicVideo, bound_streams, is_video

IDLE_SECONDS = 15.0
HANDSHAKE_SECONDS = 3.0
TICKET_SECONDS = 2.0
STREAMS_MAX = 3
# Older than a few frames, voice is worthless; aioquic itself would queue without a bound.
QUEUED_DATAGRAMS_MAX = 32
# What a client may leave unread on its control stream before it is given up.
UNREAD_BYTES_MAX = 1024 * 1024
# The error code of every close; the reason phrase says which it was.
_APPLICATION_ERROR = 1
_CONNECTION_ID_BYTES = 8
# What stands before the data in a DATAGRAM frame: its type, and a length of two bytes.
_DATAGRAM_HEAD_BYTES = 3
_LONG_HEADER = 0x80

_log = structlog.get_logger()


class QuicLimits(msgspec.Struct, frozen=True):
    """How much of the unit its connections may take."""

    rates: Rates
    handshakes: HandshakeLimits
    connections_max: int


class SfuServer(QuicServer):
    """The connections of one unit, on one UDP port.

    Who must prove its address is decided for each datagram that begins a connection: aioquic
    itself asks everybody or nobody.
    """

    def __init__(
        self, node: Node, limits: QuicLimits, media_path: MediaPath | None = None
    ) -> None:
        self._shared = QuicConfiguration(
            is_client=False,
            alpn_protocols=[ALPN],
            cipher_suites=[CipherSuite.AES_128_GCM_SHA256],
            congestion_control_algorithm=ForwardingWindow.__name__,
            connection_id_length=_CONNECTION_ID_BYTES,
            idle_timeout=IDLE_SECONDS,
            max_datagram_frame_size=65535,
            max_data=256 * 1024,
            max_stream_data=128 * 1024,
            supported_versions=[*VERSIONS],
        )
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            configuration=self._shared, create_protocol=self._connect
        )
        self.node = node
        self.limits = limits
        self.media_path = media_path
        self.half_open = HalfOpen(limits.handshakes)
        self.connections: set[SfuConnection] = set()
        self.failures = 0
        self._retry_tokens = QuicRetryTokenHandler()

    def use_certificate(self, certificate_file: Path, key_file: Path) -> None:
        """Show this certificate in handshakes from now on; open connections are not touched."""
        self._shared.load_cert_chain(  # pyright: ignore[reportUnknownMemberType]
            certificate_file, key_file
        )

    def listen(self, host: str, port: int) -> int:
        """Open the port and return its number. Raises ``OSError``."""
        bound = bind(host, port)
        port = int(bound.getsockname()[1])
        if self.media_path is None:
            self.connection_made(UdpTransport(bound, self.datagram_received))
        else:
            self.connection_made(self.media_path.open(bound, self.datagram_received))
        return port

    def stop(self) -> None:
        """End every connection and close the port."""
        for connection in list(self.connections):
            connection.session.refuse("node_stopping", "this voice node stops; join again")
        self.close()

    @override
    def datagram_received(self, data: bytes | str, addr: Address) -> None:
        """Take a datagram; whatever is in it, the next one is taken as well."""
        if isinstance(data, str) or not data:
            return
        try:
            if self._admits(data, addr):
                super().datagram_received(data, addr)
        except Exception:
            self.failures += 1
            _log.exception("datagram_failed")

    def _admits(self, data: bytes, addr: Address) -> bool:
        if not data[0] & _LONG_HEADER:
            known = self._protocols.get(data[1 : 1 + _CONNECTION_ID_BYTES])
            return not isinstance(known, SfuConnection) or known.admits()
        opening = header_of_initial(data, _CONNECTION_ID_BYTES)
        if opening is None or opening.destination_cid in self._protocols:
            return True
        proves = bool(opening.token) or self.half_open.must_prove_address(addr[0])
        self._retry = self._retry_tokens if proves else None
        return len(self.connections) < self.limits.connections_max

    def _connect(self, quic: QuicConnection, **_: object) -> "SfuConnection":
        bound_streams(quic)
        keep_few_ids(quic)
        if self.media_path is not None:
            self.media_path.prepare(quic)
        return SfuConnection(quic, self)


class SfuConnection(QuicConnectionProtocol):
    """One QUIC connection and its session."""

    def __init__(self, quic: QuicConnection, server: SfuServer) -> None:
        super().__init__(quic)
        self.video = QuicVideo(quic, self._transmit_soon, self._excuse)
        self.session = Session(server.node, self, self._loop.time)
        self._server = server
        self._half_open_from: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._failed = False
        self._lane: Lane | None = None
        self._arrivals = Flood(server.limits.rates.packets_per_second * FLOOD_FACTOR)

    def admits(self) -> bool:
        """Tell whether one more packet is read; a flood is not even decrypted."""
        if self._lane is not None:
            return True
        verdict = self._arrivals.arrived(1, self._loop.time())
        if verdict is Verdict.CLOSE:
            self.flooded()
        if verdict is not Verdict.PASS:
            self._server.node.tally.dropped(Drop.FLOOD)
        return verdict is Verdict.PASS

    # --- what the session asks for ---

    def write(self, stream: int, data: bytes) -> None:
        """Send *data* on *stream*; a client that leaves too much unread is given up."""
        if is_stopped(self._quic, stream):
            return
        self._guard(lambda: self._quic.send_stream_data(stream, data))
        if unread(self._quic, stream) > UNREAD_BYTES_MAX:
            self._loop.call_soon(
                self.session.refuse, "reader_slow", "control messages were not read; join again"
            )
        self._transmit_soon()

    def send_datagram(self, data: bytes) -> bool:
        """Queue *data* to be sent with everything else of this pass; False if one was dropped.

        Many voices in one pass may fill the queue too; only what the path does not take is late.
        """
        if self._lane is not None and self._lane.send(data):
            return True
        if len(data) + _DATAGRAM_HEAD_BYTES > self._datagram_bytes_max():
            for meter in self.meters():
                meter.dropped(Drop.SIZE)
            return True
        waiting = self._quic._datagrams_pending  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        if len(waiting) >= QUEUED_DATAGRAMS_MAX:
            self.transmit()
        is_full = len(waiting) >= QUEUED_DATAGRAMS_MAX
        if is_full:
            waiting.popleft()
        self._quic.send_datagram_frame(data)
        # It will be acknowledged, and that packet is not held against the client.
        self._arrivals.excuse(1)
        if self._transmit_task is None:
            self._transmit_soon()
        return not is_full

    def _datagram_bytes_max(self) -> int:
        # A client that gets more than it said it takes closes the connection (RFC 9221).
        told = self._quic._remote_max_datagram_frame_size  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return told or 0

    def allow(self, place: Place) -> None:
        """Let frames pass as *place* says, past aioquic where there is a way."""
        path = self._server.media_path
        if self._lane is None and path is not None:
            self._lane = path.connect(self._quic, place, self)
            if self._lane is None:
                self._loop.call_soon(
                    self.session.refuse, "node_full", "this voice node is full; join again"
                )
        if self._lane is not None:
            self._lane.allow(speaks=place.speaks, hears=place.hears)

    def settle(self) -> None:
        """Count what has passed."""
        if self._lane is not None:
            self._lane.settle()

    def withdraw(self) -> None:
        """Let no more frames pass."""
        self.video.close()
        if self._lane is not None:
            self._lane.close()
            self._lane = None

    def end(self, code: str) -> None:
        """Close the connection, after what was written before."""
        self.transmit()
        self.close(_APPLICATION_ERROR, code)

    # --- what a lane asks for ---

    def flooded(self) -> None:
        """End a connection that sends far too much."""
        self.session.refuse("media_flood", "far more packets came than anybody may send")

    def detour(self, frame: bytes) -> None:
        """Send *frame* by aioquic."""
        self.session.forward(frame)

    def meters(self) -> tuple[Meter, ...]:
        """Return what counts this member's frames."""
        return self.session.meters()

    # --- what aioquic asks for ---

    @override
    def datagram_received(self, data: bytes | str, addr: Address) -> None:
        """Take a datagram of this connection; answers are sent at the end of the pass."""
        if isinstance(data, str) or self._failed:
            return
        if self not in self._server.connections:
            self._begin(addr[0])
        self._guard(lambda: self._receive(data, addr))

    @override
    def transmit(self) -> None:
        """Send what is due."""
        if self._failed:
            return
        self._guard(self.video.pump)
        if self._lane is None:
            self._guard(super().transmit)
            return
        lane = self._lane
        self._guard(lane.sending)
        self._guard(super().transmit)
        self._guard(lane.sent)

    @override
    def _handle_timer(self) -> None:
        if self._failed:
            return
        if self._lane is not None:
            self._guard(self._lane.timing)
            if self._waits_on():
                return
        self._guard(super()._handle_timer)

    def _waits_on(self) -> bool:
        """Set the timer anew, if only idle time was up and kernels have heard the peer since."""
        timer_at = self._quic.get_timer()
        if timer_at is None or timer_at <= self._loop.time():
            return False
        self._timer = self._loop.call_at(timer_at, self._handle_timer)
        self._timer_at = timer_at
        return True

    @override
    def quic_event_received(self, event: events.QuicEvent) -> None:
        """Tell the session what happened."""
        match event:
            case events.DatagramFrameReceived(data):
                self._receive_frame(data)
            case events.StreamDataReceived(data, end_stream, stream_id):
                self._receive_stream(stream_id, data, ended=end_stream)
            case events.HandshakeCompleted():
                self._handshake_over()
                self._set_deadline(TICKET_SECONDS, self.session.ticket_late)
            case events.StreamReset(stream_id=stream_id) if is_video(stream_id):
                self.session.video_broken_off(stream_id)
            case events.StopSendingReceived(stream_id=stream_id) if is_video(stream_id):
                self.video.stopped(stream_id)
            case events.StreamReset() | events.StopSendingReceived():
                self.session.refuse("control_ended", "a stream was broken off; join again")
            case events.ConnectionTerminated():
                self._finish()
            case _:
                pass

    def _receive(self, data: bytes, addr: Address) -> None:
        if self._lane is not None:
            self._lane.receiving()
        self._quic.receive_datagram(data, addr, now=self._loop.time())
        if self._lane is not None:
            self._lane.received()
        self._process_events()
        self._transmit_soon()

    def _receive_frame(self, frame: bytes) -> None:
        if self._lane is None or not self._lane.has_passed():
            self.session.receive_datagram(frame)

    def _receive_stream(self, stream: int, data: bytes, *, ended: bool) -> None:
        if is_video(stream):
            if self.session.receive_video(stream, data, ended=ended):
                self.video.excuse(len(data))
        elif stream >> 2 >= STREAMS_MAX:
            self.session.refuse("streams_exceeded", f"at most {STREAMS_MAX} streams are allowed")
        else:
            self.session.receive_stream(stream, data, ended=ended)

    def _excuse(self, packets: float) -> None:
        (self._lane or self._arrivals).excuse(packets)

    def _begin(self, host: str) -> None:
        self._server.connections.add(self)
        self._server.half_open.opened(host)
        self._half_open_from = host
        self._set_deadline(HANDSHAKE_SECONDS, self._handshake_late)

    def _handshake_late(self) -> None:
        self.session.refuse("handshake_timeout", "the handshake took too long")

    def _handshake_over(self) -> None:
        if self._half_open_from is not None:
            self._server.half_open.closed(self._half_open_from)
            self._half_open_from = None

    def _finish(self) -> None:
        self._handshake_over()
        self._set_deadline(0, None)
        self._server.connections.discard(self)
        self.session.lost()

    def _set_deadline(self, seconds: float, late: Callable[[], None] | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, late) if late else None

    def _guard(self, step: Callable[[], None]) -> None:
        """Take *step*; an exception is a bug that may cost this connection and no other."""
        try:
            step()
        except Exception:
            self._server.failures += 1
            _log.exception("connection_failed")
            self._failed = True
            self._loop.call_soon(self._give_up)

    def _give_up(self) -> None:
        self._finish()
        if self._timer is not None:
            self._timer.cancel()
        try:
            self._quic.close(error_code=_APPLICATION_ERROR, reason_phrase="internal_error")
            super().transmit()
        except Exception:
            _log.exception("connection_close_failed")
        self._connection_terminated_handler()
