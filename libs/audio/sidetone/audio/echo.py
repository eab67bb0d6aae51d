"""WebRTC's echo canceller for kernels, out of LiveKit's library: 36 to 53 dB, 5 ms later.

AEC3 finds by itself how much later than the loudspeaker's samples their echo arrives, between 0
and at least 250 ms, and follows when that changes; nobody has to tell it the devices' delays.
The library takes requests in protobuf that point to buffers: each is written once and sent again
with every frame. The only module that knows the package livekit; raises ``AudioError`` without it.
"""

import ctypes
import importlib
import importlib.resources
import sys
from typing import Any, Final

import numpy as np

from sidetone.audio import FRAME_SAMPLES, SAMPLE_RATE, AudioError
from sidetone.audio.framing import FRAMING, collect, give_back
from sidetone.native import Record, kernel, layout, signature
from sidetone.native.functions import address_in, entry, floats_at, named, record_at

_REQUEST_BYTES_MAX: Final = 128
_FULL_SCALE: Final = np.float32(32767)

ECHO: Final = layout(
    framing=FRAMING,
    near=(np.int16, (FRAME_SAMPLES,)),
    far=(np.int16, (FRAME_SAMPLES,)),
    requests=(np.uint8, (2, _REQUEST_BYTES_MAX)),
    request_bytes=(np.int64, (2,)),
    answer_bytes=(np.int64, (2,)),
    answer=(np.uintp, (2,)),
)
"""One canceller: frames in 16 bit, and the requests for the loudspeaker's and the microphone's.

*answer_bytes* is how long an answer is that reports no error, *answer* where the last one is and
how long.
"""

_NAMES: Final = {"win32": "livekit_ffi.dll", "darwin": "liblivekit_ffi.dylib"}


def _load() -> tuple[ctypes.CDLL, Any]:
    try:
        messages: Any = importlib.import_module("livekit.rtc._proto.ffi_pb2")
        folder = importlib.resources.files("livekit.rtc.resources")
        library = ctypes.CDLL(str(folder / _NAMES.get(sys.platform, "liblivekit_ffi.so")))
        library.livekit_ffi_request.restype = ctypes.c_uint64
        library.livekit_ffi_request.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        library.livekit_ffi_drop_handle.argtypes = [ctypes.c_uint64]
    except (ImportError, OSError, AttributeError) as error:
        raise AudioError(
            f"echo cancellation is not possible ({error}): install sidetone-audio[echo], "
            "or use headphones"
        ) from error
    return library, messages


_library, _messages = _load()
_ask: Final[Any] = named(
    "livekit_ffi_request", address_in(_library, "livekit_ffi_request"), "n", "pnpp"
)
_drop: Final[Any] = named(
    "livekit_ffi_drop_handle", address_in(_library, "livekit_ffi_drop_handle"), "i", "n"
)


def _asked(request: bytes) -> Any:  # noqa: ANN401 - a message of the package
    at, size = ctypes.c_void_p(), ctypes.c_size_t()
    handle = _library.livekit_ffi_request(
        request, len(request), ctypes.byref(at), ctypes.byref(size)
    )
    answer = _messages.FfiResponse.FromString(ctypes.string_at(at.value or 0, size.value))
    _library.livekit_ffi_drop_handle(handle)
    return answer


def create(e: Record) -> int:
    """Make a canceller that works on the buffers of *e*, which must stay where it is."""
    wish = _messages.FfiRequest()
    wish.new_apm.echo_canceller_enabled = True
    wish.new_apm.gain_controller_enabled = False
    wish.new_apm.high_pass_filter_enabled = False
    wish.new_apm.noise_suppression_enabled = False
    canceller = int(_asked(wish.SerializeToString()).new_apm.apm.handle.id)
    for row, (name, buffer) in enumerate(
        (("apm_process_reverse_stream", e.far), ("apm_process_stream", e.near))
    ):
        wish, answer = _messages.FfiRequest(), _messages.FfiResponse()
        frame = getattr(wish, name)
        frame.apm_handle, frame.data_ptr = canceller, buffer.ctypes.data
        frame.size, frame.sample_rate, frame.num_channels = buffer.nbytes, SAMPLE_RATE, 1
        request = wish.SerializeToString()
        getattr(answer, name).SetInParent()
        e.requests[row, : len(request)] = np.frombuffer(request, np.uint8)
        e.request_bytes[row] = len(request)
        e.answer_bytes[row] = len(answer.SerializeToString())
    return canceller


def destroy(canceller: int) -> None:
    """Free what `create` made."""
    _library.livekit_ffi_drop_handle(canceller)


@kernel(signature("boolean", ECHO, "int64"))
def _request(e: Record, row: int) -> bool:
    answer = np.uintp(e.answer.ctypes.data)
    handle = _ask(
        np.uintp(e.requests[row].ctypes.data), np.uint64(e.request_bytes[row]), answer, answer + 8
    )
    _drop(handle)
    return np.int64(e.answer[1]) == e.answer_bytes[row]


@entry("i", "ppn")
def cancel(handle: int, sound: int, samples: int) -> int:
    """Cancel the echo in a hop, as a hook of `processing`; *handle* is the address of an ECHO."""
    e = record_at(handle, ECHO)
    hop = floats_at(sound, 2 * samples)
    done = True
    if collect(e.framing, hop):
        for i in range(FRAME_SAMPLES):
            e.near[i] = np.int16(e.framing.near[i] * _FULL_SCALE)
            e.far[i] = np.int16(e.framing.far[i] * _FULL_SCALE)
        done = _request(e, 0) and _request(e, 1)
        for i in range(FRAME_SAMPLES):
            e.framing.out[i] = e.near[i] / _FULL_SCALE
    give_back(e.framing, hop)
    return 0 if done else 1
