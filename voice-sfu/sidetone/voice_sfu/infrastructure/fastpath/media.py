"""Everything that kernels share, as one argument: rows, rooms, and where packets wait."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidetone.native import Record, kernel, layout, parts, records, signature
from sidetone.native.atomics import load, store
from sidetone.voice_sfu.infrastructure.fastpath import words
from sidetone.voice_sfu.infrastructure.fastpath.rates import RATES
from sidetone.voice_sfu.infrastructure.fastpath.rows import (
    ADDRESS_BYTES,
    NEVER,
    ROOM_MEMBERS_MAX,
    ROOMS_MAX,
    ROW,
    ROWS_MAX,
)
from sidetone.voice_sfu.infrastructure.fastpath.sent import WINDOW_MAX, WINDOW_MIN
from sidetone.voice_sfu.infrastructure.fastpath.system import new_lock
from sidetone.voice_sfu.infrastructure.fastpath.wire import Bytes, copy, int64

Keys = NDArray[np.uint64]
Places = NDArray[np.int32]

CIDS_MAX: Final = 16 * ROWS_MAX
"""Places for connection ids, a power of two: aioquic gives eight to each peer."""
NOTICES_MAX: Final = 512
FRAMES_MAX: Final = 128
FRAME_BYTES_MAX: Final = 1000
HELD_MAX: Final = 256

# Kinds of notices.
PACKET: Final = 0
FLOOD: Final = 1
FRAME: Final = 2
DETOUR: Final = 3

NOTICE: Final = layout(
    kind=np.int64,
    row=np.int64,
    length=np.int64,
    passed=np.int64,
    name=(np.uint8, (32,)),
    text=(np.uint8, (2048,)),
)
"""What the media thread tells asyncio: a datagram for aioquic, a flood, a frame for evidence, or
one for a listener whom only aioquic may send to, as while its new address is not proven.

