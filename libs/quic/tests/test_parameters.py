import ssl
from pathlib import Path

import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from sidetone.quic import ACK_DELAY_SECONDS, announce_ack_delay
from sidetone.runtime.tls import Identity

CLIENT, SERVER = ("192.0.2.2", 50_000), ("192.0.2.1", 443)


@pytest.mark.parametrize(("announces", "seconds"), [(True, ACK_DELAY_SECONDS), (False, 0.025)])
def test_the_peer_learns_how_late_acknowledgements_are(
    tmp_path: Path, announces: bool, seconds: float
) -> None:
    identity = Identity.open(tmp_path / "tls", [], 1_750_000_000_000)
    client = QuicConnection(
        configuration=QuicConfiguration(is_client=True, verify_mode=ssl.CERT_NONE)
    )
    configuration = QuicConfiguration(is_client=False)
    configuration.load_cert_chain(identity.certificate_file, identity.key_file)
    server = QuicConnection(
        configuration=configuration,
        original_destination_connection_id=client.original_destination_connection_id,
    )
    if announces:
        announce_ack_delay(client)
    client.connect(SERVER, now=0.0)
    for data, _ in client.datagrams_to_send(now=0.0):
        server.receive_datagram(data, CLIENT, now=0.0)
    assert server._loss.max_ack_delay == seconds
