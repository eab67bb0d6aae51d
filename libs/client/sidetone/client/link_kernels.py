"""A link's packets without the interpreter: the loop of its media thread, in one kernel.

It waits until a datagram comes, the capturing thread has sealed a frame, asyncio wants something
or an acknowledgement is due. Frames go from packets into the playing thread's ring and from the
capturing thread's ring into packets; what is not for kernels goes to aioquic as it came.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from sidetone.audio import rings
from sidetone.audio.rings import FRAME_SLOT, STALE_NS, TAKEN
from sidetone.e2ee.schedule import MediaKind
from sidetone.native import Record, kernel, parts, signature
from sidetone.native.atomics import load
from sidetone.native.clock import now_ns as clock_ns
from sidetone.quic import batches, cids, intake, notices, outgoing, packets, sent, system
from sidetone.quic.aead import CIPHER
from sidetone.quic.batches import BATCH, DATAGRAM_BYTES_MAX, Batch
from sidetone.quic.connections import CONNECTION, OFF, ON
from sidetone.quic.notices import NOTICES, Notices
from sidetone.quic.outgoing import AROUND_BYTES_MAX, FRAME_HEAD_BYTES_MAX, FRAMES_BYTES_MAX
from sidetone.quic.wire import BROKEN, Bytes, int64

# Places in the words of a link. STOP is written by another thread, the rest under the lock.
STOP: Final = 0
SOCKET: Final = 8
CONTROL: Final = 9
"""The eventfd by which asyncio wakes the thread."""
CAPTURED: Final = 10
"""The descriptor by which the capturing thread wakes it."""
SPEAKS: Final = 11
"""Whether this link is the one whose frames the capturing thread seals."""
DROPPED: Final = 12
"""Frames that found the network full, or were too long for the peer."""
_ONE: Final = 13
_COUNT: Final = 16

FRAME: Final = 1
"""The kind of a notice that holds a frame for another than the playing thread."""

ACK_DELAY_NS: Final = 90_000_000
"""How long what came waits to be acknowledged; the node is told 100 ms."""

_AUDIO: Final = int(MediaKind.AUDIO)
_WAIT_NS_MAX: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000
_POLLIN: Final = 1
_POLLED: Final = 3
_32_BITS: Final = 0xFFFFFFFF


class Link(NamedTuple):
    """The state of one link. Guarded by *lock*, which all links of a call share."""

    connection: Any
    cid_keys: Any
    cid_rows: Any
    lock: Any
    words: Any
    polled: Any
    told: Notices
    sent: Any
    sent_words: Any
    arrived: Any
    arrived_words: Any


LINK: Final = parts(
    Link,
    connection=[CONNECTION],
    cid_keys="uint64[::1]",
    cid_rows="int32[::1]",
    lock="uint8[::1]",
    words="int64[::1]",
    polled="int64[::1]",
    told=NOTICES,
    sent=[FRAME_SLOT],
    sent_words="int64[::1]",
    arrived=[FRAME_SLOT],
    arrived_words="int64[::1]",
)


def new_words() -> Any:  # noqa: ANN401 - an array that kernels are given
    """Make the words of a link that nothing wakes yet."""
    words = np.zeros(_COUNT, np.int64)
    words[SOCKET] = words[CONTROL] = words[CAPTURED] = -1
    return words


def new_polled() -> Any:  # noqa: ANN401 - an array that kernels are given
    """Make room for what the thread waits for: three of ``struct pollfd``, a word each."""
    return np.zeros(_POLLED, np.int64)


# --- what has come ---


@kernel(signature("void", LINK, "uint8[::1]", "int64", "int64", "int64"))
def _deliver(link: Link, text: Bytes, start: int, end: int, now_ns: int) -> None:
    """Let the playing thread have an audio frame, and asyncio all others."""
    if end > start and text[start] >> 4 & 3 == _AUDIO:
        rings.put_part(link.arrived, link.arrived_words, text, start, end - start, now_ns)
    else:
        notices.tell(link.told, FRAME, 0, text, start, end - start)


@kernel(signature("boolean", LINK, CIPHER, "uint8[::1]", "uint8[::1]", "uint8[::1]", "int64"))
def take_packet(
    link: Link, cipher: Record, packet: Bytes, name: Bytes, text: Bytes, now_ns: int
) -> bool:
    """Do all that a datagram asks for; False if aioquic has to see it, untouched.

    *text* has room for the longest datagram.
    """
    if not packets.is_short(packet):
        return False
    if cids.find(link.cid_keys, link.cid_rows, cids.key_of(packet, 1)) < 0:
        return False
    connection = link.connection[0]
    verdict, at, end = intake.take(connection, link.told, cipher, packet, name, text, now_ns)
    passed = 0
    while at < end:
        start, at = intake.next_datagram(connection, text, at, end, now_ns)
        if start == BROKEN:
            break
        _deliver(link, text, start, at, now_ns)
        passed += 1
    if verdict == intake.ELICITING and connection.ack_since_ns == 0:
        connection.ack_since_ns = now_ns
    if verdict == intake.MIXED:
        link.told.words[notices.PASSED] = passed
    return verdict not in (intake.MIXED, intake.UNOPENED)


@kernel(signature("void", LINK, BATCH, CIPHER, "uint8[::1]", "int64", "int64"))
def _take_batch(
    link: Link, arrived: Batch, cipher: Record, text: Bytes, count: int, now_ns: int
) -> None:
    for k in range(count):
        start = k * DATAGRAM_BYTES_MAX
        length = min(batches.length(arrived, k), int64(DATAGRAM_BYTES_MAX))
        packet = arrived.data[start : start + length]
        if not take_packet(link, cipher, packet, arrived.names[k], text, now_ns):
            notices.tell_packet(link.told, packet, length, arrived.names[k])


@kernel(signature("void", LINK, "uint8[::1]", "int64"))
def deliver(link: Link, frame: Bytes, now_ns: int) -> None:
    """Let the playing thread have a frame that aioquic has read."""
    system.acquire(link.lock)
    rings.put_part(link.arrived, link.arrived_words, frame, 0, frame.size, now_ns)
    system.release(link.lock)


# --- what is to be sent ---


@kernel(signature("void", LINK, BATCH))
def _make_room(link: Link, batch: Batch) -> None:
    if not batches.has_room(batch):
        batches.send(batch, link.words[SOCKET])


@kernel(signature("boolean", LINK, "int64", "int64"))
def _may_go(link: Link, length: int, now_ns: int) -> bool:
    """Tell whether a packet may begin with a frame of *length* bytes."""
    connection = link.connection[0]
    need = length + FRAME_HEAD_BYTES_MAX
    return need <= connection.peer.frame_max and sent.may_send(
        connection, need + AROUND_BYTES_MAX, now_ns
    )


@kernel(signature("void", LINK, BATCH, CIPHER, "int64"))
def _say(link: Link, batch: Batch, cipher: Record, now_ns: int) -> None:
    """Make one packet of the frames that wait, as many as fit; the first one may go."""
    connection = link.connection[0]
    head, at = outgoing.begin(connection, batch, now_ns)
    room = at + FRAMES_BYTES_MAX
    while rings.waiting(link.sent_words) > 0:
        slot = link.sent[link.sent_words[TAKEN] % link.sent.size]
        if at + slot.length + FRAME_HEAD_BYTES_MAX > room:
            break
        at = outgoing.put_datagram(connection.peer, batch, at, slot.frame, slot.length)
        rings.take_some(link.sent_words, 1)
    outgoing.finish(connection, batch, cipher, head, at, True, now_ns)  # noqa: FBT003


@kernel(signature("void", LINK, BATCH, CIPHER, "int64"))
def say_all(link: Link, batch: Batch, cipher: Record, now_ns: int) -> None:
    """Make packets of all frames that wait, and of the acknowledgement that is due.

    While aioquic sends, frames wait in their ring. Late ones are worth nothing, and what the
    window does not take is dropped.
    """
    connection = link.connection[0]
    if connection.state != ON:
        return
    while link.words[SPEAKS] and rings.waiting(link.sent_words) > 0:
        slot = link.sent[link.sent_words[TAKEN] % link.sent.size]
        if now_ns - slot.at_ns > STALE_NS:
            rings.take_some(link.sent_words, 1)
        elif _may_go(link, slot.length, now_ns):
            _make_room(link, batch)
            _say(link, batch, cipher, now_ns)
        else:
            link.words[DROPPED] += 1
            rings.take_some(link.sent_words, 1)
    if connection.ack_since_ns != 0 and now_ns - connection.ack_since_ns >= ACK_DELAY_NS:
        _make_room(link, batch)
        head, at = outgoing.begin(connection, batch, now_ns)
        outgoing.finish(connection, batch, cipher, head, at, False, now_ns)  # noqa: FBT003


# --- the thread ---


@kernel(signature("void", LINK, "int64", "int64"))
def _watch(link: Link, place: int, descriptor: int) -> None:
    link.polled[place] = descriptor & _32_BITS | _POLLIN << 32


@kernel(signature("boolean", LINK, "int64"))
def _is_ready(link: Link, place: int) -> bool:
    return link.polled[place] >> 48 & 0xFFFF != 0


@kernel(signature("void", LINK, "uint8[::1]"))
def _wait(link: Link, scratch: Bytes) -> None:
    """Wait for one of three descriptors, or until an acknowledgement is due."""
    words, connection = link.words, link.connection[0]
    wait_ns = int64(_WAIT_NS_MAX)
    if connection.state == ON and connection.ack_since_ns != 0:
        wait_ns = max(connection.ack_since_ns + ACK_DELAY_NS - clock_ns(), int64(0))
    _watch(link, 0, words[SOCKET])
    _watch(link, 1, words[CONTROL])
    _watch(link, 2, words[CAPTURED] if words[SPEAKS] else int64(-1))
    timeout_ms = (wait_ns + _NS_PER_MS - 1) // _NS_PER_MS
    system.poll(link.polled.ctypes.data, _POLLED, np.int32(timeout_ms))
    if _is_ready(link, 1):
        system.read(words[CONTROL], scratch.ctypes.data, 8)
    if _is_ready(link, 2):
        system.read(words[CAPTURED], scratch.ctypes.data, scratch.size)


@kernel(signature("void", LINK, BATCH, BATCH, CIPHER, "uint8[::1]", "int64"), release=True)
def run(link: Link, arrived: Batch, batch: Batch, cipher: Record, text: Bytes, turns: int) -> None:
    """Work until told to stop, or for so many *turns*; each waits for something to do."""
    while turns != 0 and load(link.words, STOP) == 0:
        turns -= 1
        _wait(link, text)
        count = batches.receive(arrived, link.words[SOCKET], system.DONT_WAIT)
        now_ns = clock_ns()
        system.acquire(link.lock)
        _take_batch(link, arrived, cipher, text, count, now_ns)
        say_all(link, batch, cipher, now_ns)
        batches.send(batch, link.words[SOCKET])
        system.release(link.lock)
        notices.ring(link.told)


# --- what asyncio does ---


@kernel(signature("void", LINK))
def wake(link: Link) -> None:
    """Have the thread look again."""
    link.words[_ONE] = 1
    system.write(link.words[CONTROL], link.words.ctypes.data + 8 * _ONE, 8)


@kernel(signature("void", LINK, "int64", "int64", "boolean"))
def end_sending(link: Link, next_number: int, tracked_from: int, usable: bool) -> None:  # noqa: FBT001
    """Take the record back from aioquic, which goes on at *next_number*; off if not *usable*."""
    system.acquire(link.lock)
    connection = link.connection[0]
    connection.next_number = next_number
    connection.tracked_from = tracked_from
    connection.state = ON if usable else OFF
    system.release(link.lock)
    wake(link)


@kernel(signature("void", LINK, "int64"))
def owe_ack(link: Link, since_ns: int) -> None:
    """Have what has come acknowledged in time, counted from *since_ns*."""
    system.acquire(link.lock)
    connection = link.connection[0]
    if connection.ack_since_ns == 0 or since_ns < connection.ack_since_ns:
        connection.ack_since_ns = since_ns
    system.release(link.lock)
    wake(link)


@kernel(signature("void", LINK, "boolean"))
def let_speak(link: Link, speaks: bool) -> None:  # noqa: FBT001
    """Let this link send what the capturing thread seals, or no more."""
    system.acquire(link.lock)
    link.words[SPEAKS] = speaks
    system.release(link.lock)
    wake(link)


@kernel(signature("void", LINK))
def give_back(link: Link) -> None:
    """Let the thread leave the record alone from now on. Its keys may be wiped afterwards."""
    system.acquire(link.lock)
    link.connection[0].state = OFF
    link.connection[0].ack_since_ns = 0
    link.words[SPEAKS] = 0
    system.release(link.lock)
