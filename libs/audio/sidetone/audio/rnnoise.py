"""RNNoise for kernels: takes out keyboards and other sudden noise, 15 ms later.

J.-M. Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement",
2018. The only module that knows the package pyrnnoise, of which only the library is loaded:
importing it would bring a plotting library along. Frames are of 10 ms at 48 kHz. Importing this
module raises ``AudioError`` where there is no RNNoise.
"""

import ctypes
import importlib.util
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from sidetone.audio import FRAME_SAMPLES, HOP_SAMPLES, AudioError
from sidetone.audio.framing import FRAMING, collect, give_back
from sidetone.native import layout
from sidetone.native.functions import address_in, entry, floats_at, named, record_at

RNNOISE: Final = layout(
    network=np.uintp,
    framing=FRAMING,
    scaled=(np.float32, (FRAME_SAMPLES,)),
    result=(np.float32, (FRAME_SAMPLES,)),
)
"""One microphone's network and frames; the library's full scale is that of 16 bit."""

_FULL_SCALE: Final = np.float32(32768)
_NAMES: Final = {"win32": "rnnoise.dll", "darwin": "librnnoise.dylib"}


def _load() -> ctypes.CDLL:
    found = importlib.util.find_spec("pyrnnoise")
    # Without the package, the system's own RNNoise will do.
    folder = (found.submodule_search_locations if found else None) or [""]
    try:
        library = ctypes.CDLL(str(Path(folder[0]) / _NAMES.get(sys.platform, "librnnoise.so")))
        library.rnnoise_create.argtypes = [ctypes.c_void_p]
        library.rnnoise_create.restype = ctypes.c_void_p
        library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    except (OSError, AttributeError) as error:
        raise AudioError(
            f"noise suppression 'max' is not possible ({error}): install sidetone-audio[rnnoise], "
            "or choose 'high'"
        ) from error
    return library


_library: Final = _load()
_process: Final[Any] = named(
    "rnnoise_process_frame", address_in(_library, "rnnoise_process_frame"), "f", "ppp"
)


def create() -> int:
    """Make a network and return its address."""
    return int(_library.rnnoise_create(None) or 0)


def destroy(network: int) -> None:
    """Free what `create` made."""
    _library.rnnoise_destroy(network)


@entry("i", "ppn")
def suppress(handle: int, sound: int, _samples: int) -> int:
    """Suppress noise in a hop, as a hook of `processing`; *handle* is the address of a RNNOISE."""
    state = record_at(handle, RNNOISE)
    hop = floats_at(sound, HOP_SAMPLES)
    if collect(state.framing, hop):
        for i in range(FRAME_SAMPLES):
            state.scaled[i] = state.framing.near[i] * _FULL_SCALE
        _process(
            state.network,
            np.uintp(state.result.ctypes.data),
            np.uintp(state.scaled.ctypes.data),
        )
        for i in range(FRAME_SAMPLES):
            state.framing.out[i] = state.result[i] / _FULL_SCALE
    give_back(state.framing, hop)
    return 0
