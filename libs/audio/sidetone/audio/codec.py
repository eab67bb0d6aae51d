"""Opus for kernels, and the only module that knows where libopus is: packets from sound, and back.

States are plain memory (libopus: "continuous, a shallow copy is enough"), owned by whoever makes
them here and handed to kernels by address. Nothing in a packet can make these functions fail
otherwise than by a negative number (RFC 6716, opus_defines.h).
"""

import ctypes
import importlib
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import SAMPLE_RATE, AudioError
from sidetone.native import kernel
from sidetone.native.functions import address_in, named, variadic_setter

PACKET_BYTES_MAX: Final = 1275
PACKET_SAMPLES_MAX: Final = 5760
"""120 ms, the longest packet that Opus knows."""
BITRATE_MIN: Final = 32_000
BITRATE_MAX: Final = 256_000

SET_BITRATE: Final = 4002
SET_VBR: Final = 4006
SET_COMPLEXITY: Final = 4010
SET_INBAND_FEC: Final = 4012
SET_PACKET_LOSS_PERCENT: Final = 4014
SET_DTX: Final = 4016
SET_SIGNAL: Final = 4024
SIGNAL_VOICE: Final = 3001

_APPLICATION_AUDIO: Final = 2049
_ALIGNMENT: Final = 16

State: TypeAlias = NDArray[np.uint8]
"""Memory of one encoder or decoder; its address is ``state.ctypes.data``."""


def _load() -> ctypes.CDLL:
    try:
        api: Any = importlib.import_module("opuslib_next.api")
        return ctypes.CDLL(api.libopus._name)  # noqa: SLF001 - a handle of our own
    except (ImportError, OSError, RuntimeError) as error:
        raise AudioError(
            f"the Opus codec cannot be loaded ({error}): install the package "
            "opuslib-next-bundled, whose wheels carry libopus for this platform"
        ) from error


_opus: Final = _load()


def _named(name: str, takes: str) -> Any:  # noqa: ANN401 - a function of numba's
    return named(name, address_in(_opus, name), "i", takes)


encode: Final = _named("opus_encode_float", "ppipi")
"""(encoder, float32 samples, how many, out, its bytes) -> bytes of the packet, or below 0."""
decode: Final = _named("opus_decode_float", "ppipii")
"""(decoder, packet or 0, its bytes, float32 out, samples wanted, 1: copy) -> samples or < 0."""
packet_samples: Final = _named("opus_packet_get_nb_samples", "pii")
"""(packet, its bytes, 48000) -> samples of each channel that it holds, or below 0: no Opus."""
has_copy: Final = _named("opus_packet_has_lbrr", "pi")
"""(packet, its bytes) -> 1 where it carries a copy of the frame before it, else 0 or below."""
init_decoder: Final = _named("opus_decoder_init", "pii")
"""(memory, 48000, channels) -> 0. Makes a fresh decoder in memory that may have held another."""
set_encoder: Final = variadic_setter("opus_encoder_ctl", address_in(_opus, "opus_encoder_ctl"))
"""(encoder, one of SET_*, value) -> 0 or below."""


def new_encoder(application: int = _APPLICATION_AUDIO) -> State:
    """Make an encoder of 48 kHz mono; all else is set by `set_encoder`.

    The application is AUDIO, because VOIP would filter what the chain has filtered already.
    """
    state = _memory(int(_opus.opus_encoder_get_size(1)))
    _opus.opus_encoder_init.argtypes = [ctypes.c_void_p, *[ctypes.c_int] * 3]
    if _opus.opus_encoder_init(state.ctypes.data, SAMPLE_RATE, 1, application) != 0:
        raise AudioError("libopus made no encoder: install opuslib-next-bundled anew")
    return state


def configure(encoder: State, setting: int, value: int) -> None:
    """Set one of SET_* before the encoder's thread has begun; afterwards it does that itself."""
    _configure(encoder.ctypes.data, setting, value)


@kernel("void(uintp, int64, int64)")
def _configure(encoder: int, setting: int, value: int) -> None:
    set_encoder(encoder, setting, value)


def decoder_bytes() -> int:
    """Return how much memory a mono decoder needs; a multiple of 16."""
    size = int(_opus.opus_decoder_get_size(1))
    return size + -size % _ALIGNMENT


def new_decoders(count: int) -> NDArray[np.uint8]:
    """Return memory for *count* mono decoders, shape (count, bytes), each still to be made."""
    return _memory(decoder_bytes() * count).reshape(count, -1)


def _memory(size: int) -> State:
    whole = np.zeros(size + _ALIGNMENT, np.uint8)
    skip = -whole.ctypes.data % _ALIGNMENT
    return whole[skip : skip + size]
