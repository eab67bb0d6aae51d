"""The fast path without its thread: handshakes in memory, and kernels called one by one.

What kernels send leaves through a real socket and arrives at one of each peer's. What they are
given lies against a page that nobody may touch, so that one byte too many ends the process.
"""

import os
import socket
import ssl
import time
from pathlib import Path
from typing import Any, Self

import numpy as np
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import DatagramFrameReceived
from aioquic.tls import CipherSuite, Epoch

from sidetone.protocol.ids import Sender
from sidetone.quic import batches
from sidetone.quic.addresses import pack_address
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.application.ports import Place
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.domain.meter import Meter
from sidetone.voice_sfu.infrastructure.fastpath import control, loop, routing, words
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import FastPath
from tests.load.quic_shapes import guarded
from tests.load.sfu_stage import CHANNEL

SERVER = ("127.0.0.1", 443)
BOUNDLESS = Rates(packets_per_second=1 << 40, bits_per_second=1 << 40)
_FLIGHTS_MAX = 8
_FLIGHT_NS = 50_000_000
_DELIVERY_SECONDS = 10


def new_identity(folder: Path) -> Identity:
    """Return a certificate of ours in *folder*."""
    return Identity.open(folder, [], time.time_ns() // 1_000_000)


def shake_hands(
    identity: Identity, address: tuple[Any, ...], now_ns: int, **changes: Any
) -> tuple[QuicConnection, QuicConnection]:
    """Return a client at *address* and its server, when neither owes the other anything."""
    shared: dict[str, Any] = {
        "alpn_protocols": ["test"],
        "cipher_suites": [CipherSuite.AES_128_GCM_SHA256],
        "max_datagram_frame_size": 65535,
    }
    client = QuicConnection(
        configuration=QuicConfiguration(
            is_client=True, verify_mode=ssl.CERT_NONE, **(shared | changes)
        )
    )
    configuration = QuicConfiguration(is_client=False, connection_id_length=8, **shared)
    configuration.load_cert_chain(identity.certificate_file, identity.key_file)
    server = QuicConnection(
        configuration=configuration,
        original_destination_connection_id=client.original_destination_connection_id,
    )
    client.connect(SERVER, now=now_ns / 1e9)
    for flight in range(_FLIGHTS_MAX):
        now = (now_ns + flight * _FLIGHT_NS) / 1e9
        for source, to, origin in ((client, server, address), (server, client, SERVER)):
            if (source.get_timer() or now + 1) <= now:
                source.handle_timer(now=now)
            for data, _ in source.datagrams_to_send(now=now):
                to.receive_datagram(data, origin, now=now)
    return client, server


class Peer:
    """A member of the stage's room: aioquic on its side, a row on ours."""

    def __init__(self, stage: "Stage", **changes: Any) -> None:
        self.stage = stage
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(_DELIVERY_SECONDS)
        self.address = self.socket.getsockname()
        self.client, self.server = shake_hands(
            stage.identity, self.address, stage.now_ns, **changes
        )
        self.sender = Sender(len(stage.peers) + 1)
        self.floods = 0
        self.detours: list[bytes] = []
        self.meter = Meter()
        place = Place(CHANNEL, self.sender, speaks=True, hears=True)
        lane = stage.path.connect(self.server, place, self)
        assert lane is not None
        self.lane = lane
        lane.allow(speaks=True, hears=True)
        self.row = stage.path.shared.rows[lane.index]
        self.name = np.frombuffer(pack_address(self.address).ljust(32, b"\0"), np.uint8).copy()
        self.number = self.client._packet_number

    # --- what a lane tells its member ---

    def flooded(self) -> None:
        self.floods += 1

    def detour(self, frame: bytes) -> None:
        self.detours.append(frame)

    def meters(self) -> tuple[Meter, ...]:
        return (self.meter,)

    # --- what the peer does ---

    @property
    def cid(self) -> bytes:
        """A connection id that leads to this row."""
        return bytes(self.server._host_cids[0].cid)

    def sealed(self, payload: bytes, number: int | None = None, flags: int = 0) -> bytes:
        """Seal *payload* as the packet of *number*, or as the next; *flags* go into the head."""
        if number is None:
            number = self.number
            self.number += 1
            self.client._packet_number = self.number
        pair = self.client._cryptos[Epoch.ONE_RTT]
        first = 0x41 | pair.key_phase << 2 | flags
        head = bytes([first]) + self.cid + (number & 0xFFFF).to_bytes(2, "big")
        # The mask of the head is made of bytes that must be there; zeros are PADDING.
        return pair.encrypt_packet(head, payload.ljust(2, b"\0"), number)

    def send(self, payload: bytes) -> bool:
        """Send *payload* in the next packet; tells whether the kernels handled it."""
        return self.stage.take(self.sealed(payload), self.name)

    def settle(self) -> None:
        """Let both sides say what they owe; what is not for kernels goes to aioquic."""
        self.client._packet_number = max(self.client._packet_number, self.number)
        now = self.stage.now_ns / 1e9 + 1
        for data, _ in self.client.datagrams_to_send(now=now):
            if not self.stage.take(data, self.name):
                self.lane.receiving()
                self.server.receive_datagram(data, self.address, now=now)
                self.lane.received()
        self.number = self.client._packet_number
        self.lane.sending()
        for data, _ in self.server.datagrams_to_send(now=now):
            self.stage.socket.sendto(data, self.address)
        self.lane.sent()

    def heard(self) -> list[bytes]:
        """Return the frames that were sent to this peer.

        A busy kernel delivers on the loopback a little later, in order for one processor (see
        Stage): what was sent is in when an empty datagram that was sent after it is.
        """
        self.stage.socket.sendto(b"", self.address)
        while data := self.socket.recv(2048):
            self.client.receive_datagram(data, SERVER, now=self.stage.now_ns / 1e9)
        return datagrams(self.client)


def datagrams(quic: QuicConnection) -> list[bytes]:
    """Return the texts of the DATAGRAM frames that *quic* has received, and forget its events."""
    found: list[bytes] = []
    while (event := quic.next_event()) is not None:
        if isinstance(event, DatagramFrameReceived):
            found.append(event.data)
    return found


class Stage:
    """One room on a fast path whose time stands still until somebody moves it.

    It keeps to one processor while it is open: datagrams on the loopback keep their order only
    for each processor that sends.
    """

    def __init__(self, identity: Identity, members: int = 0, rates: Rates = BOUNDLESS) -> None:
        self._processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(self._processors)})
        self.identity = identity
        self.now_ns = time.monotonic_ns()
        self.path = FastPath(rates.packets_per_second, rates.bits_per_second)
        self.shared = self.path.shared
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.shared.words[words.SOCKET] = self.socket.fileno()
        self.buffers = control.new_buffers()
        self._text = guarded(batches.DATAGRAM_BYTES_MAX)
        self._packet = guarded(batches.DATAGRAM_BYTES_MAX)
        self.peers: list[Peer] = []
        for _ in range(members):
            self.add()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self.peers:
            peer.lane.close()
            peer.socket.close()
        self.socket.close()
        os.sched_setaffinity(0, self._processors)

    def add(self, **changes: Any) -> Peer:
        """Let one more member in."""
        peer = Peer(self, **changes)
        self.peers.append(peer)
        # Its row was taken at the real time, before which it has no voice to spend.
        self.now_ns = max(self.now_ns, time.monotonic_ns())
        return peer

    def take(self, data: bytes, name: Any) -> bool:
        """Give a datagram to the kernels; they send what it causes at once."""
        packet = self._packet[self._packet.size - len(data) :]
        packet[:] = np.frombuffer(data, np.uint8)
        handled = loop.take_packet(
            self.shared, *self.buffers, packet, name, self._text, self.now_ns
        )
        self.end_turn()
        return bool(handled)

    def end_turn(self) -> None:
        """Acknowledge and send what is due."""
        loop.send_acks(self.shared, *self.buffers, self.now_ns)
        routing.flush(self.shared, *self.buffers, self.now_ns)

    def wait(self, milliseconds: float) -> None:
        """Let time pass."""
        self.now_ns += int(milliseconds * 1e6)
