"""Audio frames sealed and opened in kernels, for threads that never take the interpreter lock.

The same bytes and the same order of checks as `media` (section 2.5 of VX1): replay window,
generation, cipher; and only a frame that opened moves the window or the ratchet. Which keys there
are is decided elsewhere and put down in records (`audio_keys`). Refusals are negative numbers.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.e2ee.fast_aead import STATE_LENGTH, derive_subkey, open_in_place, seal_in_place
from sidetone.e2ee.frames import DATAGRAM_LENGTH_MAX, FRAME_LENGTH_MIN, HEADER_LENGTH
from sidetone.e2ee.media import COUNTER_MAX, GENERATIONS_AHEAD_MAX
from sidetone.e2ee.primitives import KEY_LENGTH, label
from sidetone.e2ee.schedule import FRAME_KEY_LENGTH, GENERATION_BITS
from sidetone.e2ee.sodium import sodium_function
from sidetone.native import Record, kernel, layout, records, signature

Bytes8 = NDArray[np.uint8]

REFUSALS: Final = {
    -1: "frame_header",
    -2: "frame_unknown",
    -3: "frame_replayed",
    -4: "frame_generation",
    -5: "frame_forged",
    -6: "frame_padding",
    -7: "no_epoch",
    -8: "counter_exhausted",
    -9: "frame_size",
    -10: "epoch_stale",
    -11: "identity_changed",
}
"""What negative results mean, in the words of ``Rejected``."""
(
    HEADER,
    UNKNOWN,
    REPLAYED,
    GENERATION,
    FORGED,
    PADDING,
    NO_EPOCH,
    EXHAUSTED,
    SIZE,
    STALE,
    CHANGED,
) = REFUSALS
WAITS: Final = -20
"""Not a refusal: the frame's epoch seems to be the next one, whose commit is on the way."""

WINDOW: Final = 64
FRAME_BYTES_MAX: Final = 1024
PADDING_BLOCK: Final = 32
_PADDING_MARK: Final = 0x80
_GENERATION_MASK: Final = (1 << GENERATION_BITS) - 1
_LABELS: Final = np.frombuffer(label("vx1 ratchet") + label("vx1 frame"), np.uint8).copy()

CHAIN: Final = layout(
    sender=np.int64,
    chain=(np.uint8, (KEY_LENGTH,)),
    generation=np.int64,
    keyed=np.int64,
    key=(np.uint8, (STATE_LENGTH,)),
    keyed_before=np.int64,
    key_before=(np.uint8, (STATE_LENGTH,)),
    highest=np.int64,
    window=np.uint64,
    counter=np.int64,
)
"""One sender's chain in one epoch: ours to seal with, or another's to open with.

*keyed* tells whether *key* is that of *generation* already; *counter* is the next to seal with,
*highest* and *window* are the replay window of those opened (bit n: *highest* - n came).
"""

JOB: Final = layout(
    frame=(np.uint8, (FRAME_BYTES_MAX,)),
    length=np.int64,
    first=np.int64,
    epoch=np.int64,
    now_ns=np.int64,
    labels=(np.uint8, (32,)),
    chain=(np.uint8, (KEY_LENGTH,)),
    chain_next=(np.uint8, (KEY_LENGTH,)),
    key48=(np.uint8, (FRAME_KEY_LENGTH,)),
    words=(np.uint32, (16,)),
    key=(np.uint8, (STATE_LENGTH,)),
    key_before=(np.uint8, (STATE_LENGTH,)),
)
"""What one thread works on: a frame, and room to derive keys in; `new_job` makes one.

*frame* holds header and text, *length* is that of the plaintext before sealing and of the whole
frame before opening, *first* the header's first byte, *epoch* the number of the epoch taken.
"""

_blake2b = sodium_function("crypto_generichash_blake2b_salt_personal", "pnpnpnpp")


def new_job() -> Record:
    """Make what one thread works on."""
    job = records(JOB, 1)[0]
    job.labels[:] = _LABELS
    return job


@kernel(signature("void", "uint8[::1]", "uint8[::1]"))
def _copy(source: Bytes8, target: Bytes8) -> None:
    for at in range(target.size):
        target[at] = source[at]


@kernel(signature("void", JOB, "int64"))
def _ratchet(job: Record, steps: int) -> None:
    """Move ``job.chain`` *steps* generations on."""
    for _ in range(steps):
        _blake2b(
            job.chain_next.ctypes.data,
            KEY_LENGTH,
            0,
            0,
            job.chain.ctypes.data,
            KEY_LENGTH,
            0,
            job.labels.ctypes.data,
        )
        _copy(job.chain_next, job.chain)


@kernel(signature("void", JOB, "uint8[::1]"))
def _derive_key(job: Record, key: Bytes8) -> None:
    """Derive the frame key of ``job.chain`` into the cipher state *key*."""
    _blake2b(
        job.key48.ctypes.data,
        FRAME_KEY_LENGTH,
        0,
        0,
        job.chain.ctypes.data,
        KEY_LENGTH,
        0,
        job.labels.ctypes.data + 16,
    )
    derive_subkey(job.key48, key, job.words)


@kernel(signature("void", CHAIN, JOB))
def _key_up(chain: Record, job: Record) -> None:
    """Derive the key of the chain's generation, if that was not done yet."""
    if chain.keyed == 0:
        _copy(chain.chain, job.chain)
        _derive_key(job, chain.key)
        chain.keyed = 1


