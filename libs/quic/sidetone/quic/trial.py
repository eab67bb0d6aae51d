"""Find out whether kernels and aioquic understand each other before anybody depends on it.

Two connections of aioquic shake hands in memory, and the kernels take over one side: they must
open what the other side seals, and the other side what they seal and acknowledge. Whatever else
happens is a reason to go without them.
"""

import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import DatagramFrameReceived
from aioquic.tls import CipherSuite
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from sidetone.native import Record
from sidetone.quic.addresses import pack_address
from sidetone.quic.connections import ADDRESS_BYTES
from sidetone.quic.lanes import Lane
from sidetone.quic.packets import OWN_CID_BYTES
from sidetone.quic.wire import Bytes

CLIENT: Final = ("192.0.2.2", 50_000)
SERVER: Final = ("192.0.2.1", 443)

_ALPN: Final = "self-test"
_FLIGHTS_MAX: Final = 8
_FLIGHT_SECONDS: Final = 0.05


class SelfTestError(Exception):
    """The kernels do not do what they should; the text says which part."""


class Trial:
    """The kernels on one side, *peer* of aioquic's on the other, and no network between.

    *connection* is the kernels' record. *hear* gives them a datagram that comes from *place*;
    *say* has them send a frame, and returns the packet.
    """

    def __init__(
        self,
        lane: Lane,
        connection: Record,
        peer: QuicConnection,
        place: tuple[str, int],
        hear: Callable[[Bytes, Bytes], object],
        say: Callable[[bytes], bytes],
    ) -> None:
        self._lane = lane
        self._connection = connection
        self._peer = peer
        self._name = np.zeros(32, np.uint8)
        packed = pack_address(place).ljust(ADDRESS_BYTES, b"\0")
        self._name[:ADDRESS_BYTES] = np.frombuffer(packed, np.uint8)
        self._from = SERVER if place == CLIENT else CLIENT
        self._hear = hear
        self._say = say

    def run(self, frame: bytes, heard: Callable[[], bool]) -> None:
        """Send *frame* both ways; *heard* tells whether it has come.

        Raises ``SelfTestError``, or whatever aioquic raises.
        """
        self._peer.send_datagram_frame(frame)
        self._deliver()
        if not heard():
            raise SelfTestError("a datagram of aioquic's was not understood")
        self._peer.receive_datagram(self._say(frame), self._from, now=time.monotonic())
        if _datagrams(self._peer) != [frame]:
            raise SelfTestError("aioquic did not understand a datagram")
        if int(self._connection.in_flight) == 0:
            raise SelfTestError("a packet that was sent is not on its way")
        self._deliver()
        if int(self._connection.in_flight) != 0:
            raise SelfTestError("an acknowledgement of aioquic's was not understood")
        if not self._lane.keys_are_whole():
            raise SelfTestError("the cipher writes beyond its memory; this is another Nettle")

    def _deliver(self) -> None:
        # Later than its acknowledgements wait.
        for data, _ in self._peer.datagrams_to_send(now=time.monotonic() + 1):
            self._hear(np.frombuffer(data, np.uint8).copy(), self._name)


def pair() -> tuple[QuicConnection, QuicConnection]:
    """Return a client and a server whose handshake is over."""
    shared: Any = {
        "alpn_protocols": [_ALPN],
        "cipher_suites": [CipherSuite.AES_128_GCM_SHA256],
        "max_datagram_frame_size": 65535,
        "connection_id_length": OWN_CID_BYTES,
    }
    client = QuicConnection(
        configuration=QuicConfiguration(is_client=True, verify_mode=ssl.CERT_NONE, **shared)
    )
    configuration = QuicConfiguration(is_client=False, **shared)
    configuration.certificate, configuration.private_key = _certificate()
    server = QuicConnection(
        configuration=configuration,
        original_destination_connection_id=client.original_destination_connection_id,
    )
    client.connect(SERVER, now=time.monotonic())
    for flight in range(_FLIGHTS_MAX):
        # Each flight later than acknowledgements wait: in the end nobody owes one.
        now = time.monotonic() + flight * _FLIGHT_SECONDS
        for source, to, address in ((client, server, CLIENT), (server, client, SERVER)):
            if (source.get_timer() or now + 1) <= now:
                source.handle_timer(now=now)
            for data, _ in source.datagrams_to_send(now=now):
                to.receive_datagram(data, address, now=now)
    return client, server


def _certificate() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make a certificate that nobody will ever see, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _ALPN)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    return made.sign(key, SHA256()), key


def _datagrams(quic: QuicConnection) -> list[bytes]:
    found: list[bytes] = []
    while (event := quic.next_event()) is not None:
        if isinstance(event, DatagramFrameReceived):
            found.append(event.data)
    return found
