"""What one client says and hears, whatever carries it: ticket first, then control and frames.

Anything out of order ends this session with a code, and nothing else.
"""

from collections.abc import Callable
from typing import Protocol

from sidetone.protocol.refusals import Forbidden, Invalid, Refusal
from sidetone.protocol.voice_control import ClientMessage, Error, Join, ServerMessage
from sidetone.voice_sfu.application.live_room import Seat
from sidetone.voice_sfu.application.node import Node
from sidetone.voice_sfu.application.ports import Place, VideoLink
from sidetone.voice_sfu.domain.limits import ControlAllowance
from sidetone.voice_sfu.domain.meter import Drop, Meter
from sidetone.voice_sfu.interface.control import ControlReader, encode


class Wire(Protocol):
    """The connection below a session. None of its methods calls back before it returns."""

    @property
    def video(self) -> VideoLink:
        """Its video streams."""
        ...

    def write(self, stream: int, data: bytes) -> None:
        """Send *data* on *stream*, reliably and in order."""
        ...

    def send_datagram(self, data: bytes) -> bool:
        """Send *data* once; False if an older datagram had to make room."""
        ...

    def allow(self, place: Place) -> None:
        """Let frames pass as *place* says."""
        ...

    def settle(self) -> None:
        """Count what has passed."""
        ...

    def withdraw(self) -> None:
        """Let no more frames pass; a second time does nothing."""
        ...

    def end(self, code: str) -> None:
        """Close the connection, with *code* as the reason."""
        ...


class Session:
    """One client. ``now`` tells seconds of a monotonic clock."""

    def __init__(self, node: Node, wire: Wire, now: Callable[[], float]) -> None:
        self._node = node
        self._wire = wire
        self._now = now
        self._seat: Seat | None = None
        self._control: int | None = None
        self._reader = ControlReader()
        self._allowance = ControlAllowance()
        self._over = False

    # --- what the node asks for ---

    @property
    def video(self) -> VideoLink:
        """The connection's video streams."""
        return self._wire.video

    def send(self, message: ServerMessage) -> None:
        """Tell *message* on the control stream."""
        if self._control is not None and not self._over:
            self._wire.write(self._control, encode(message))

    def forward(self, datagram: bytes) -> None:
        """Pass a frame on."""
        if not self._over and not self._wire.send_datagram(datagram) and self._seat:
            self._seat.drop(Drop.QUEUE)

    def allow(self, place: Place) -> None:
        """Let frames pass as *place* says."""
        self._wire.allow(place)

    def settle(self) -> None:
        """Count what has passed."""
        self._wire.settle()

    def withdraw(self) -> None:
        """Let no more frames pass: the member has no place any more."""
        self._wire.withdraw()

    def close(self, code: str, detail: str) -> None:
        """Say why and end the connection; only the first reason counts."""
        if self._over:
            return
        self.send(Error(code, detail))
        self._over = True
        self._wire.end(code)

    # --- what the connection reports ---

    def meters(self) -> tuple[Meter, ...]:
        """Return what counts this member's frames."""
        return (self._node.tally, self._seat.meter) if self._seat else (self._node.tally,)

    def refuse(self, code: str, detail: str) -> None:
        """End a session that did something wrong, and free its place."""
        self.close(code, detail)
        self.lost()

    def ticket_late(self) -> None:
        """End the session if it has not shown a ticket yet."""
        if self._seat is None:
            self.refuse("ticket_timeout", "no voice ticket came in time; join again")

    def receive_stream(self, stream: int, data: bytes, *, ended: bool) -> None:
        """Take what arrived on a stream that the client opened; the first one is for control."""
        if self._over:
            return
        if self._control is None:
            self._control = stream
        if stream != self._control:
            return
        try:
            self._receive_control(data)
        except Refusal as refusal:
            self.refuse(refusal.code, refusal.detail)
            return
        if ended and not self._over:
            self.refuse("control_ended", "the control stream ended; join again")

    def receive_datagram(self, datagram: bytes) -> None:
        """Take a frame; before the ticket there is nobody to hear it."""
        if self._over:
            return
        if self._seat is None:
            self._node.tally.dropped(Drop.UNSEATED)
        elif not self._seat.receive(datagram, self._now()):
            self.refuse("media_flood", "far more frames came than anybody may send")

    def receive_video(self, stream: int, data: bytes, *, ended: bool) -> bool:
        """Take a part of a video frame from a unidirectional stream; False if it is too much."""
        if self._over:
            return False
        try:
            if self._seat is None:
                raise Forbidden("stream_forbidden", "a unidirectional stream needs a video grant")
            return self._seat.receive_video(stream, data, ended=ended)
        except Refusal as refusal:
            self.refuse(refusal.code, refusal.detail)
            return False

    def video_broken_off(self, stream: int) -> None:
        """Note that the rest of a video frame will not come."""
        if not self._over and self._seat is not None:
            self._seat.video_broken_off(stream)

    def lost(self) -> None:
        """Free the place of a client that is gone; a second time does nothing."""
        self._over = True
        if self._seat is not None:
            self._seat.leave()

    def _receive_control(self, data: bytes) -> None:
        now = self._now()
        allowed = self._allowance.take_bytes(len(data), now)
        for message in self._reader.feed(data) if allowed else ():
            allowed = allowed and self._allowance.take_message(now)
            if allowed and not self._over:
                self._handle(message)
        if not allowed:
            raise Invalid("control_rate", "control messages came too fast; join again")

    def _handle(self, message: ClientMessage) -> None:
        if self._seat is not None:
            self._seat.handle(message)
        elif isinstance(message, Join):
            self._seat = self._node.join(self, message.ticket)
        else:
            raise Invalid("join_expected", "the first message is Join, with a voice ticket")