# --- Sealing ---


@kernel(signature("int64", "uint8[::1]", "int64", "boolean"))
def _padded(frame: Bytes8, length: int, pads: bool) -> int:  # noqa: FBT001
    """Pad the plaintext after the header as `epochs.pad` does; returns its new length."""
    if not pads:
        return length
    padded = (length // PADDING_BLOCK + 1) * PADDING_BLOCK
    frame[HEADER_LENGTH + length] = _PADDING_MARK
    for at in range(HEADER_LENGTH + length + 1, HEADER_LENGTH + padded):
        frame[at] = 0
    return padded


@kernel(signature("int64", CHAIN, JOB, "boolean"))
def seal_audio(chain: Record, job: Record, pads: bool) -> int:  # noqa: FBT001
    """Seal the job's plaintext, which stands after the header; returns the frame's length.

    The counter is taken before it is used and never set back.
    """
    if job.length < 0 or job.length + PADDING_BLOCK + FRAME_LENGTH_MIN > DATAGRAM_LENGTH_MAX:
        return SIZE
    counter = chain.counter
    if counter > COUNTER_MAX:
        return EXHAUSTED
    chain.counter = counter + 1
    steps = (counter >> GENERATION_BITS) - chain.generation
    if steps > 0:
        _copy(chain.chain, job.chain)
        _ratchet(job, steps)
        _copy(job.chain, chain.chain)
        chain.generation += steps
        chain.keyed = 0
    _key_up(chain, job)
    frame = job.frame
    frame[0] = job.first
    frame[1] = job.epoch & 255
    frame[2] = (chain.sender >> 8) & 255
    frame[3] = chain.sender & 255
    for byte in range(4):
        frame[4 + byte] = (counter >> (24 - 8 * byte)) & 255
    plain = _padded(frame, job.length, pads)
    if not seal_in_place(chain.key, frame, plain):
        return FORGED
    return plain + FRAME_LENGTH_MIN


# --- Opening ---


@kernel(signature("boolean", CHAIN, "int64"))
def _refuses(chain: Record, counter: int) -> bool:
    behind = chain.highest - counter
    if behind >= WINDOW:
        return True
    return behind >= 0 and (chain.window >> np.uint64(behind)) & np.uint64(1) != 0


@kernel(signature("void", CHAIN, "int64"))
def _mark(chain: Record, counter: int) -> None:
    ahead = counter - chain.highest
    if ahead <= 0:
        chain.window |= np.uint64(1) << np.uint64(-ahead)
        return
    moved = chain.window << np.uint64(ahead) if ahead < WINDOW else np.uint64(0)
    chain.window = moved | np.uint64(1)
    chain.highest = counter


@kernel(signature("boolean", CHAIN, JOB, "int64"))
def _open_ahead(chain: Record, job: Record, ahead: int) -> bool:
    """Open with a key *ahead* generations on; only if that works does the chain move there.

    Frames from before the boundary may still be on their way, hence two keys.
    """
    _copy(chain.chain, job.chain)
    _ratchet(job, ahead - 1)
    _derive_key(job, job.key_before)
    _ratchet(job, 1)
    _derive_key(job, job.key)
    if not open_in_place(job.key, job.frame, job.length):
        return False
    _copy(job.chain, chain.chain)
    _copy(job.key, chain.key)
    _copy(job.key_before, chain.key_before)
    chain.generation += ahead
    chain.keyed = chain.keyed_before = 1
    return True


@kernel(signature("boolean", CHAIN, JOB, "int64"))
def _open_at(chain: Record, job: Record, ahead: int) -> bool:
    if ahead > 0:
        return _open_ahead(chain, job, ahead)
    if ahead == 0:
        _key_up(chain, job)
        return open_in_place(chain.key, job.frame, job.length)
    if ahead == -1 and chain.keyed_before != 0:
        return open_in_place(chain.key_before, job.frame, job.length)
    return False


@kernel(signature("int64", CHAIN, JOB))
def open_audio(chain: Record, job: Record) -> int:
    """Open the job's frame of 24 to 1,000 bytes in place; returns the plaintext's length.

    The plaintext then stands after the header. Nothing of *chain* has changed after a refusal.
    """
    counter = 0
    for byte in range(4):
        counter = counter << 8 | int(job.frame[4 + byte])
    if _refuses(chain, counter):
        return REPLAYED
    ahead = (counter >> GENERATION_BITS) - chain.generation
    if ahead > GENERATIONS_AHEAD_MAX:
        return GENERATION
    if not _open_at(chain, job, ahead):
        return FORGED
    _mark(chain, counter)
    if ahead == 0 and chain.keyed_before != 0 and counter & _GENERATION_MASK >= WINDOW:
        chain.keyed_before = 0
        for at in range(STATE_LENGTH):
            chain.key_before[at] = 0
    return job.length - FRAME_LENGTH_MIN


@kernel("int64(uint8[::1], int64)")
def unpadded(frame: Bytes8, length: int) -> int:
    """Return the length of the plaintext after the header without its padding, or a refusal."""
    while length > 0 and frame[HEADER_LENGTH + length - 1] == 0:
        length -= 1
    if length == 0 or frame[HEADER_LENGTH + length - 1] != _PADDING_MARK:
        return PADDING
    return length - 1
