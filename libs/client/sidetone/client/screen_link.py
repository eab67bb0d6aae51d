"""Video frames over the QUIC connection that `voice_link` drives, in both directions."""

import asyncio
from typing import Any, Final

from sidetone.client.screen_streams import Arrival, IncomingVideo, OutgoingVideo

# Of the congestion window, what is left to sound and control: a quarter, and no more than this.
_KEPT_BYTES_MAX: Final = 16_000


class LinkVideo:
    """The video streams of one connection; *quic* is aioquic's, whose insides it has to know."""

    def __init__(self, quic: Any) -> None:  # noqa: ANN401 (aioquic tells its window to nobody)
        self._quic = quic
        self._outgoing = OutgoingVideo()
        self._incoming = IncomingVideo()
        self._stream: int | None = None
        self._handed: set[int] = set()

    @property
    def waits(self) -> bool:
        """Whether a frame waits to be sent."""
        return bool(self._outgoing)

    def show(self, frame: bytes) -> asyncio.Future[bool]:
        """Send *frame* as the path takes it; done when it has, with False if it never will."""
        return self._outgoing.add(frame)

    def pump(self) -> None:
        """Hand over what the path takes now, before aioquic sends."""
        if not self._outgoing:
            return
        new_frames_max = self._quic._remote_max_streams_uni - (  # noqa: SLF001
            self._quic.get_next_available_stream_id(is_unidirectional=True) >> 2
        )
        for piece in self._outgoing.take(self._room(), new_frames_max):
            if piece.begins or self._stream is None:
                self._stream = int(self._quic.get_next_available_stream_id(is_unidirectional=True))
            self._quic.send_stream_data(self._stream, piece.data, piece.ended)
            self._handed.add(self._stream)

    def received(self, stream: int, data: bytes, now: float, *, ended: bool) -> list[Arrival]:
        """Take what came on a stream of the node; returns the frames that are whole now."""
        return self._incoming.received(stream, data, now, ended=ended)

    def reset(self, stream: int, now: float) -> list[Arrival]:
        """Note that the node has cut a stream."""
        return self._incoming.reset(stream, now)

    def stopped(self, stream: int) -> None:
        """Note that the node wants no more of a stream of ours; aioquic has reset it."""
        if stream == self._stream:
            self._outgoing.break_off()

    def close(self) -> None:
        """Send nothing more."""
        self._outgoing.close()

    def _room(self) -> int:
        loss = self._quic._loss  # noqa: SLF001
        window = int(loss.congestion_window)
        kept = min(window // 4, _KEPT_BYTES_MAX)
        return window - kept - int(loss.bytes_in_flight) - self._unsent()

    def _unsent(self) -> int:
        """Return what aioquic was handed and has not sent: paced, or without credit."""
        unsent = 0
        for stream in list(self._handed):
            found = self._quic._streams.get(stream)  # noqa: SLF001
            sender = found.sender if found is not None else None
            if sender is None or sender.buffer_is_empty:
                self._handed.discard(stream)
            else:
                unsent += int(sender._buffer_stop - sender.highest_offset)  # noqa: SLF001
        return unsent
