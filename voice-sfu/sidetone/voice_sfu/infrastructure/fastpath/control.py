"""What asyncio does to the rows of the media thread: each function holds the lock for a moment."""

from typing import Any

from sidetone.native import Record, kernel, records, signature
from sidetone.quic import batches, system
from sidetone.quic.aead import CIPHER
from sidetone.quic.batches import BATCH, Batch
from sidetone.quic.connections import OFF, ON
from sidetone.quic.wire import Bytes, copy
from sidetone.voice_sfu.infrastructure.fastpath import loop, media, routing, words
from sidetone.voice_sfu.infrastructure.fastpath.media import MEDIA, ROWS, Media, Rows


@kernel(signature("void", MEDIA, "int64", "int64", "int64", "int64"))
def take(shared: Media, index: int, room: int, sender: int, now_ns: int) -> None:
    """Make a free row a connection's, in *room*; it stays off until it knows its peer."""
    system.acquire(shared.lock)
    row = shared.rows[index]
    media.clear(row, now_ns)
    row.filled_ns = now_ns
    row.packets, row.bits = shared.rates.packets, shared.rates.bits
    row.room, row.sender = room, sender
    row.speaks = row.hears = 0
    members = shared.rooms[room]
    members[0] += 1
    members[members[0]] = index
    row.place = members[0]
    system.release(shared.lock)


@kernel(signature("void", MEDIA, "int64"))
def give_back(shared: Media, index: int) -> None:
    """Let nobody hear or send by this row any more. Its keys may be freed afterwards."""
    system.acquire(shared.lock)
    row = shared.rows[index]
    members = shared.rooms[row.room]
    last = members[members[0]]
    members[row.place] = last
    shared.rows[last].place = row.place
    members[0] -= 1
    row.connection.state = OFF
    row.frames_waiting = 0
    row.connection.ack_since_ns = 0
    system.release(shared.lock)


@kernel(signature("void", ROWS, "int64", "boolean", "boolean"))
def allow(shared: Rows, index: int, speaks: bool, hears: bool) -> None:  # noqa: FBT001
    """Set whether the others hear this row, and whether it hears them."""
    system.acquire(shared.lock)
    row = shared.rows[index]
    row.speaks, row.hears = speaks, hears
    system.release(shared.lock)


@kernel(signature("boolean", ROWS, "int64", "int64", "int64", "boolean"))
def end_sending(
    shared: Rows,
    index: int,
    next_number: int,
    tracked_from: int,
    usable: bool,  # noqa: FBT001
) -> bool:
    """Take a row back from aioquic, which goes on at *next_number*; off if it is not *usable*.

    False while frames are held, for this row or others: then `pass_on_held` has to do the rest.
    """
    system.acquire(shared.lock)
    connection = shared.rows[index].connection
    connection.next_number = next_number
    connection.tracked_from = tracked_from
    is_done = shared.words[words.HELD] == 0
    if is_done:
        connection.state = ON if usable else OFF
    system.release(shared.lock)
    return is_done


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "int64"))
def _pass_on_held(shared: Media, batch: Batch, cipher: Record, index: int, now_ns: int) -> None:
    kept = 0
    for k in range(shared.words[words.HELD]):
        held = shared.held[k]
        if held.row == index:
            slot = routing.take_frame(shared, batch, cipher, held.text, 0, held.length, now_ns)
            routing.pass_on(shared, batch, cipher, index, slot, now_ns)
            continue
        if kept != k:
            other = shared.held[kept]
            other.row, other.length = held.row, held.length
            copy(other.text, 0, held.text, 0, held.length)
        kept += 1
    shared.words[words.HELD] = kept


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "boolean", "int64"))
def pass_on_held(
    shared: Media,
    batch: Batch,
    cipher: Record,
    index: int,
    usable: bool,  # noqa: FBT001
    now_ns: int,
) -> None:
    """Take a row back, as `end_sending`, and pass on what was held for it."""
    system.acquire(shared.lock)
    shared.rows[index].connection.state = ON if usable else OFF
    _pass_on_held(shared, batch, cipher, index, now_ns)
    routing.flush(shared, batch, cipher, now_ns)
    system.release(shared.lock)


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "uint8[::1]", "int64"))
def send_frame(
    shared: Media, batch: Batch, cipher: Record, index: int, frame: Bytes, now_ns: int
) -> None:
    """Send a frame of up to 1,000 bytes to one row, now."""
    system.acquire(shared.lock)
    slot = routing.take_frame(shared, batch, cipher, frame, 0, frame.size, now_ns)
    routing.pass_on(shared, batch, cipher, index, slot, now_ns)
    routing.flush(shared, batch, cipher, now_ns)
    system.release(shared.lock)


@kernel(signature("void", ROWS, "int64", "float64"))
def excuse(shared: Rows, index: int, packets: float) -> None:
    """Allow so many packets more to arrive in this second."""
    system.acquire(shared.lock)
    shared.rows[index].second_arrivals -= packets
    system.release(shared.lock)


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "int64"))
def acknowledge(shared: Media, batch: Batch, cipher: Record, index: int, now_ns: int) -> None:
    """Acknowledge what has come on a row now, if it is owed, and not when its time is over."""
    system.acquire(shared.lock)
    row = shared.rows[index]
    if row.connection.ack_since_ns != 0 and row.connection.state == ON:
        routing.emit(shared, batch, cipher, index, now_ns)
        routing.flush(shared, batch, cipher, now_ns)
    system.release(shared.lock)


@kernel(signature("void", MEDIA, "int64", "int64"))
def owe_ack(shared: Media, index: int, now_ns: int) -> None:
    """Have what has come on a row acknowledged in time, counted from now."""
    system.acquire(shared.lock)
    loop.owe_ack(shared, index, now_ns)
    system.release(shared.lock)


def new_buffers() -> tuple[Batch, Any]:
    """Make a batch and a cipher's workspace; each thread has its own."""
    batch = batches.new_batch(batches.SENT_MAX, batches.PACKET_BYTES_MAX)
    return batch, records(CIPHER, 1)[0]
