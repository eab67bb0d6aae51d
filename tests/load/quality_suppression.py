"""What noise suppression does for a voice in noise, and to one without, and what it costs.

Run it with ``python -m tests.load.quality_suppression``. Voices in white noise and in that of a
fan (low-pass noise with the hum of a motor) at 5 dB: the power of the noise from 0 to 24 kHz
against that of the voice while it speaks. A second of noise comes first. PESQ-WB against the
clean voice; a gain is the difference to the same noisy voice untouched. Gain control is off.
"""

import json
import statistics
import time
from typing import Any

import numpy as np
from scipy.signal import butter, sosfilt

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, AudioError, Samples, codec, gate, processing
from sidetone.audio.dsp import high_pass
from sidetone.audio.processors import Processor, echo_canceller, noise_suppressor
from sidetone.native import Record, kernel, signature
from tests.load.quality_score import pesq_wb
from tests.load.quality_speech import voices

Rows = dict[str, Any]

_SNR_DB = 5.0
_LEVEL = 0.05
_SECONDS = 9
_ROUNDS = 9
_LEVELS = {"low": processing.LOW, "high": processing.HIGH, "max": processing.MAX}


@kernel(signature("void", processing.PROCESSING, "float32[:, ::1]", "float32[::1]"), release=True)
def _run(p: Record, hops: Any, far: Samples) -> None:
    for n in range(hops.shape[0]):
        processing.process_hop(p, hops[n], far)


@kernel("void(float32[:, ::1], float64[::1])", release=True)
def _run_high_pass(hops: Any, state: Any) -> None:
    for n in range(hops.shape[0]):
        high_pass(hops[n], state)


@kernel("int64(uintp, float32[:, ::1], uint8[::1])", release=True)
def _run_encoder(encoder: int, frames: Any, out: Any) -> int:
    size = 0
    for n in range(frames.shape[0]):
        frame = frames[n]
        size += codec.encode(encoder, frame.ctypes.data, frame.size, out.ctypes.data, out.size)
    return size


