"""Everything that kernels share, as one argument: rows, rooms, and where packets wait."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidetone.native import Record, kernel, layout, parts, records, signature
from sidetone.quic import cids, connections
from sidetone.quic.notices import NOTICES, new_notices
from sidetone.quic.system import new_lock
from sidetone.voice_sfu.infrastructure.fastpath import words
from sidetone.voice_sfu.infrastructure.fastpath.rates import RATES
from sidetone.voice_sfu.infrastructure.fastpath.rows import (
    ROOM_MEMBERS_MAX,
    ROOMS_MAX,
    ROW,
    ROWS_MAX,
)

CIDS_MAX: Final = 16 * ROWS_MAX
"""Places for connection ids, a power of two: aioquic gives eight to each peer."""
NOTICES_MAX: Final = 512
FRAMES_MAX: Final = 128
FRAME_BYTES_MAX: Final = 1000
HELD_MAX: Final = 256

# Kinds of notices, beside `notices.PACKET`: a flood, a frame for evidence, or one for a listener
# whom only aioquic may send to, as while its new address is not proven.
FLOOD: Final = 1
FRAME: Final = 2
DETOUR: Final = 3

FRAME_SLOT: Final = layout(length=np.int64, row=np.int64, text=(np.uint8, (FRAME_BYTES_MAX,)))
"""A frame on its way to listeners; *row* is whose it is to be when it waits for one listener."""


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
    notices=NOTICES,
    frames=[FRAME_SLOT],
    held=[FRAME_SLOT],
    touched="int32[::1]",
    ack_list="int32[::1]",
)


class Rows(NamedTuple):
    """What asyncio changes all the time, made by `rows_of`: a call takes least with these."""

    rows: Any
    lock: Any
    words: Any


ROWS: Final = parts(Rows, rows=[ROW], lock="uint8[::1]", words="int64[::1]")


def rows_of(shared: Media) -> Rows:
    """Return the rows of *shared* as kernels are given them quickest, with what guards them."""
    return Rows(shared.rows.view(np.ndarray), shared.lock, shared.words)


def new_media(packets_per_second: float, bits_per_second: float) -> Media:
    """Make the state of a thread without connections; memory is taken as it is used."""
    rates = records(RATES, 1)[0]
    rates.packets, rates.bits = packets_per_second, bits_per_second
    cid_keys, cid_rows = cids.new_table(CIDS_MAX)
    return Media(
        rows=records(ROW, ROWS_MAX),
        rooms=np.zeros((ROOMS_MAX, 1 + ROOM_MEMBERS_MAX), np.int32),
        cid_keys=cid_keys,
        cid_rows=cid_rows,
        rates=rates,
        lock=new_lock(),
        words=_new_words(),
        notices=new_notices(NOTICES_MAX),
        frames=records(FRAME_SLOT, FRAMES_MAX),
        held=records(FRAME_SLOT, HELD_MAX),
        touched=np.zeros(ROWS_MAX, np.int32),
        ack_list=np.zeros(ROWS_MAX, np.int32),
    )


def _new_words() -> NDArray[np.int64]:
    made = np.zeros(words.COUNT, np.int64)
    made[words.SOCKET] = made[words.BESIDE] = -1
    return made


@kernel(signature("void", ROW, "int64"))
def clear(row: Record, now_ns: int) -> None:
    """Make a row anew for a connection, all but keys and place."""
    connections.clear(row.connection, now_ns)
    row.frames_waiting = row.frames_bytes = 0
    row.second = -1
    row.full_arrivals = row.full_packets = row.full_bits = 0
    row.flooded = 0
    counts = row.counts
    counts.frames_in = counts.bytes_in = counts.frames_out = counts.bytes_out = 0
    counts.drops[:] = 0
