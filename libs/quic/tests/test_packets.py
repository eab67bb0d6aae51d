"""Packets that kernels make and open, against aioquic's own."""

import socket
from typing import Any

import numpy as np
import pytest
from aioquic.buffer import Buffer
from aioquic.quic.crypto import CryptoContext, CryptoPair, derive_key_iv_hp, next_key_phase
from aioquic.tls import CipherSuite
from hypothesis import given
from hypothesis import strategies as st

from sidetone.native import Record, records
from sidetone.quic import aead, batches, connections, frames, packets
from sidetone.quic.addresses import pack_address, unpack_address
from sidetone.quic.connections import CONNECTION, PEER
from sidetone.quic.packets import DUPLICATE, FORGED, SLOW
from sidetone.quic.wire import BROKEN
from tests.load.quic_shapes import guarded, said, varint

SUITE, VERSION = CipherSuite.AES_128_GCM_SHA256, 1
NUMBERS = st.one_of(
    st.integers(0, 1 << 40),
    st.integers((1 << 17) - 3, (1 << 17) + 3),
    st.integers((1 << 16) - 3, (1 << 16) + 3),
)


def _context(secret: bytes, phase: int = 0) -> CryptoContext:
    context = CryptoContext(key_phase=phase)
    context.setup(cipher_suite=SUITE, secret=secret, version=VERSION)
    return context


class Sealed:
    """A row with keys, and aioquic's other side of it."""

    def __init__(self, cid: bytes = bytes(8), phase: int = 0) -> None:
        self.pair = CryptoPair()
        self.pair.recv, self.pair.send = _context(b"s" * 32, phase), _context(b"o" * 32, phase)
        self.row = records(CONNECTION, 1)[0]
        connections.clear(self.row, 0)
        self.cipher = records(aead.CIPHER, 1)[0]
        peer = self.row.peer
        self._kept: list[Any] = []
        for end, secret in (("seal", b"s" * 32), ("open", b"o" * 32)):
            key, iv, mask = derive_key_iv_hp(cipher_suite=SUITE, secret=secret, version=VERSION)
            self._keep(peer, f"{end}s", aead.new_context(key))
            self._keep(peer, "masks" if end == "seal" else "unmasks", aead.new_mask_context(mask))
            peer[f"{end}_iv"] = np.frombuffer(iv, np.uint8)
        peer.key_phase, peer.cid_length = phase, len(cid)
        peer.cid[: len(cid)] = np.frombuffer(cid, np.uint8)

    def seal(self, text: bytes, number: int) -> bytes:
        out = guarded(1 + 20 + 4 + max(4, len(text)) + 16)
        head = packets.begin(self.row, out, number)
        out[head : head + len(text)] = np.frombuffer(text, np.uint8)
        size = packets.finish(self.row, self.cipher, out, head, head + len(text), number)
        return out[:size].tobytes()

    def open(self, packet: bytes) -> tuple[int, int, bytes]:
        data, out = guarded(len(packet)), guarded(len(packet))
        data[:] = np.frombuffer(packet, np.uint8)
        start, end, number = packets.open_packet(self.row, self.cipher, data, out)
        assert data.tobytes() == packet
        return start, number, out[start:end].tobytes() if start > 0 else b""

    def from_peer(self, text: bytes, number: int, flags: int = 0, bytes_: int = 2) -> bytes:
        first = 0x40 | self.pair.send.key_phase << 2 | flags | bytes_ - 1
        head = bytes([first]) + bytes(8)
        return self.pair.encrypt_packet(
            head + (number & (1 << 8 * bytes_) - 1).to_bytes(bytes_, "big"), text, number
        )

    def next_phase(self) -> None:
        """Begin another key phase on our side, as a lane does it."""
        peer = self.row.peer
        peer.opens_before, peer.open_before_iv[:] = peer.opens, peer.open_iv
        following = next_key_phase(_context(b"o" * 32, int(peer.key_phase)))
        key, iv, _ = derive_key_iv_hp(cipher_suite=SUITE, secret=following.secret, version=VERSION)
        self._keep(peer, "opens", aead.new_context(key))
        peer.open_iv[:] = np.frombuffer(iv, np.uint8)
        peer.key_phase = following.key_phase
        self.row.phase_since = (1 << 63) - 1

    def _keep(self, peer: Record, name: str, context: Any) -> None:
        self._kept.append(context)
        peer[name] = context.ctypes.data


