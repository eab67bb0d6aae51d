"""Hops for processors that want 10 ms at a time: collected, handed over, given back 5 ms later."""

from typing import Final

import numpy as np

from sidetone.audio import FRAME_SAMPLES, HOP_SAMPLES, Samples
from sidetone.native import Record, kernel, layout, signature

FRAMING: Final = layout(
    filled=np.int64,
    near=(np.float32, (FRAME_SAMPLES,)),
    far=(np.float32, (FRAME_SAMPLES,)),
    out=(np.float32, (FRAME_SAMPLES,)),
)
"""What came from the microphone, what went to the loudspeaker, what goes back; fresh as zeros."""


@kernel(signature("boolean", FRAMING, "float32[::1]"))
def collect(f: Record, sound: Samples) -> bool:
    """Take a hop of the microphone, and one of the loudspeaker where *sound* has 480 samples.

    True when *near* and *far* are full and *out* is to be made, before `give_back`.
    """
    for i in range(HOP_SAMPLES):
        f.near[f.filled + i] = sound[i]
    if sound.size >= FRAME_SAMPLES:
        for i in range(HOP_SAMPLES):
            f.far[f.filled + i] = sound[HOP_SAMPLES + i]
    f.filled = (f.filled + HOP_SAMPLES) % FRAME_SAMPLES
    return f.filled == 0


@kernel(signature("void", FRAMING, "float32[::1]"))
def give_back(f: Record, sound: Samples) -> None:
    """Put the hop of *out* whose turn it is into *sound*."""
    for i in range(HOP_SAMPLES):
        sound[i] = f.out[f.filled + i]
