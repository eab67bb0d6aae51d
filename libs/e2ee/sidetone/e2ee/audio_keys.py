"""The audio keys of a call, where threads outside the interpreter lock find them.

The owner of the group (`epochs`) puts chains down here and takes them back; the thread that
captures seals with them, the thread that plays opens with them. No lock: a row belongs to its
thread while it is READY, and is wiped by it once the owner has called it RETIRED.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.e2ee.audio_frames import (
    CHAIN,
    CHANGED,
    HEADER,
    JOB,
    NO_EPOCH,
    STALE,
    UNKNOWN,
    WAITS,
    open_audio,
    seal_audio,
    unpadded,
)
from sidetone.e2ee.frames import DATAGRAM_LENGTH_MAX, FRAME_LENGTH_MIN
from sidetone.e2ee.rejected import Rejected
from sidetone.native import Record, Records, kernel, layout, records, signature
from sidetone.native.atomics import load, read_word, store, write_word

ROWS: Final = 16
"""Twice the epochs that may be live at once: the others wait to be wiped."""
MEMBERS_MAX: Final = 2048

FREE: Final = 0
READY: Final = 1
RETIRED: Final = 2

# Where in the words, after the states of the rows that open and of those that seal, stand:
NEWEST: Final = 2 * ROWS
BEGUN: Final = 2 * ROWS + 1
HELD: Final = 2 * ROWS + 2
RUNNING: Final = 2 * ROWS + 3
_WORDS: Final = 2 * ROWS + 4

EPOCH: Final = layout(
    number=np.int64,
    members=np.int64,
    pads=np.int64,
    own=np.int64,
    starts_ns=np.int64,
    stale_ns=np.int64,
)
"""An epoch: how many chains it has, whether its frames are padded, from when and until when
it seals, by the clock of the threads."""


class AudioKeys:
    """The table, from the side of its one owner; *to_ns* turns the member's milliseconds."""

    def __init__(self, to_ns: Callable[[int], int]) -> None:
        self.to_ns = to_ns
        self.words: NDArray[np.int64] = np.zeros(_WORDS, np.int64)
        self.epochs: Records = records(EPOCH, 2 * ROWS)
        self.openers: Records = records(CHAIN, ROWS * MEMBERS_MAX)
        self.sealers: Records = records(CHAIN, ROWS)
        write_word(self.words, NEWEST, -1)

    def begin(
        self, number: int, own: int, chains: Mapping[int, bytes], *, pads: bool, seals_ms: range
    ) -> None:
        """Put down an epoch: the chains of all senders, ours among them.

        It seals in the span *seals_ms* of the member's time. Members beyond 2,048 are not heard,
        nor is anybody when the threads have not wiped a row for as long as eight epochs took.
        """
        row = self._free_row()
        if row is None:
            return
        self._describe(row, number, len(chains), own, pads=pads, seals_ms=seals_ms)
        others = sorted(sender for sender in chains if sender != own)[:MEMBERS_MAX]
        self.epochs[row].members = len(others)
        for at, sender in enumerate(others, row * MEMBERS_MAX):
            _fill(self.openers[at], sender, chains[sender])
        self._describe(ROWS + row, number, 1, own, pads=pads, seals_ms=seals_ms)
        _fill(self.sealers[row], own, chains[own])
        for state in (row, ROWS + row):
            write_word(self.words, state, READY)
        write_word(self.words, NEWEST, number)
        write_word(self.words, BEGUN, read_word(self.words, BEGUN) + 1)

    def retire(self, number: int) -> None:
        """Take an epoch's keys back."""
        for row in range(2 * ROWS):
            if self.epochs[row].number == number and read_word(self.words, row) == READY:
                write_word(self.words, row, RETIRED)
        self._sweep_for_threads()

    def forget(self) -> None:
        """Take all keys back: the call is over for us."""
        for row in range(2 * ROWS):
            if read_word(self.words, row) == READY:
                write_word(self.words, row, RETIRED)
        write_word(self.words, NEWEST, -1)
        self._sweep_for_threads()

    def hold(self, *, held: bool) -> None:
        """Let nothing be sealed, or let it again: somebody's identity has changed."""
        write_word(self.words, HELD, int(held))

    def run(self, *, running: bool) -> None:
        """Note that the threads take part from now on, or do no more."""
        write_word(self.words, RUNNING, int(running))
        self._sweep_for_threads()

    def chain(self, sender: int) -> tuple[bytes, int]:
        """Read a sender's chain in the newest epoch and its generation: for proofs.

        Raises ``Rejected`` with `frame_unknown`.
        """
        newest = read_word(self.words, NEWEST)
        for row in range(ROWS):
            epoch = self.epochs[row]
            if read_word(self.words, row) != READY or epoch.number != newest:
                continue
            if sender == epoch.own:
                return _read(self.sealers[row])
            for at in range(row * MEMBERS_MAX, row * MEMBERS_MAX + int(epoch.members)):
                if self.openers[at].sender == sender:
                    return _read(self.openers[at])
        raise Rejected("frame_unknown", f"Sender {sender} is not in the group.")

    def _free_row(self) -> int | None:
        for row in range(ROWS):
            if not read_word(self.words, row) and not read_word(self.words, ROWS + row):
                return row
        return None

    def _describe(
        self, row: int, number: int, members: int, own: int, *, pads: bool, seals_ms: range
    ) -> None:
        epoch = self.epochs[row]
        epoch.number, epoch.members, epoch.own, epoch.pads = number, members, own, pads
        epoch.starts_ns = self.to_ns(seals_ms.start)
        epoch.stale_ns = self.to_ns(seals_ms.stop)

    def _sweep_for_threads(self) -> None:
        """Wipe what the threads would wipe, where there are none."""
        if not read_word(self.words, RUNNING):
            sweep_openers(self.epochs, self.openers, self.words)
            sweep_sealers(self.epochs, self.sealers, self.words)


