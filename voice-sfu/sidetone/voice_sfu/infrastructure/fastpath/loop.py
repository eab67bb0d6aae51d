"""The media thread's work: receive, open, pass on, acknowledge; and tell asyncio of the rest."""

from typing import Final

from sidetone.native import Record, kernel, signature
from sidetone.native.atomics import load
from sidetone.native.clock import now_ns as clock_ns
from sidetone.quic import batches, cids, frames, packets, received, sent, system
from sidetone.quic.aead import CIPHER
from sidetone.quic.batches import (
    BATCH,
    DATAGRAM_BYTES_MAX,
    Batch,
)
from sidetone.quic.connections import OFF, ON
from sidetone.quic.packets import DUPLICATE, FORGED, SLOW
from sidetone.quic.wire import BROKEN, Bytes, int64
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.infrastructure.fastpath import media, rates, routing, words
from sidetone.voice_sfu.infrastructure.fastpath.media import FLOOD, MEDIA, Media
from sidetone.voice_sfu.infrastructure.fastpath.routing import REASONS
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROW

ACK_DELAY_NS: Final = 55_000_000
"""How long a native speaker's packets wait to be acknowledged, if nothing goes to it before.

Peers are told 100 ms; the rest is for a thread that looks every 40.
"""

LOOK_NS: Final = 15_000_000
"""How often at most the thread looks at small packets; it is woken every 40 ms at the latest."""

_FLOOD: Final = REASONS.index(Drop.FLOOD)


@kernel(signature("void", MEDIA, "int64", "int64"))
def owe_ack(shared: Media, index: int, since_ns: int) -> None:
    """Note that a packet wants to be acknowledged, and list the row once."""
    row = shared.rows[index]
    if row.connection.ack_since_ns == 0:
        row.connection.ack_since_ns = since_ns
    if not row.ack_listed:
        row.ack_listed = 1
        last = shared.words[words.ACKS_FIRST] + shared.words[words.ACKS_COUNT]
        shared.ack_list[last % shared.ack_list.size] = index
        shared.words[words.ACKS_COUNT] += 1


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64"))
def send_acks(shared: Media, batch: Batch, cipher: Record, now_ns: int) -> None:
    """Acknowledge what has waited long enough. Rows are listed in the order of their packets."""
    for _ in range(shared.words[words.ACKS_COUNT]):
        index = shared.ack_list[shared.words[words.ACKS_FIRST]]
        row = shared.rows[index]
        if (
            row.connection.ack_since_ns != 0
            and now_ns - row.connection.ack_since_ns < ACK_DELAY_NS
        ):
            return
        shared.words[words.ACKS_FIRST] = (
            shared.words[words.ACKS_FIRST] + 1
        ) % shared.ack_list.size
        shared.words[words.ACKS_COUNT] -= 1
        row.ack_listed = 0
        if row.connection.ack_since_ns != 0 and row.connection.state == ON:
            if not batches.has_room(batch):
                batches.send(batch, shared.words[words.SOCKET])
            routing.emit(shared, batch, cipher, index, now_ns)


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "uint8[::1]", "int64", "int64", "int64"))
def take_frames(  # noqa: PLR0913, PLR0917 - the thread's state, whose text, and where it stands
    shared: Media,
    batch: Batch,
    cipher: Record,
    index: int,
    data: Bytes,
    at: int,
    end: int,
    now_ns: int,
) -> None:
    """Act on the frames of an opened packet; all of them are the kernels' to handle."""
    row = shared.rows[index]
    wants_ack = False
    while at < end:
        kind = data[at]
        if kind < frames.PING:
            at += 1
        elif kind == frames.PING:
            at += 1
            wants_ack = True
        elif kind <= frames.ACK_ECN:
            at = sent.take_ack(row.connection, data, at, end, now_ns)
        else:
            start, at = frames.datagram(data, at, end)
            wants_ack = True
            routing.forward(shared, batch, cipher, index, data, start, at, now_ns)
    if wants_ack:
        owe_ack(shared, index, now_ns)


@kernel(signature("int64", MEDIA, "uint8[::1]"))
def _row_of(shared: Media, packet: Bytes) -> int:
    """Return the row that a datagram is for, or -1."""
    if not packets.is_short(packet):
        return -1
    place = cids.find(shared.cid_keys, shared.cid_rows, cids.key_of(packet, 1))
    return shared.cid_rows[place] if place >= 0 else -1


@kernel(signature("boolean", MEDIA, "int64", "uint8[::1]", "int64"))
def _admits(shared: Media, index: int, packet: Bytes, now_ns: int) -> bool:
    row = shared.rows[index]
    verdict = rates.arrived(row, shared.rates, now_ns)
    if verdict == rates.PASS:
        return True
    row.counts.drops[_FLOOD] += 1
    if verdict == rates.CLOSE and not row.flooded:
        row.flooded = 1
        media.tell(shared, FLOOD, index, packet, 0, 0)
    return False


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "uint8[::1]", "int64", "int64", "int64"))
def _take_leading(  # noqa: PLR0913, PLR0917 - the thread's state, whose text, and where it stands
    shared: Media,
    batch: Batch,
    cipher: Record,
    index: int,
    data: Bytes,
    at: int,
    end: int,
    now_ns: int,
) -> None:
    """Act on the ACKs and DATAGRAMs at the beginning of a packet that goes to aioquic as well.

    A voice must not wait for asyncio because an acknowledgement that is aioquic's shares its
    packet. How many were passed on is noted, for aioquic will read them too.
    """
    row = shared.rows[index]
    shared.words[words.PASSED_ROW] = index
    shared.words[words.PASSED] = 0
    while at < end:
        if data[at] <= frames.PING:
            at += 1
        elif (
            data[at] <= frames.ACK_ECN and sent.check_ack(row.connection, data, at, end) != BROKEN
        ):
            at = sent.take_ack(row.connection, data, at, end, now_ns)
        elif data[at] > frames.ACK_ECN and frames.is_datagram(data, at, end):
            start, at = frames.datagram(data, at, end)
            routing.forward(shared, batch, cipher, index, data, start, at, now_ns)
            shared.words[words.PASSED] += 1
        else:
            return


