"""Find out whether kernels and aioquic understand each other before anybody depends on it.

Two connections of aioquic shake hands in memory, and the kernels take over one side: they must
open what the other side seals, and the other side what they seal and acknowledge. Whatever else
happens is a reason to run the plain server.
"""

import ssl
import time
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import DatagramFrameReceived
from aioquic.tls import CipherSuite

from sidetone.e2ee.frames import Header
from sidetone.e2ee.schedule import MediaKind
from sidetone.native.clock import now_ns
from sidetone.protocol.ids import ChannelId, Sender
from sidetone.quic import batches
from sidetone.quic.addresses import pack_address
from sidetone.quic.connections import ADDRESS_BYTES
from sidetone.quic.packets import OWN_CID_BYTES
from sidetone.voice_sfu.application.ports import Place
from sidetone.voice_sfu.domain.meter import Meter
from sidetone.voice_sfu.infrastructure.fastpath import control, loop, routing
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import FastPath

_SERVER: Final = ("192.0.2.1", 443)
_CLIENT: Final = ("192.0.2.2", 50_000)
_ALPN: Final = "self-test"
_SENDER: Final = Sender(7)
_FRAME: Final = Header(MediaKind.AUDIO, False, 0, 0, _SENDER, 1).pack() + bytes(40)  # noqa: FBT003
_FLIGHTS_MAX: Final = 8
_FLIGHT_SECONDS: Final = 0.05
_PACKETS_PER_SECOND: Final = 250.0
_BITS_PER_SECOND: Final = 400_000.0


class SelfTestError(Exception):
    """The fast path does not do what it should; the text says which part."""


class _Nobody:
    def flooded(self) -> None:
        raise SelfTestError("one packet counts as a flood")

    def detour(self, frame: bytes) -> None:
        raise SelfTestError(f"a frame of {len(frame)} bytes makes a detour")

    def meters(self) -> tuple[Meter, ...]:
        return ()


def check(certificate_file: Path, key_file: Path) -> None:
    """Raise ``SelfTestError``, or whatever aioquic raises, where the fast path cannot be used."""
    client, server = _pair(certificate_file, key_file)
    path = FastPath(_PACKETS_PER_SECOND, _BITS_PER_SECOND)
    place = Place(ChannelId(UUID(int=1)), _SENDER, speaks=True, hears=True)
    lane = path.connect(server, place, _Nobody())
    if lane is None:
        raise SelfTestError("there is no row for a connection")
    try:
        lane.allow(speaks=True, hears=True)
        _Trial(path, lane.index, client).run()
        if not lane.keys_are_whole():
            raise SelfTestError("the cipher writes beyond its memory; this is another Nettle")
    finally:
        lane.close()


class _Trial:
    """The kernels on one side, aioquic's client on the other, and no network between."""

    def __init__(self, path: FastPath, index: int, client: QuicConnection) -> None:
        self._shared = path.shared
        self._index = index
        self._row = path.shared.rows[index]
        self._client = client
        self._batch, self._cipher = control.new_buffers()

    def run(self) -> None:
        """Send both ways."""
        self._client.send_datagram_frame(_FRAME)
        self._hear(self._client)
        if int(self._row.counts.frames_in) != 1:
            raise SelfTestError("a datagram of aioquic's was not understood")
        self._say(_FRAME)
        if _datagrams(self._client) != [_FRAME]:
            raise SelfTestError("aioquic did not understand a datagram")
        if int(self._row.connection.in_flight) == 0:
            raise SelfTestError("a packet that was sent is not on its way")
        self._hear(self._client)
        if int(self._row.connection.in_flight) != 0:
            raise SelfTestError("an acknowledgement of aioquic's was not understood")

    def _hear(self, client: QuicConnection) -> None:
        name = np.zeros(32, np.uint8)
        packed = pack_address(_CLIENT).ljust(ADDRESS_BYTES, b"\0")
        name[:ADDRESS_BYTES] = np.frombuffer(packed, np.uint8)
        text = np.zeros(batches.DATAGRAM_BYTES_MAX, np.uint8)
        # Later than its acknowledgements wait.
        for data, _ in client.datagrams_to_send(now=time.monotonic() + 1):
            packet = np.frombuffer(data, np.uint8).copy()
            loop.take_packet(self._shared, self._batch, self._cipher, packet, name, text, now_ns())

    def _say(self, frame: bytes) -> None:
        data, now = np.frombuffer(frame, np.uint8).copy(), now_ns()
        arguments = (self._shared, self._batch, self._cipher)
        slot = routing.take_frame(*arguments, data, 0, data.size, now)
        routing.pass_on(*arguments, self._index, slot, now)
        routing.emit(*arguments, self._index, now)
        size = int(self._batch.vectors[0, 1])
        self._client.receive_datagram(
            self._batch.data[:size].tobytes(), _SERVER, now=time.monotonic()
        )


def _pair(certificate_file: Path, key_file: Path) -> tuple[QuicConnection, QuicConnection]:
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
    configuration.load_cert_chain(certificate_file, key_file)  # pyright: ignore[reportUnknownMemberType]
    server = QuicConnection(
        configuration=configuration,
        original_destination_connection_id=client.original_destination_connection_id,
    )
    client.connect(_SERVER, now=time.monotonic())
    for flight in range(_FLIGHTS_MAX):
        # Each flight later than acknowledgements wait: in the end nobody owes one.
        now = time.monotonic() + flight * _FLIGHT_SECONDS
        for source, to, address in ((client, server, _CLIENT), (server, client, _SERVER)):
            if (source.get_timer() or now + 1) <= now:
                source.handle_timer(now=now)
            for data, _ in source.datagrams_to_send(now=now):
                to.receive_datagram(data, address, now=now)
    return client, server


def _datagrams(quic: QuicConnection) -> list[bytes]:
    found: list[bytes] = []
    while (event := quic.next_event()) is not None:
        if isinstance(event, DatagramFrameReceived):
            found.append(event.data)
    return found
