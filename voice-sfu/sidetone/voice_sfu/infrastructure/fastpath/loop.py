"""The media thread's work: receive, open, pass on, acknowledge; and tell asyncio of the rest."""

from typing import Final

from sidetone.native import Record, kernel, signature
from sidetone.native.atomics import load
from sidetone.native.clock import now_ns as clock_ns
from sidetone.quic import batches, cids, intake, notices, packets, system
from sidetone.quic.aead import CIPHER
from sidetone.quic.batches import (
    BATCH,
    DATAGRAM_BYTES_MAX,
    Batch,
)
from sidetone.quic.connections import ON
from sidetone.quic.wire import BROKEN, Bytes, int64
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.infrastructure.fastpath import rates, routing, words
from sidetone.voice_sfu.infrastructure.fastpath.media import FLOOD, MEDIA, Media
from sidetone.voice_sfu.infrastructure.fastpath.routing import REASONS

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
        notices.tell(shared.notices, FLOOD, index, packet, 0, 0)
    return False


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
    if index < 0:
        return False
    if not _admits(shared, index, packet, now_ns):
        return True
    connection = shared.rows[index].connection
    verdict, at, end = intake.take(connection, shared.notices, cipher, packet, name, text, now_ns)
    passed = 0
    while at < end:
        start, at = intake.next_datagram(connection, text, at, end, now_ns)
        if start == BROKEN:
            break
        routing.forward(shared, batch, cipher, index, text, start, at, now_ns)
        passed += 1
    if verdict == intake.ELICITING:
        owe_ack(shared, index, now_ns)
    if verdict == intake.MIXED:
        shared.notices.words[notices.PASSED] = passed
        shared.notices.words[notices.PASSED_ROW] = index
    return verdict not in (intake.MIXED, intake.UNOPENED)


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
            notices.tell_packet(shared.notices, packet, length, name)


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
        notices.ring(shared.notices)
