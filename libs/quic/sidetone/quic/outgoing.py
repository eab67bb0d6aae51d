"""From what is to be said to a packet in a batch: an acknowledgement if one is owed, DATAGRAMs."""

from typing import Final

from sidetone.native import Record, kernel, signature
from sidetone.quic import batches, packets, received, sent
from sidetone.quic.aead import CIPHER, TAG_BYTES
from sidetone.quic.batches import BATCH, PACKET_BYTES_MAX, USED, Batch
from sidetone.quic.connections import CONNECTION, PEER
from sidetone.quic.frames import DATAGRAM_WITH_LENGTH
from sidetone.quic.packets import HEAD_BYTES_MAX
from sidetone.quic.received import ACK_BYTES_MAX
from sidetone.quic.wire import Bytes, copy, put_varint

AROUND_BYTES_MAX: Final = HEAD_BYTES_MAX + ACK_BYTES_MAX + TAG_BYTES
"""What a packet needs besides its DATAGRAM frames."""
FRAMES_BYTES_MAX: Final = PACKET_BYTES_MAX - AROUND_BYTES_MAX
"""How long all DATAGRAM frames of a packet may be together."""
FRAME_HEAD_BYTES_MAX: Final = 3
"""A type, and a length of at most two bytes."""


@kernel(signature("Tuple((int64, int64))", CONNECTION, BATCH, "int64"))
def begin(connection: Record, batch: Batch, now_ns: int) -> tuple[int, int]:
    """Begin the next packet at `USED`, with what is owed as acknowledgement.

    The batch has room for it. Returns the length of the head, and the offset after all.
    """
    out = batch.data[batch.words[USED] :]
    number = connection.next_number
    connection.next_number = number + 1
    head = packets.begin(connection, out, number)
    if connection.ack_since_ns != 0:
        return head, received.put_ack(connection, out, head, now_ns)
    return head, head


@kernel(signature("int64", PEER, BATCH, "int64", "uint8[::1]", "int64"))
def put_datagram(peer: Record, batch: Batch, at: int, text: Bytes, length: int) -> int:
    """Write the first *length* bytes of *text* as a DATAGRAM; returns the offset after it."""
    out = batch.data[batch.words[USED] :]
    prefix = peer.prefix_length
    out[at] = DATAGRAM_WITH_LENGTH
    at = put_varint(out, at + 1, length + prefix)
    copy(out, at, peer.prefix, 0, prefix)
    copy(out, at + prefix, text, 0, length)
    return at + prefix + length


@kernel(signature("void", CONNECTION, BATCH, CIPHER, "int64", "int64", "boolean", "int64"))
def finish(  # noqa: PLR0913, PLR0917 - where the packet stands, and what it carries
    connection: Record,
    batch: Batch,
    cipher: Record,
    head: int,
    end: int,
    carries: bool,  # noqa: FBT001
    now_ns: int,
) -> None:
    """Seal the packet that was begun and take it into the batch.

    One that *carries* frames will be acknowledged, and is on its way until then.
    """
    number = connection.next_number - 1
    out = batch.data[batch.words[USED] :]
    size = packets.finish(connection, cipher, out, head, end, number)
    batches.add(batch, connection.peer, size)
    connection.counts.packets_out += 1
    if carries:
        sent.note(connection, number, size, now_ns)
