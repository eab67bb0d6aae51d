"""From microphone to Opus and back.

Sound, its devices and its threads; no network, no cryptography, no asyncio. Importing this module
is cheap: the compiled kernels load with ``sidetone.audio.warm`` or with the first chain.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 48_000
HOP_MS: Final = 5
HOP_SAMPLES: Final = SAMPLE_RATE * HOP_MS // 1000
HOP_NS: Final = HOP_MS * 1_000_000
FRAME_MS: Final = 10
FRAME_SAMPLES: Final = SAMPLE_RATE * FRAME_MS // 1000
FRAME_NS: Final = FRAME_MS * 1_000_000

Samples: TypeAlias = NDArray[np.float32]
"""Mono sound at 48 kHz, full scale from -1 to 1."""

Frame: TypeAlias = Samples
"""Ten milliseconds of sound: float32, shape (480,)."""


class AudioError(Exception):
    """Sound is not possible; the text is one line that says what happened and what to do."""
