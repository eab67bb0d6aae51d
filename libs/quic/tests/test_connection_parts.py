"""Connections of aioquic go on without what was only there for their handshake."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.tls import CipherSuite, Epoch

from sidetone.quic import CONNECTION_IDS, VERSIONS, keep_few_ids
from sidetone.quic.connection_parts import ConnectionParts
from sidetone.runtime.tls import Identity

CLIENT, SERVER = ("192.0.2.2", 50_000), ("192.0.2.1", 443)
FLIGHTS = 8
UNEXPECTED_MESSAGE = 0x100 + 10


class Pair:
    """A client and a server in memory, with all that was sent between them."""

    def __init__(self, folder: Path) -> None:
        identity = Identity.open(folder / "tls", [], 1_750_000_000_000)
        shared: Any = {
            "cipher_suites": [CipherSuite.AES_128_GCM_SHA256],
            "max_datagram_frame_size": 1200,
            "supported_versions": [*VERSIONS],
        }
        self.client = QuicConnection(
            configuration=QuicConfiguration(is_client=True, verify_mode=ssl.CERT_NONE, **shared)
        )
        configuration = QuicConfiguration(is_client=False, **shared)
        configuration.load_cert_chain(identity.certificate_file, identity.key_file)
        self.server = QuicConnection(
            configuration=configuration,
            original_destination_connection_id=self.client.original_destination_connection_id,
        )
        for end in (self.client, self.server):
            keep_few_ids(end)
        self.sent: list[bytes] = []
        self.now = 0.0
        self.client.connect(SERVER, now=self.now)
        self.run()
        ConnectionParts(self.server).forget_handshake()

    def run(self, client_address: tuple[str, int] = CLIENT) -> None:
        """Let both say all that they have to say."""
        for _ in range(FLIGHTS):
            self.now += 0.05
            for end in (self.client, self.server):
                if (end.get_timer() or self.now + 1) <= self.now:
                    end.handle_timer(now=self.now)
            for data, _ in self.client.datagrams_to_send(now=self.now):
                self.sent.append(data)
                self.server.receive_datagram(data, client_address, now=self.now)
            for data, _ in self.server.datagrams_to_send(now=self.now):
                self.client.receive_datagram(data, SERVER, now=self.now)

    def heard(self, end: QuicConnection) -> list[Any]:
        """Return what has happened to *end* since the last time."""
        found: list[Any] = []
        while (event := end.next_event()) is not None:
            found.append(event)
        return found

    def talks(self, text: bytes) -> bool:
        """Tell whether a stream and a datagram go through in both directions."""
        for end in (self.client, self.server):
            end.send_stream_data(end.get_next_available_stream_id(), text, end_stream=True)
            end.send_datagram_frame(text)
        self.run()
        said = (events.StreamDataReceived, events.DatagramFrameReceived)
        heard = [
            [event.data for event in self.heard(end) if isinstance(event, said)]
            for end in (self.client, self.server)
        ]
        return heard == [[text, text], [text, text]]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_streams_and_datagrams_go_on(pair: Pair) -> None:
    assert pair.talks(b"first")
    assert pair.talks(b"second")


def test_keys_are_renewed_by_both_ends(pair: Pair) -> None:
    for end in (pair.client, pair.server):
        end.request_key_update()
        assert pair.talks(b"with new keys")
    assert pair.server._cryptos[Epoch.ONE_RTT].send.key_phase == 0


def test_a_client_moves_again_and_again(pair: Pair) -> None:
    for port in range(50_001, 50_007):
        pair.client.change_connection_id()
        pair.client.send_ping(port)
        pair.run(client_address=("192.0.2.3", port))
        assert pair.server.get_peer_address() == ("192.0.2.3", port)
    assert pair.talks(b"from elsewhere")


def test_the_handshake_may_be_repeated_by_the_network(pair: Pair) -> None:
    for data in list(pair.sent):
        pair.server.receive_datagram(data, CLIENT, now=pair.now)
    assert pair.talks(b"undisturbed")


def test_nobody_goes_on_with_the_handshake(pair: Pair) -> None:
    pair.client._crypto_streams[Epoch.ONE_RTT].sender.write(bytes(100))
    pair.run()
    ended = [
        each for each in pair.heard(pair.client) if isinstance(each, events.ConnectionTerminated)
    ]
    assert [each.error_code for each in ended] == [UNEXPECTED_MESSAGE]


def test_a_close_is_heard(pair: Pair) -> None:
    pair.server.close(error_code=1, reason_phrase="left")
    pair.run()
    reasons = [getattr(each, "reason_phrase", None) for each in pair.heard(pair.client)]
    assert "left" in reasons


def test_each_end_keeps_few_ids_of_the_other(pair: Pair) -> None:
    for end in (pair.client, pair.server):
        assert 1 + len(end._peer_cid_available) == len(end._host_cids) == CONNECTION_IDS