def _fill(row: Record, sender: int, chain: bytes) -> None:
    row.sender, row.highest = sender, -1
    row.chain[:] = np.frombuffer(chain, np.uint8)


def _read(row: Record) -> tuple[bytes, int]:
    return row.chain.tobytes(), int(row.generation)


# --- The threads' side ---


@kernel(signature("void", CHAIN))
def _wipe(chain: Record) -> None:
    for at in range(chain.chain.size):
        chain.chain[at] = 0
    for at in range(chain.key.size):
        chain.key[at] = 0
        chain.key_before[at] = 0
    chain.generation = chain.keyed = chain.keyed_before = chain.counter = 0
    chain.window = np.uint64(0)


@kernel(signature("void", [EPOCH], [CHAIN], "int64[::1]"))
def sweep_openers(epochs: Records, openers: Records, words: NDArray[np.int64]) -> None:
    """Wipe the chains to open with that were taken back; the playing thread's duty."""
    for row in range(ROWS):
        if load(words, row) == RETIRED:
            for at in range(epochs[row].members):
                _wipe(openers[row * MEMBERS_MAX + at])
            store(words, row, FREE)


@kernel(signature("void", [EPOCH], [CHAIN], "int64[::1]"))
def sweep_sealers(epochs: Records, sealers: Records, words: NDArray[np.int64]) -> None:
    """Wipe the chains to seal with that were taken back; the capturing thread's duty."""
    for row in range(ROWS):
        if load(words, ROWS + row) == RETIRED:
            _wipe(sealers[row])
            epochs[ROWS + row].members = 0
            store(words, ROWS + row, FREE)


@kernel(signature("int64", [EPOCH], [CHAIN], "int64[::1]", JOB))
def seal_newest(epochs: Records, sealers: Records, words: NDArray[np.int64], job: Record) -> int:
    """Seal the job's plaintext with the newest epoch that all have had time to reach.

    Returns the frame's length, or a refusal. The job says what time it is.
    """
    if load(words, HELD) != 0:
        return CHANGED
    best = -1
    for row in range(ROWS):
        if load(words, ROWS + row) != READY or epochs[ROWS + row].starts_ns > job.now_ns:
            continue
        if best < 0 or epochs[ROWS + row].number > epochs[ROWS + best].number:
            best = row
    if best < 0:
        return NO_EPOCH
    epoch = epochs[ROWS + best]
    if job.now_ns > epoch.stale_ns:
        return STALE
    job.epoch = epoch.number
    return seal_audio(sealers[best], job, epoch.pads != 0)


@kernel(signature("int64", [CHAIN], "int64", "int64", "int64"))
def _find(openers: Records, begin: int, members: int, sender: int) -> int:
    """Find a sender among an epoch's chains, which are in order; -1 where it has none."""
    low, high = begin, begin + members
    while low < high:
        middle = (low + high) // 2
        if openers[middle].sender < sender:
            low = middle + 1
        else:
            high = middle
    return low if low < begin + members and openers[low].sender == sender else -1


@kernel(signature("int64", [EPOCH], [CHAIN], "int64[::1]", JOB))
def open_any(epochs: Records, openers: Records, words: NDArray[np.int64], job: Record) -> int:
    """Open the job's frame with the key of its epoch and sender, and never try another.

    Returns the plaintext's length, a refusal, or WAITS.
    """
    frame = job.frame
    if job.length < FRAME_LENGTH_MIN or job.length > DATAGRAM_LENGTH_MAX or frame[0] >> 4 != 4:  # noqa: PLR2004
        return HEADER
    job.epoch = -1
    for row in range(ROWS):
        if load(words, row) != READY or epochs[row].number & 255 != frame[1]:
            continue
        at = _find(
            openers, row * MEMBERS_MAX, epochs[row].members, int(frame[2]) << 8 | int(frame[3])
        )
        if at < 0:
            return UNKNOWN
        job.epoch = epochs[row].number
        length = open_audio(openers[at], job)
        return unpadded(frame, length) if length >= 0 and epochs[row].pads != 0 else length
    newest = load(words, NEWEST)
    return WAITS if newest >= 0 and (newest + 1) & 255 == frame[1] else UNKNOWN
