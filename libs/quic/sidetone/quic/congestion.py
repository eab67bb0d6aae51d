"""How much aioquic lets a connection that carries voices have on its way."""

from collections.abc import Iterable

from aioquic.quic.congestion.base import register_congestion_control
from aioquic.quic.congestion.reno import RenoCongestionControl
from aioquic.quic.packet_builder import QuicSentPacket
from typing_extensions import override

from sidetone.quic.connections import WINDOW_MIN


class VoiceWindow(RenoCongestionControl):
    """New Reno that never closes below what a few voices need.

    A voice does not grow into the bandwidth it finds: its rate is bounded where it begins, and
    what a path cannot carry is dropped, not queued. Halving at every loss would only mute who
    has a link that loses a little; a link that carries nothing is given up as silent.
    """

    @override
    def on_packets_lost(self, *, now: float, packets: Iterable[QuicSentPacket]) -> None:
        super().on_packets_lost(now=now, packets=packets)
        self.congestion_window = max(self.congestion_window, WINDOW_MIN)

    @override
    def on_persistent_congestion(self) -> None:
        super().on_persistent_congestion()
        self.congestion_window = WINDOW_MIN


register_congestion_control(VoiceWindow.__name__, VoiceWindow)
