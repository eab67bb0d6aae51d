"""Line up the frame counters of all epochs in one stream of indices.

A counter starts at 0 with each epoch of the key schedule, while the sound goes on: counter 0 of a
new epoch follows the last frame of the epoch before it. Kernels over one record of `EPOCHS`.
"""

from typing import Final

import numpy as np

from sidetone.native import Record, kernel, layout, signature

NOWHERE: Final = -(1 << 62)
"""The index of what has no place in the stream: smaller than every index."""
NEVER: Final = 1 << 62
"""Larger than every index."""

_EPOCHS_MAX: Final = 8
_JUMP_FRAMES: Final = 24

EPOCHS: Final = layout(
    known=(np.int64, (_EPOCHS_MAX,)),
    starts=(np.int64, (_EPOCHS_MAX,)),
    highest=np.int64,
)
"""The index at which each of the latest eight epochs starts, and the highest index heard.

An epoch that is not there is -1.
"""


@kernel(signature("void", EPOCHS))
def reset(epochs: Record) -> None:
    """Forget all epochs."""
    for at in range(_EPOCHS_MAX):
        epochs.known[at] = -1
        epochs.starts[at] = NOWHERE
    epochs.highest = -1


@kernel(signature("int64", EPOCHS))
def latest(epochs: Record) -> int:
    """Return the newest epoch begun, or -1."""
    newest = -1
    for at in range(_EPOCHS_MAX):
        newest = max(newest, epochs.known[at])
    return newest


@kernel(signature("void", EPOCHS, "int64", "int64", "int64"))
def begin(epochs: Record, epoch: int, counter: int, missing: int) -> None:
    """Start a new epoch of which *counter* came first, after *missing* frames that did not.

    A counter far from 0 is not a reordered first packet: the listener came in the middle, and
    what it hears first is made to follow what it heard last.
    """
    start = epochs.highest + 1
    if latest(epochs) >= 0:
        start += missing
    if counter > _JUMP_FRAMES:
        start -= counter
    oldest = 0
    for at in range(_EPOCHS_MAX):
        if epochs.known[at] < epochs.known[oldest]:
            oldest = at
    epochs.known[oldest] = epoch
    epochs.starts[oldest] = start


@kernel(signature("int64", EPOCHS, "int64", "int64"))
def index_of(epochs: Record, epoch: int, counter: int) -> int:
    """Place a frame in the stream; ``NOWHERE`` for an epoch never, or long ago, begun."""
    for at in range(_EPOCHS_MAX):
        if epochs.known[at] == epoch and epoch >= 0:
            return epochs.starts[at] + counter
    return NOWHERE


@kernel(signature("int64", EPOCHS, "int64"))
def start_after(epochs: Record, epoch: int) -> int:
    """Return where the next known epoch starts, or ``NEVER``."""
    first = NEVER
    for at in range(_EPOCHS_MAX):
        if epochs.known[at] > epoch:
            first = min(first, epochs.starts[at])
    return first


@kernel(signature("void", EPOCHS, "int64", "int64"))
def shift_after(epochs: Record, epoch: int, frames: int) -> None:
    """Move all later epochs back: the end of *epoch* was longer than it had seemed."""
    for at in range(_EPOCHS_MAX):
        if epochs.known[at] > epoch:
            epochs.starts[at] += frames
    epochs.highest += frames