def _spoken_level(x: Samples) -> float:
    power = np.mean(x[: x.size // 480 * 480].reshape(-1, 480) ** 2, axis=1)
    return float(np.sqrt(np.mean(power[power > power.max() * 1e-3])))


def _white(samples: int) -> Samples:
    return np.random.default_rng(3).standard_normal(samples).astype(np.float32)


def _fan(samples: int) -> Samples:
    rng, at = np.random.default_rng(3), np.arange(samples) / SAMPLE_RATE
    low = sosfilt(butter(2, 400, fs=SAMPLE_RATE, output="sos"), rng.standard_normal(samples))
    hiss = sosfilt(butter(1, 2500, fs=SAMPLE_RATE, output="sos"), rng.standard_normal(samples))
    wind = 4 * low + 0.5 * hiss
    hum = sum(
        share * np.sin(2 * np.pi * 120 * (n + 1) * at) for n, share in enumerate((0.5, 0.3, 0.15))
    )
    return (wind / np.std(wind) + hum).astype(np.float32)


def _in_noise(voice: Samples, noise: Samples) -> Samples:
    scale = _LEVEL / 10 ** (_SNR_DB / 20) / np.sqrt(np.mean(noise**2))
    return (voice + noise * scale).astype(np.float32)


def _chain(level: int, processor: Processor | None = None) -> Record:
    p = processing.fresh()
    p.suppression, p.gain_control, p.activation = level, 0, gate.ALWAYS
    if processor is not None:
        p.suppress_handle, p.suppress_function = processor.handle, processor.function
    return p


def _processed(p: Record, x: Samples) -> Samples:
    out = x[: x.size // HOP_SAMPLES * HOP_SAMPLES].copy()
    _run(p, out.reshape(-1, HOP_SAMPLES), np.zeros(HOP_SAMPLES, np.float32))
    return out


def _available() -> dict[str, Processor | None]:
    levels: dict[str, Processor | None] = {"low": None, "high": None}
    try:
        levels["max"] = noise_suppressor()
    except AudioError as error:
        print(f"max is left out: {error}")
    return levels


def _scores(voice: Samples, level: int, processor: Processor | None) -> Rows:
    second = np.zeros(SAMPLE_RATE, np.float32)
    spoken = np.concatenate((second, voice * (_LEVEL / _spoken_level(voice))))
    row: Rows = {"clean_pesq": pesq_wb(spoken, _processed(_chain(level, processor), spoken))}
    for name, noise in (("white", _white), ("fan", _fan)):
        noisy = _in_noise(spoken, noise(spoken.size))
        before = pesq_wb(spoken, noisy)
        after = pesq_wb(spoken, _processed(_chain(level, processor), noisy))
        row[f"{name}_pesq"], row[f"{name}_gain"] = after, after - before
    return {key: round(value, 3) for key, value in row.items()}


def _microseconds(run: Any, frames: int) -> float:
    """Measure the CPU time of 10 ms of sound, the median of several rounds."""
    times: list[float] = []
    for _ in range(_ROUNDS):
        start = time.thread_time()
        run()
        times.append((time.thread_time() - start) / frames * 1e6)
    return statistics.median(times)


def cost_rows(voice: Samples) -> Rows:
    """Measure microseconds of CPU per 10 ms, and the whole chain against libopus' encoder."""
    x = voice[: 4 * SAMPLE_RATE].copy()
    frames = x.size // 480
    far = np.zeros(HOP_SAMPLES, np.float32)
    encoder = codec.new_encoder()
    for request, value in (
        (codec.SET_BITRATE, 64_000),
        (codec.SET_COMPLEXITY, 10),
        (codec.SET_VBR, 0),
        (codec.SET_SIGNAL, codec.SIGNAL_VOICE),
    ):
        _set(encoder.ctypes.data, request, value)
    packet = np.zeros(codec.PACKET_BYTES_MAX, np.uint8)
    rows: Rows = {
        "opus_encode": _microseconds(
            lambda: _run_encoder(encoder.ctypes.data, x.reshape(-1, 480), packet), frames
        ),
        "high_pass": _microseconds(
            lambda: _run_high_pass(x.copy().reshape(-1, HOP_SAMPLES), np.zeros(4)), frames
        ),
    }

    def chain(p: Record) -> float:
        return _microseconds(lambda: _run(p, x.copy().reshape(-1, HOP_SAMPLES), far), frames)

    off = _chain(processing.OFF)
    rows["all_without_suppression"] = chain(off)
    off.gain_control, off.activation = 1, gate.BY_VOICE
    rows["with_gain_and_gate"] = chain(off)
    for name, processor in _available().items():
        p = _chain(_LEVELS[name], processor)
        p.gain_control, p.activation = 1, gate.BY_VOICE
        rows[f"all_{name}"] = chain(p)
    try:
        canceller = echo_canceller()
        off.echo_handle, off.echo_function = canceller.handle, canceller.function
        rows["echo_cancellation"] = chain(off) - rows["with_gain_and_gate"]
    except AudioError as error:
        print(f"the echo canceller is left out: {error}")
    rows["high_to_opus"] = rows["all_high"] / rows["opus_encode"]
    return {key: round(value, 2) for key, value in rows.items()}


@kernel("void(uintp, int64, int64)")
def _set(encoder: int, request: int, value: int) -> None:
    codec.set_encoder(encoder, request, value)


def rows() -> Rows:
    """Return the table's rows: the means of all voices at level high, and the rest under it."""
    spoken = {name: voice[: _SECONDS * SAMPLE_RATE] for name, voice in voices().items()}
    levels = {
        level: {name: _scores(voice, _LEVELS[level], processor) for name, voice in spoken.items()}
        for level, processor in _available().items()
    }
    high = list(levels["high"].values())
    means = {
        key: round(statistics.mean(row[key] for row in high), 3)
        for key in ("white_gain", "fan_gain", "clean_pesq")
    }
    return {
        "suppression": means
        | {"levels": levels, "microseconds": cost_rows(next(iter(spoken.values())))}
    }


if __name__ == "__main__":
    print(json.dumps(rows(), indent=2))
