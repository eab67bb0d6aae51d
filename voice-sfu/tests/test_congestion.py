"""How much aioquic may have on its way: for voices at least, for video no more than flows."""

from aioquic.quic.packet import QuicPacketType
from aioquic.quic.packet_builder import QuicSentPacket
from aioquic.tls import Epoch

from sidetone.voice_sfu.interface.congestion import ForwardingWindow

PACKET_BYTES = 1200


class Path:
    """Sends a number of packets at a time, and has them acknowledged a round trip later."""

    def __init__(self) -> None:
        self.window = ForwardingWindow(max_datagram_size=PACKET_BYTES)
        self.now = 0.0
        self.numbers = 0

    def round(self, packets: int, rtt: float = 0.05) -> None:
        sent = [self._packet() for _ in range(packets)]
        for packet in sent:
            self.window.on_packet_sent(packet=packet)
        self.now += rtt
        self.window.on_rtt_measurement(now=self.now, rtt=rtt)
        for packet in sent:
            self.window.on_packet_acked(now=self.now, packet=packet)

    def lose(self) -> None:
        packet = self._packet()
        self.window.on_packet_sent(packet=packet)
        self.now += 0.05
        self.window.on_packets_lost(now=self.now, packets=[packet])

    def fill(self, rtt: float = 0.05) -> None:
        self.round(self.window.congestion_window // PACKET_BYTES, rtt)

    def _packet(self) -> QuicSentPacket:
        self.numbers += 1
        return QuicSentPacket(
            Epoch.ONE_RTT,
            in_flight=True,
            is_ack_eliciting=True,
            is_crypto_packet=False,
            packet_number=self.numbers,
            packet_type=QuicPacketType.ONE_RTT,
            sent_time=self.now,
            sent_bytes=PACKET_BYTES,
        )


def test_a_window_that_is_full_grows() -> None:
    path = Path()
    for _ in range(4):
        path.fill()
    assert path.window.congestion_window > 4 * 12_000


def test_a_voice_alone_does_not_open_the_window_for_a_burst() -> None:
    path = Path()
    for _ in range(1000):
        path.round(2)
    assert path.window.congestion_window == 12_000
    assert path.window.bytes_in_flight == 0


def test_a_longer_round_trip_closes_the_window_but_not_for_voices() -> None:
    path = Path()
    for _ in range(5):
        path.fill()
    wide = path.window.congestion_window
    path.round(1, rtt=0.2)
    assert path.window.congestion_window == wide * 7 // 8
    for _ in range(50):
        path.round(1, rtt=0.3)
    assert path.window.congestion_window == 32_000


def test_another_path_gets_its_own_shortest_round_trip() -> None:
    path = Path()
    for _ in range(5):
        path.fill()
    for _ in range(150):
        path.round(1, rtt=0.25)
    narrow = path.window.congestion_window
    for _ in range(3):
        path.fill(rtt=0.25)
    assert path.window.congestion_window > narrow


def test_losses_close_the_window_but_not_for_voices() -> None:
    path = Path()
    for _ in range(20):
        path.lose()
    assert path.window.congestion_window == 32_000