@kernel(signature("boolean", MEDIA, ROW, "int64"))
def _reaches_aioquic(shared: Media, row: Record, number: int) -> bool:
    """Tell whether aioquic will read packet *number*, which was opened.

    What it does not read must not be acknowledged, or it never comes again: packets of the key
    phase before, and all while asyncio is far behind.
    """
    return number >= row.connection.phase_since and media.notice_slot(shared) >= 0


@kernel(
    signature("boolean", MEDIA, BATCH, CIPHER, "uint8[::1]", "uint8[::1]", "uint8[::1]", "int64")
)
def take_packet(  # noqa: PLR0913, PLR0917 - the thread's state, a datagram, room to open it, time
    shared: Media,
    batch: Batch,
    cipher: Record,
    packet: Bytes,
    name: Bytes,
    text: Bytes,
    now_ns: int,
) -> bool:
    """Do all that a datagram asks for; False if aioquic has to see it, untouched.

    *text* has room for the longest datagram.
    """
    index = _row_of(shared, packet)
    if index >= 0 and not _admits(shared, index, packet, now_ns):
        return True
    if index < 0 or shared.rows[index].connection.state == OFF:
        return False
    row = shared.rows[index]
    start, end, number = packets.open_packet(row.connection, cipher, packet, text)
    if start in (FORGED, DUPLICATE):
        row.connection.counts.forged += start == FORGED
        row.connection.counts.duplicates += start == DUPLICATE
        return True
    if start == SLOW or not packets.is_from(row.connection.peer, name):
        return False
    is_fast = frames.are_fast(row.connection, text, start, end)
    if not is_fast and not _reaches_aioquic(shared, row, number):
        return True
    received.note(row.connection, number, now_ns)
    row.connection.heard_ns = now_ns
    row.connection.counts.packets_in += 1
    if is_fast:
        take_frames(shared, batch, cipher, index, text, start, end, now_ns)
    else:
        _take_leading(shared, batch, cipher, index, text, start, end, now_ns)
    return is_fast


@kernel(signature("void", MEDIA, BATCH, BATCH, CIPHER, "uint8[::1]", "int64", "int64"))
def _take_batch(  # noqa: PLR0913, PLR0917 - the thread's state, both ways, and how much came
    shared: Media,
    arrived: Batch,
    batch: Batch,
    cipher: Record,
    text: Bytes,
    count: int,
    now_ns: int,
) -> None:
    for k in range(count):
        start = k * DATAGRAM_BYTES_MAX
        length = min(batches.length(arrived, k), int64(DATAGRAM_BYTES_MAX))
        packet = arrived.data[start : start + length]
        name = arrived.names[k]
        if not take_packet(shared, batch, cipher, packet, name, text, now_ns):
            media.tell_packet(shared, packet, length, name)


@kernel(signature("void", MEDIA, BATCH, BATCH, CIPHER, "uint8[::1]", "int64"))
def _take_small(
    shared: Media, arrived: Batch, batch: Batch, cipher: Record, text: Bytes, now_ns: int
) -> None:
    """Take what has come to the socket for small packets, if it is time to look there."""
    descriptor = shared.words[words.BESIDE]
    if descriptor < 0 or now_ns - shared.words[words.LOOKED_NS] < LOOK_NS:
        return
    shared.words[words.LOOKED_NS] = now_ns
    count = batches.RECEIVED_MAX
    while count == batches.RECEIVED_MAX:
        count = batches.receive(arrived, descriptor, system.DONT_WAIT)
        _take_batch(shared, arrived, batch, cipher, text, count, now_ns)


@kernel(signature("void", MEDIA, BATCH, BATCH, CIPHER, "uint8[::1]", "int64"), release=True)
def run(
    shared: Media, arrived: Batch, batch: Batch, cipher: Record, text: Bytes, turns: int
) -> None:
    """Work until told to stop, or for so many *turns*; each waits for datagrams, 40 ms at most.

    Voices go first: what is small can wait until they have left.
    """
    while turns != 0 and load(shared.words, words.STOP) == 0:
        turns -= 1
        count = batches.receive(arrived, shared.words[words.SOCKET], system.WAIT_FOR_ONE)
        now_ns = clock_ns()
        system.acquire(shared.lock)
        _take_batch(shared, arrived, batch, cipher, text, count, now_ns)
        routing.flush(shared, batch, cipher, now_ns)
        _take_small(shared, arrived, batch, cipher, text, now_ns)
        send_acks(shared, batch, cipher, now_ns)
        routing.flush(shared, batch, cipher, now_ns)
        system.release(shared.lock)
        if shared.words[words.NOTICED]:
            shared.words[words.NOTICED] = 0
            _wake(shared)


@kernel(signature("void", MEDIA))
def _wake(shared: Media) -> None:
    """Add one to the eventfd that asyncio waits for."""
    shared.words[words.ONE] = 1
    system.write(shared.words[words.WAKE], shared.words.ctypes.data + 8 * words.ONE, 8)
