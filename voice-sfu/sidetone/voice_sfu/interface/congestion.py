"""How much aioquic lets a connection that carries video have on its way."""

import math

from aioquic.quic.congestion.base import register_congestion_control
from aioquic.quic.packet_builder import QuicSentPacket
from typing_extensions import override

from sidetone.quic.congestion import VoiceWindow
from sidetone.quic.connections import WINDOW_MAX, WINDOW_MIN


class ForwardingWindow(VoiceWindow):
    """The window of a connection that video may go out on as well.

    Video grows into every queue on its way, and a voice waits in the same queues. So the window
    also shrinks when the round trip gets longer, and grows only while it is the limit.
    """

    # As much more than the shortest round trip is a queue, not a late acknowledgement.
    _QUEUE_SECONDS = 0.1
    # The shortest round trip is looked for anew after so long: the path may be another.
    _SHORTEST_FOR_SECONDS = 30.0

    def __init__(self, *, max_datagram_size: int) -> None:
        super().__init__(max_datagram_size=max_datagram_size)
        self._last_at_limit = -1
        self._rtt_shortest = math.inf
        self._shortest_since = -math.inf
        self._shrunk_at = -math.inf

    @override
    def on_packet_sent(self, *, packet: QuicSentPacket) -> None:
        super().on_packet_sent(packet=packet)
        if 2 * self.bytes_in_flight > self.congestion_window:
            self._last_at_limit = packet.packet_number

    @override
    def on_packet_acked(self, *, now: float, packet: QuicSentPacket) -> None:
        window = self.congestion_window
        super().on_packet_acked(now=now, packet=packet)
        grows = packet.packet_number <= self._last_at_limit
        self.congestion_window = min(self.congestion_window, WINDOW_MAX) if grows else window

    @override
    def on_rtt_measurement(self, *, now: float, rtt: float) -> None:
        super().on_rtt_measurement(now=now, rtt=rtt)
        if rtt < self._rtt_shortest or now - self._shortest_since > self._SHORTEST_FOR_SECONDS:
            self._rtt_shortest, self._shortest_since = rtt, now
        queues = rtt - self._rtt_shortest > self._QUEUE_SECONDS
        if queues and now - self._shrunk_at > rtt and self.congestion_window > WINDOW_MIN:
            self._shrunk_at = now
            self.congestion_window = max(self.congestion_window * 7 // 8, WINDOW_MIN)
            self.ssthresh = self.congestion_window


register_congestion_control(ForwardingWindow.__name__, ForwardingWindow)
