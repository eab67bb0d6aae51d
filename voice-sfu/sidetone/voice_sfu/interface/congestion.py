"""How much aioquic lets a connection have on its way."""

from collections.abc import Iterable

from aioquic.quic.congestion.base import register_congestion_control
from aioquic.quic.congestion.reno import RenoCongestionControl
from aioquic.quic.packet_builder import QuicSentPacket
from typing_extensions import override


class ForwardingWindow(RenoCongestionControl):
    """New Reno that never closes below what a few voices need.

    A voice does not grow into the bandwidth it finds: its rate is bounded where it comes in, and
    what a path cannot carry is dropped, not queued. Halving at every loss would only mute a
    listener whose link loses a little.
    """

    _BYTES_MIN = 32_000

    @override
    def on_packets_lost(self, *, now: float, packets: Iterable[QuicSentPacket]) -> None:
        super().on_packets_lost(now=now, packets=packets)
        self.congestion_window = max(self.congestion_window, self._BYTES_MIN)

    @override
    def on_persistent_congestion(self) -> None:
        super().on_persistent_congestion()
        self.congestion_window = self._BYTES_MIN


register_congestion_control(ForwardingWindow.__name__, ForwardingWindow)
