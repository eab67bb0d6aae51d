"""Opus, and the only module that knows its binding: frames of 10 ms in, packets out, and back.

A packet that is not Opus, or not 10 ms long, is refused by ``False``; no input raises.
"""

import ctypes
import importlib
from typing import Any, Final

import numpy as np

from sidetone.audio import FRAME_SAMPLES, SAMPLE_RATE, AudioError, Frame

PACKET_BYTES_MAX: Final = 1275
BITRATE_MIN: Final = 32_000
BITRATE_MAX: Final = 256_000

_AUDIO: Final = 2049
_SIGNAL_VOICE: Final = 3001
_COMPLEXITY: Final = 9


def _binding(name: str) -> Any:  # noqa: ANN401
    """Import a module of the binding, which loads libopus; raises ``AudioError`` without it."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        raise AudioError(
            f"the Opus codec cannot be loaded ({error}): install the package "
            "opuslib-next-bundled, whose wheels carry libopus for this platform"
        ) from error


class Encoder:
    """Turn frames into packets that a listener can repair.

    Constant bitrate, so that sizes do not tell what is said. The application is AUDIO (VOIP would
    filter a second time) with the voice signal type: together with in-band FEC and any expected
    loss this makes every packet of 10 ms a hybrid one, which carries a coarse copy of the frame
    before it. Without the expected loss Opus would leave the copy out.
    """

    def __init__(self, bitrate: int, expected_loss_percent: int) -> None:
        if not BITRATE_MIN <= bitrate <= BITRATE_MAX:
            raise AudioError(
                f"a bitrate of {bitrate} bit/s is not possible; "
                f"choose {BITRATE_MIN} to {BITRATE_MAX}"
            )
        opus = _binding("opuslib_next")
        api = _binding("opuslib_next.api.encoder")
        ctl = _binding("opuslib_next.api.ctl")
        self._encoder = opus.Encoder(SAMPLE_RATE, 1, _AUDIO)
        self._encode = api.libopus_encode_float
        for setting, value in (
            (ctl.set_bitrate, bitrate),
            (ctl.set_vbr, 0),
            (ctl.set_dtx, 0),
            (ctl.set_signal, _SIGNAL_VOICE),
            (ctl.set_complexity, _COMPLEXITY),
            (ctl.set_inband_fec, 1),
            (ctl.set_packet_loss_perc, min(max(expected_loss_percent, 0), 100)),
        ):
            api.encoder_ctl(self._encoder.encoder_state, setting, value)
        self._pcm = np.zeros(FRAME_SAMPLES, np.float32)
        self._pcm_pointer = self._pcm.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        self._packet = ctypes.create_string_buffer(PACKET_BYTES_MAX)

    def encode(self, frame: Frame) -> bytes:
        """Encode one frame; samples are expected in -1 to 1."""
        self._pcm[:] = frame
        size: int = self._encode(
            self._encoder.encoder_state,
            self._pcm_pointer,
            FRAME_SAMPLES,
            self._packet,
            PACKET_BYTES_MAX,
        )
        if size < 0:
            raise AudioError(
                f"Opus refused to encode a frame (error {size}): leave and join again"
            )
        return self._packet.raw[:size]


class Decoder:
    """Turn the packets of one speaker back into frames, and invent what is missing."""

    def __init__(self) -> None:
        opus = _binding("opuslib_next")
        self._decoder = opus.Decoder(SAMPLE_RATE, 1)
        self._decode = _binding("opuslib_next.api.decoder").libopus_decode_float
        self._pcm = np.zeros(FRAME_SAMPLES, np.float32)
        self._pcm_pointer = self._pcm.ctypes.data_as(ctypes.POINTER(ctypes.c_float))

    def decode(self, opus: bytes, out: Frame) -> bool:
        """Decode a packet into *out*; False if it is no Opus packet of 10 ms."""
        return bool(opus) and self._run(opus, out, fec=False)

    def decode_fec(self, following: bytes, out: Frame) -> bool:
        """Recover the frame before the packet *following* from the copy in it.

        Opus falls back to concealment by itself when there is no copy inside.
        """
        return bool(following) and self._run(following, out, fec=True)

    def conceal(self, out: Frame) -> None:
        """Invent a frame that continues the last one; fades to silence when repeated."""
        if not self._run(None, out, fec=False):
            out[:] = 0

    def _run(self, opus: bytes | None, out: Frame, *, fec: bool) -> bool:
        size = len(opus) if opus else 0
        if size > PACKET_BYTES_MAX:
            return False
        samples: int = self._decode(
            self._decoder.decoder_state, opus, size, self._pcm_pointer, FRAME_SAMPLES, int(fec)
        )
        if samples != FRAME_SAMPLES:
            return False
        np.clip(self._pcm, -1.0, 1.0, out=out)
        return True