The first *passed* DATAGRAM frames of a datagram have been passed on already.
"""

FRAME_SLOT: Final = layout(length=np.int64, row=np.int64, text=(np.uint8, (FRAME_BYTES_MAX,)))
"""A frame on its way to listeners; *row* is whose it is to be when it waits for one listener."""

_FREE: Final = -1
_GONE: Final = -2
_HASH: Final = 0x9E3779B97F4A7C15


class Media(NamedTuple):
    """The state of one media thread; made by `new_media`. Guarded by *lock*, but for notices."""

    rows: Any
    rooms: Any
    cid_keys: Any
    cid_rows: Any
    rates: Any
    lock: Any
    words: Any
    notices: Any
    frames: Any
    held: Any
    touched: Any
    ack_list: Any


MEDIA: Final = parts(
    Media,
    rows=[ROW],
    rooms="int32[:, ::1]",
    cid_keys="uint64[::1]",
    cid_rows="int32[::1]",
    rates=RATES,
    lock="uint8[::1]",
    words="int64[::1]",
    notices=[NOTICE],
    frames=[FRAME_SLOT],
    held=[FRAME_SLOT],
    touched="int32[::1]",
    ack_list="int32[::1]",
)


def new_media(packets_per_second: float, bits_per_second: float) -> Media:
    """Make the state of a thread without connections; memory is taken as it is used."""
    rates = records(RATES, 1)[0]
    rates.packets, rates.bits = packets_per_second, bits_per_second
    return Media(
        rows=records(ROW, ROWS_MAX),
        rooms=np.zeros((ROOMS_MAX, 1 + ROOM_MEMBERS_MAX), np.int32),
        cid_keys=np.zeros(CIDS_MAX, np.uint64),
        cid_rows=np.full(CIDS_MAX, _FREE, np.int32),
        rates=rates,
        lock=new_lock(),
        words=_new_words(),
        notices=records(NOTICE, NOTICES_MAX),
        frames=records(FRAME_SLOT, FRAMES_MAX),
        held=records(FRAME_SLOT, HELD_MAX),
        touched=np.zeros(ROWS_MAX, np.int32),
        ack_list=np.zeros(ROWS_MAX, np.int32),
    )


def _new_words() -> NDArray[np.int64]:
    made = np.zeros(words.COUNT, np.int64)
    made[words.SOCKET] = made[words.BESIDE] = made[words.WAKE] = -1
    return made


# --- connection ids ---


@kernel(signature("int64", "uint8[::1]", "int64"))
def cid_key(data: Bytes, at: int) -> np.uint64:
    """Read the eight bytes of a connection id of ours as one number."""
    key = np.uint64(0)
    for k in range(8):
        key = key << np.uint64(8) | np.uint64(data[at + k])
    return key


@kernel("int64(uint64[::1], int32[::1], uint64)")
def find_cid(keys: Keys, rows: Places, key: np.uint64) -> int:
    """Return the place of *key* in the table, or -1. Open addressing."""
    last = keys.size - 1
    place = int64(key * np.uint64(_HASH) >> np.uint64(32)) & last
    for _ in range(keys.size):
        if rows[place] == _FREE:
            return -1
        if rows[place] >= 0 and keys[place] == key:
            return place
        place = place + 1 & last
    return -1


@kernel("void(uint64[::1], int32[::1], uint64, int64)")
def add_cid(keys: Keys, rows: Places, key: np.uint64, row: int) -> None:
    """Let *key* lead to *row*; a full table takes no more, and aioquic gets those packets."""
    last = keys.size - 1
    place = int64(key * np.uint64(_HASH) >> np.uint64(32)) & last
    for _ in range(keys.size):
        if rows[place] < 0:
            keys[place] = key
            rows[place] = row
            return
        place = place + 1 & last


@kernel("void(uint64[::1], int32[::1], uint64)")
def remove_cid(keys: Keys, rows: Places, key: np.uint64) -> None:
    """Forget *key*; places behind the last that is used become free again."""
    place = find_cid(keys, rows, key)
    if place < 0:
        return
    last = keys.size - 1
    rows[place] = _GONE
    if rows[place + 1 & last] != _FREE:
        return
    while rows[place] == _GONE:
        rows[place] = _FREE
        place = place - 1 & last


# --- notices ---


@kernel(signature("int64", MEDIA))
def notice_slot(media: Media) -> int:
    """Return where the next notice goes, or -1 while asyncio is far behind."""
    if media.words[words.PUT] - load(media.words, words.TAKEN) >= NOTICES_MAX:
        media.words[words.LOST_NOTICES] += 1
        return -1
    return media.words[words.PUT] % NOTICES_MAX


@kernel(signature("void", MEDIA))
def put_notice(media: Media) -> None:
    """Let asyncio see the notice that was filled in."""
    store(media.words, words.PUT, media.words[words.PUT] + 1)
    media.words[words.NOTICED] = 1


@kernel(signature("void", MEDIA, "int64", "int64", "uint8[::1]", "int64", "int64"))
def tell(media: Media, kind: int, row: int, data: Bytes, start: int, length: int) -> None:
    """Tell asyncio of something that came from *row*."""
    slot = notice_slot(media)
    if slot < 0:
        return
    notice = media.notices[slot]
    notice.kind = kind
    notice.row = row
    notice.length = length
    copy(notice.text, 0, data, start, length)
    put_notice(media)


@kernel(signature("void", MEDIA, "uint8[::1]", "int64", "uint8[::1]"))
def tell_packet(media: Media, data: Bytes, length: int, name: Bytes) -> None:
    """Hand a datagram to aioquic, as it came."""
    slot = notice_slot(media)
    if slot < 0:
        return
    notice = media.notices[slot]
    copy(notice.name, 0, name, 0, ADDRESS_BYTES)
    notice.passed = media.words[words.PASSED]
    media.words[words.PASSED] = 0
    tell(media, PACKET, media.words[words.PASSED_ROW], data, 0, length)


@kernel(signature("void", ROW))
def clear(row: Record) -> None:
    """Make a row anew for a connection, all but keys and place."""
    row.frames_waiting = row.frames_bytes = 0
    row.in_flight = 0
    row.window = WINDOW_MIN
    row.slow_start_until = WINDOW_MAX
    row.ack_since_ns = 0
    row.received_largest = -1
    row.received_low = row.received_high = np.uint64(0)
    row.phase_since = NEVER
    row.tracked_from = -1
    row.unacked_from = row.recovery_number = row.rtt_ns = 0
    row.second = -1
    row.full_arrivals = row.full_packets = row.full_bits = 0
    row.flooded = 0
    row.sent[:] = np.uint64(0)
    counts = row.counts
    counts.frames_in = counts.bytes_in = counts.frames_out = counts.bytes_out = 0
    counts.packets_in = counts.packets_out = counts.lost = 0
    counts.duplicates = counts.forged = 0
    counts.drops[:] = 0
