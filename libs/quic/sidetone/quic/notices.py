"""What kernels tell asyncio: a ring that one thread fills and another empties, and its bell.

A notice is a datagram for aioquic, or something of a kind that who runs the kernels has defined.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from sidetone.native import kernel, layout, parts, records, signature
from sidetone.native.atomics import load, read_word, store, write_word
from sidetone.quic import system
from sidetone.quic.connections import ADDRESS_BYTES
from sidetone.quic.wire import Bytes, copy

PACKET: Final = 0
"""The kind of a datagram for aioquic; other kinds are greater."""

# Words; each that another thread writes has a cache line. How many were put, and how many taken.
_PUT: Final = 0
TAKEN: Final = 8
FULL: Final = 16
"""How many found no room."""
BELL: Final = 17
"""The eventfd that asyncio waits for."""
_FRESH: Final = 18
_ONE: Final = 19
PASSED: Final = 20
"""DATAGRAM frames of the packet for aioquic that were passed on already."""
PASSED_ROW: Final = 21
"""Whose packet that is."""
_WORDS: Final = 24

NOTICE: Final = layout(
    kind=np.int64,
    row=np.int64,
    length=np.int64,
    passed=np.int64,
    name=(np.uint8, (32,)),
    text=(np.uint8, (2048,)),
)
"""One notice; *name* is where a datagram came from, as the C library writes it."""

_HEAD_WORDS: Final = 4
_NAME_AT: Final = 8 * _HEAD_WORDS
_TEXT_AT: Final = _NAME_AT + 32


class Notices(NamedTuple):
    """Slots and words of a ring; made by `new_notices`."""

    slots: Any
    words: Any


NOTICES: Final = parts(Notices, slots=[NOTICE], words="int64[::1]")


class Notice(NamedTuple):
    """A notice, as asyncio reads it. The first *passed* frames of a datagram were passed on."""

    kind: int
    row: int
    data: bytes
    name: bytes
    passed: int


def new_notices(count: int) -> Notices:
    """Make a ring of *count* slots whose bell nobody hears yet; memory is taken as it is used."""
    words = np.zeros(_WORDS, np.int64)
    words[BELL] = -1
    return Notices(records(NOTICE, count), words)


def taken(notices: Notices) -> Iterator[Notice]:
    """Take all that wait, one after another."""
    slots = notices.slots.view(np.ndarray)
    heads = memoryview(slots.view(np.int64).reshape(slots.size, -1))
    whole = memoryview(slots.view(np.uint8))
    count = read_word(notices.words, TAKEN)
    while count < read_word(notices.words, _PUT):
        slot = count % slots.size
        kind, row, length, passed = (heads[slot, word] for word in range(_HEAD_WORDS))
        name = slot * NOTICE.itemsize + _NAME_AT
        text = slot * NOTICE.itemsize + _TEXT_AT
        notice = Notice(
            kind,
            row,
            bytes(whole[text : text + length]),
            bytes(whole[name : name + ADDRESS_BYTES]),
            passed,
        )
        count += 1
        write_word(notices.words, TAKEN, count)
        yield notice


@kernel(signature("boolean", NOTICES))
def has_room(notices: Notices) -> bool:
    """Tell whether the ring takes one more; counts it if not, as while asyncio is far behind."""
    if notices.words[_PUT] - load(notices.words, TAKEN) < notices.slots.size:
        return True
    notices.words[FULL] += 1
    return False


@kernel(signature("void", NOTICES, "int64", "int64", "uint8[::1]", "int64", "int64"))
def tell(notices: Notices, kind: int, row: int, data: Bytes, start: int, length: int) -> None:
    """Put *length* bytes of *data* as a notice of *kind* that is about *row*."""
    if not has_room(notices):
        return
    notice = notices.slots[notices.words[_PUT] % notices.slots.size]
    notice.kind, notice.row, notice.length = kind, row, length
    copy(notice.text, 0, data, start, length)
    store(notices.words, _PUT, notices.words[_PUT] + 1)
    notices.words[_FRESH] = 1


@kernel(signature("void", NOTICES, "uint8[::1]", "int64", "uint8[::1]"))
def tell_packet(notices: Notices, data: Bytes, length: int, name: Bytes) -> None:
    """Hand a datagram to aioquic, as it came."""
    passed = notices.words[PASSED]
    notices.words[PASSED] = 0
    if not has_room(notices):
        return
    notice = notices.slots[notices.words[_PUT] % notices.slots.size]
    notice.passed = passed
    copy(notice.name, 0, name, 0, ADDRESS_BYTES)
    tell(notices, PACKET, notices.words[PASSED_ROW], data, 0, length)


@kernel(signature("void", NOTICES))
def ring(notices: Notices) -> None:
    """Wake asyncio if anything was told since the last time."""
    words = notices.words
    if words[_FRESH]:
        words[_FRESH] = 0
        words[_ONE] = 1
        system.write(words[BELL], words.ctypes.data + 8 * _ONE, 8)
