"""Packets with a short header (RFC 9000 section 17.3.1): built and sealed, opened and read."""

from typing import Final

import numpy as np

from sidetone.native import Record, kernel, signature
from sidetone.quic import aead, received
from sidetone.quic.aead import CIPHER, NONCE_BYTES, TAG_BYTES
from sidetone.quic.connections import CONNECTION, PEER
from sidetone.quic.wire import (
    Bytes,
    copy,
    int64,
    number_length,
    whole_number,
)

OWN_CID_BYTES: Final = 8
"""How long the connection ids are that we give to peers."""

FORGED: Final = -1
SLOW: Final = -2
DUPLICATE: Final = -3

PACKET_BYTES_MIN: Final = 1 + OWN_CID_BYTES + 4 + aead.MASK_BYTES
"""The shortest packet that can be opened: the mask is made of bytes 4 to 19 after the number's."""

HEAD_BYTES_MAX: Final = 1 + 20 + 4

_NUMBER_BYTES_MAX: Final = 4
_FIXED_BIT: Final = 0x40
_FORM_BITS: Final = 0xC0
_ADDRESS_COMPARED: Final = 24
_INET_BYTES: Final = 16
_PHASE_SHIFT: Final = 2
_MASKED_BITS: Final = 0x1F
_RESERVED_BITS: Final = 0x18
_NUMBER_BITS: Final = 0x03


@kernel(signature("void", CIPHER, "uint8[::1]", "int64"))
def _set_nonce(cipher: Record, iv: Bytes, number: int) -> None:
    for k in range(NONCE_BYTES):
        cipher.nonce[k] = iv[k]
    for k in range(8):
        cipher.nonce[NONCE_BYTES - 1 - k] ^= np.uint8(number >> 8 * k & 255)


@kernel(signature("int64", CONNECTION, "uint8[::1]", "int64"))
def begin(connection: Record, out: Bytes, number: int) -> int:
    """Write the head of packet *number* to *out*; returns its length."""
    peer = connection.peer
    length = number_length(number, connection.largest_acked)
    out[0] = _FIXED_BIT | peer.key_phase << _PHASE_SHIFT | length - 1
    for k in range(peer.cid_length):
        out[1 + k] = peer.cid[k]
    at = 1 + int64(peer.cid_length)
    for k in range(length):
        out[at + k] = np.uint8(number >> 8 * (length - 1 - k) & 255)
    return at + length


@kernel(signature("int64", CONNECTION, CIPHER, "uint8[::1]", "int64", "int64", "int64"))
def finish(
    connection: Record, cipher: Record, out: Bytes, head: int, end: int, number: int
) -> int:
    """Seal what stands in *out* between *head* and *end* and hide the head; returns the size."""
    peer = connection.peer
    while end < 1 + int64(peer.cid_length) + _NUMBER_BYTES_MAX:
        # The mask's sample needs four bytes of number and text (RFC 9001 section 5.4.2).
        out[end] = 0
        end += 1
    _set_nonce(cipher, peer.seal_iv, number)
    address = out.ctypes.data
    aead.seal(cipher, peer.seals, address, head, end - head)
    at = 1 + int64(peer.cid_length)
    aead.mask(cipher, peer.masks, address + at + _NUMBER_BYTES_MAX)
    out[0] ^= cipher.mask[0] & _MASKED_BITS
    for k in range(head - at):
        out[at + k] ^= cipher.mask[1 + k]
    return end + TAG_BYTES


@kernel(signature("boolean", CONNECTION, CIPHER, "uint8[::1]", "int64", "uint8[::1]", "int64"))
def _opens(
    connection: Record, cipher: Record, out: Bytes, head: int, packet: Bytes, before: int
) -> bool:
    """Open *packet* into *out* behind the head that is there; with the key before, if asked."""
    peer = connection.peer
    context = peer.opens_before if before else peer.opens
    return aead.open_sealed(
        cipher,
        context,
        out.ctypes.data,
        head,
        packet.ctypes.data + head,
        out.ctypes.data + head,
        packet.size - head - TAG_BYTES,
    )


@kernel("boolean(uint8[::1])")
def is_short(packet: Bytes) -> bool:
    """Tell whether a datagram may be a packet with a short header, long enough to be opened."""
    return packet.size >= PACKET_BYTES_MIN and packet[0] & _FORM_BITS == _FIXED_BIT


@kernel(signature("boolean", PEER, "uint8[::1]"))
def is_from(peer: Record, name: Bytes) -> bool:
    """Tell whether a datagram came from where the peer is known to be; not by flow or scope."""
    same = True
    for k in range(min(int64(peer.address_length), int64(_ADDRESS_COMPARED))):
        same &= name[k] == peer.address[k] or (4 <= k < 8 and peer.address_length > _INET_BYTES)  # noqa: PLR2004
    return same


@kernel(signature("Tuple((int64, int64, int64))", CONNECTION, CIPHER, "uint8[::1]", "uint8[::1]"))
def open_packet(
    connection: Record, cipher: Record, packet: Bytes, out: Bytes
) -> tuple[int, int, int]:
    """Open *packet*, at least `PACKET_BYTES_MIN` long, into *out*; *packet* stays as it is.

    Returns where the text begins in *out* and ends, and the packet's number. The first is FORGED
    for what no key opens, DUPLICATE for what came before, and SLOW for what is aioquic's to judge:
    another key phase, or bits that must be zero.
    """
    at = 1 + OWN_CID_BYTES
    aead.mask(cipher, connection.peer.unmasks, packet.ctypes.data + at + _NUMBER_BYTES_MAX)
    out[0] = packet[0] ^ cipher.mask[0] & _MASKED_BITS
    length = int64(out[0] & _NUMBER_BITS) + 1
    head = at + length
    copy(out, 1, packet, 1, OWN_CID_BYTES)
    shortened = int64(0)
    for k in range(length):
        out[at + k] = packet[at + k] ^ cipher.mask[1 + k]
        shortened = shortened << 8 | int64(out[at + k])
    number = whole_number(shortened, length, connection.received_largest + 1)
    if packet.size < head + TAG_BYTES:
        return FORGED, 0, number
    other_phase = out[0] >> _PHASE_SHIFT & 1 != connection.peer.key_phase
    if other_phase and (connection.peer.opens_before == 0 or number >= connection.phase_since):
        return SLOW, 0, number
    if received.seen(connection, number):
        return DUPLICATE, 0, number
    _set_nonce(
        cipher, connection.peer.open_before_iv if other_phase else connection.peer.open_iv, number
    )
    if not _opens(connection, cipher, out, head, packet, int64(other_phase)):
        return FORGED, 0, number
    if not other_phase:
        connection.phase_since = min(connection.phase_since, number)
    if out[0] & _RESERVED_BITS:
        return SLOW, 0, number
    return head, packet.size - TAG_BYTES, number
