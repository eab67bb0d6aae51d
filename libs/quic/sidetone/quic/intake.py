"""What becomes of a datagram that came: opened and judged, then read frame by frame.

Who runs the kernels does with DATAGRAM frames what they are there for; all that QUIC itself asks
for is done here.
"""

from typing import Final

from sidetone.native import Record, kernel, signature
from sidetone.quic import frames, notices, packets, received, sent
from sidetone.quic.aead import CIPHER
from sidetone.quic.connections import CONNECTION, OFF
from sidetone.quic.notices import NOTICES, Notices
from sidetone.quic.packets import DUPLICATE, FORGED, SLOW
from sidetone.quic.wire import BROKEN, Bytes

DROPPED: Final = 0
"""Nobody is to see it."""
UNOPENED: Final = 1
"""It is for aioquic to open."""
MIXED: Final = 2
"""Its leading frames are to be read; then it is for aioquic as well, which reads them too."""
QUIET: Final = 3
"""It asks for nothing but to be read."""
ELICITING: Final = 4
"""It is to be read, and wants to be acknowledged."""


@kernel(signature("boolean", CONNECTION, NOTICES, "int64"))
def _reaches_aioquic(connection: Record, told: Notices, number: int) -> bool:
    """Tell whether aioquic will read packet *number*, which was opened.

    It does not read packets of the key phase before, nor any while asyncio is far behind.
    """
    return number >= connection.phase_since and notices.has_room(told)


@kernel(
    signature(
        "Tuple((int64, int64, int64))",
        CONNECTION, NOTICES, CIPHER, "uint8[::1]", "uint8[::1]", "uint8[::1]", "int64",
    )
)  # fmt: skip
def take(  # noqa: PLR0913, PLR0917 - the thread's state, a datagram, room to open it, time
    connection: Record,
    told: Notices,
    cipher: Record,
    packet: Bytes,
    name: Bytes,
    text: Bytes,
    now_ns: int,
) -> tuple[int, int, int]:
    """Open *packet* into *text*, as long as the longest datagram, and say what it asks for.

    *packet* has a short header and this connection's id. Returns DROPPED, UNOPENED, MIXED, QUIET
    or ELICITING, and where frames stand in *text*.
    """
    if connection.state == OFF:
        return UNOPENED, 0, 0
    start, end, number = packets.open_packet(connection, cipher, packet, text)
    if start in (FORGED, DUPLICATE):
        connection.counts.forged += start == FORGED
        connection.counts.duplicates += start == DUPLICATE
        return DROPPED, 0, 0
    if start == SLOW or not packets.is_from(connection.peer, name):
        return UNOPENED, 0, 0
    kinds = frames.judge(connection, text, start, end)
    if kinds <= frames.SHARED and not _reaches_aioquic(connection, told, number):
        if kinds == frames.OTHERS:
            # It must not be acknowledged, or it never comes again.
            return DROPPED, 0, 0
        # An acknowledgement that aioquic misses is in the next one as well; a voice is not.
        kinds = frames.ELICITING
    received.note(connection, number, now_ns)
    connection.heard_ns = now_ns
    connection.counts.packets_in += 1
    if kinds <= frames.SHARED:
        return MIXED, start, end
    return (ELICITING if kinds == frames.ELICITING else QUIET), start, end


@kernel(signature("Tuple((int64, int64))", CONNECTION, "uint8[::1]", "int64", "int64", "int64"))
def next_datagram(
    connection: Record, text: Bytes, at: int, end: int, now_ns: int
) -> tuple[int, int]:
    """Act on frames from *at* on until a DATAGRAM; returns where its text begins and ends.

    The first is BROKEN when there are no more, or others come first, which are aioquic's. A voice
    must not wait for asyncio because an acknowledgement that is aioquic's shares its packet.
    """
    while at < end:
        if text[at] <= frames.PING:
            at += 1
        elif text[at] <= frames.ACK_ECN:
            if sent.check_ack(connection, text, at, end) == BROKEN:
                return BROKEN, at
            at = sent.take_ack(connection, text, at, end, now_ns)
        elif frames.is_datagram(text, at, end):
            return frames.datagram(text, at, end)
        else:
            return BROKEN, at
    return BROKEN, end