@given(
    st.binary(max_size=20), NUMBERS, st.integers(0, 1 << 21), st.binary(max_size=60),
    st.integers(0, 1),
)  # fmt: skip
def test_aioquic_opens_what_kernels_seal(
    cid: bytes, number: int, unacked: int, text: bytes, phase: int
) -> None:
    ours = Sealed(cid, phase)
    ours.row.largest_acked = max(0, number - unacked)
    packet = ours.seal(text, number)
    head, plain, found = ours.pair.decrypt_packet(packet, 1 + len(cid), number)
    assert (found, plain[: len(text)], head[1 : 1 + len(cid)]) == (number, text, cid)
    assert not any(plain[len(text) :])
    assert len(plain) <= max(len(text), 4)


@given(NUMBERS, st.integers(1, 4), st.binary(min_size=4, max_size=60), st.integers(-60, 60))
def test_kernels_open_what_aioquic_seals(
    number: int, length: int, text: bytes, behind: int
) -> None:
    ours = Sealed()
    ours.row.received_largest = max(-1, number - 1 + behind)
    start, found, plain = ours.open(ours.from_peer(text, number, bytes_=length))
    assert (start, found, plain) == (9 + length, number, text)


@given(st.integers(0, 1 << 40), st.binary(min_size=4, max_size=40), st.data())
def test_one_wrong_bit_anywhere_and_nothing_opens(
    number: int, text: bytes, data: st.DataObject
) -> None:
    ours = Sealed()
    ours.row.received_largest = number - 1
    packet = bytearray(ours.from_peer(text, number))
    at = data.draw(st.integers(1, len(packet) - 1))
    packet[at] ^= 1 << data.draw(st.integers(0, 7))
    start, _, opened = ours.open(bytes(packet))
    # A number that looks long gone counts as seen; what looks like the next phase is aioquic's.
    assert start in (FORGED, DUPLICATE, SLOW)
    assert opened == b""


def test_reserved_bits_are_for_aioquic_to_judge() -> None:
    ours = Sealed()
    for flags in (0x08, 0x10, 0x18):
        assert ours.open(ours.from_peer(b"\x01\0\0\0", 7, flags=flags))[0] == SLOW
    assert ours.open(ours.from_peer(b"\x01\0\0\0", 7, flags=0x20))[0] > 0


def test_a_packet_of_the_phase_before_opens_until_the_present_one_is_reached() -> None:
    ours = Sealed()
    old = [ours.from_peer(b"\x01\0\0\0", number) for number in (3, 5, 9)]
    ours.row.received_largest = 4
    ours.next_phase()
    assert ours.open(old[1])[0] > 0
    ours.pair._update_key("local_update")
    new = ours.from_peer(b"\x01\0\0\0", 7)
    assert ours.open(new)[0] > 0
    assert ours.row.phase_since == 7
    assert ours.open(old[0])[0] > 0
    assert ours.open(old[2])[0] == SLOW, "the phase before never goes on after a later one"


def test_the_next_phase_is_for_aioquic_to_begin() -> None:
    ours = Sealed()
    ours.pair._update_key("local_update")
    assert ours.open(ours.from_peer(b"\x01\0\0\0", 3))[0] == SLOW


@given(st.binary(min_size=1, max_size=200))
def test_datagrams_are_found_where_aioquic_finds_them(data: bytes) -> None:
    row = records(CONNECTION, 1)[0]
    connections.clear(row, 0)
    text = b"\x31" + varint(len(data)) + data
    packet = np.frombuffer(b"\0\x01" + text + b"\x30" + data, np.uint8).copy()
    assert frames.judge(row, packet, 0, packet.size) == frames.ELICITING
    start, end = frames.datagram(packet, 2, packet.size)
    assert packet[start:end].tobytes() == data
    assert frames.datagram(packet, end, packet.size) == (end + 1, packet.size)
    buffer = Buffer(data=text)
    assert buffer.pull_uint_var() == 0x31
    assert buffer.pull_uint_var() == end - start


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x31",
        b"\x31\x05abcd",
        b"\x31\x40",
        said(b"abc")[:-1],
        b"\x31" + varint((1 << 62) - 1) + b"x",
        b"\x40\x31\x01x",
        b"\x02",
        b"\x02\x00\x00\x00",
        b"\x02\x05\x00\x00\x06",
        b"\x03\x00\x00\x00\x00\x00\x00",
        b"\x08\x00x",
        b"\x1c\x00\x00\x00",
        b"\x01\x00\x07",
    ],
)
def test_what_is_not_whole_or_not_ours_is_for_aioquic(payload: bytes) -> None:
    row = records(CONNECTION, 1)[0]
    connections.clear(row, 0)
    row.next_number = 100
    data = guarded(len(payload))
    data[:] = np.frombuffer(payload, np.uint8)
    assert frames.judge(row, data, 0, data.size) == frames.OTHERS


def test_an_ack_of_what_aioquic_has_sent_is_for_aioquic() -> None:
    row = records(CONNECTION, 1)[0]
    connections.clear(row, 0)
    row.next_number = 100
    ack = np.frombuffer(b"\x02" + varint(50) + bytes(3), np.uint8).copy()
    for tracked_from, fast in ((-1, True), (51, True), (50, False), (0, False)):
        row.tracked_from = tracked_from
        assert frames.judge(row, ack, 0, ack.size) == (frames.QUIET if fast else frames.SHARED)
    assert BROKEN < 0


# --- datagrams in batches ---


@pytest.mark.parametrize(
    "address",
    [
        ("127.0.0.1", 1),
        ("255.255.255.255", 65535),
        ("::1", 443, 0, 0),
        ("::ffff:192.0.2.1", 443, 0, 0),
        ("fe80::1", 443, 7, 3),
    ],
)
def test_an_address_is_packed_as_the_c_library_wants_it(address: tuple[Any, ...]) -> None:
    packed = pack_address(address)
    assert len(packed) == (28 if ":" in address[0] else 16)
    assert unpack_address(packed.ljust(28, b"\0")) == address


def test_a_destination_that_nobody_reaches_costs_nobody_else_anything() -> None:
    batch = batches.new_batch(batches.SENT_MAX, batches.PACKET_BYTES_MAX)
    peer = records(PEER, 1)[0]
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        good, bad = receiver.getsockname(), ("127.0.0.1", 0)
        for number, address in enumerate([good, bad, good, bad, good]):
            packed = pack_address(address)
            peer.address_length = len(packed)
            peer.address[: len(packed)] = np.frombuffer(packed, np.uint8)
            batch.data[batch.words[batches.USED]] = number
            batches.add(batch, peer, 1 + number)
        batches.send(batch, sender.fileno())
        assert [receiver.recv(100)[0] for _ in range(3)] == [0, 2, 4]
    assert batch.words[batches.UNSENT] == 2
    assert batch.words[batches.FILLED] == batch.words[batches.USED] == 0


def test_a_batch_has_room_until_one_more_packet_would_not_fit() -> None:
    batch = batches.new_batch(batches.SENT_MAX, batches.PACKET_BYTES_MAX)
    peer = records(PEER, 1)[0]
    count = 0
    while batches.has_room(batch):
        assert batch.words[batches.USED] + batches.PACKET_BYTES_MAX <= batch.data.size
        batches.add(batch, peer, batches.PACKET_BYTES_MAX)
        count += 1
    assert count >= batches.SENT_MAX - 2


def test_what_arrives_is_taken_at_once_with_its_address() -> None:
    batch = batches.new_batch(batches.RECEIVED_MAX, batches.DATAGRAM_BYTES_MAX)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        sender.bind(("127.0.0.1", 0))
        lengths = [0, 1, 1200, 2048, 3000]
        for length in lengths:
            sender.sendto(bytes([length % 251]) * length, receiver.getsockname())
        assert batches.receive(batch, receiver.fileno(), 0x10000) == len(lengths)
        assert [batches.length(batch, k) for k in range(5)] == [0, 1, 1200, 2048, 2048]
        assert unpack_address(batch.names[4][:28].tobytes()) == sender.getsockname()
        assert batches.receive(batch, receiver.fileno(), 0x40) <= 0
