"""A voice sent over a simulated network in virtual time, and what a listener makes of it.

No keys and no threads: Opus at 64 kbit/s as a speaker sends it, losses and lateness drawn from a
seed, and the jitter buffer pulled every 5 ms. `ideal` and `repeated` are the receivers to compare
with: they get every packet in time, and either repair as well as Opus can or repeat a frame.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import HOP_NS, HOP_SAMPLES, SAMPLE_RATE, Samples, codec, jitter
from sidetone.audio.jitter import JITTER, JitterStats
from sidetone.native import kernel, records

Packets = list[NDArray[np.uint8]]
Lost = NDArray[np.bool_]

BITRATE = 64_000
_COMPLEXITY = 10
_NS_PER_MS = 1_000_000
_TRANSIT_NS = 20 * _NS_PER_MS
_PHASE_NS = 3_700_000


@kernel("int64(uintp, float32[::1], uint8[::1])")
def encode_frame(encoder: int, frame: Samples, out: NDArray[np.uint8]) -> int:
    return codec.encode(encoder, frame.ctypes.data, frame.size, out.ctypes.data, out.size)


@kernel("int64(uintp, uint8[::1], float32[::1], int32)")
def decode_frame(decoder: int, packet: NDArray[np.uint8], out: Samples, copy: int) -> int:
    """Decode *packet*, or invent where it is empty."""
    at = packet.ctypes.data if packet.size else 0
    return codec.decode(decoder, at, packet.size, out.ctypes.data, out.size, copy)


@kernel("int64(uintp)")
def fresh_decoder(decoder: int) -> int:
    return codec.init_decoder(decoder, SAMPLE_RATE, 1)


def encoded(voice: Samples, frame_samples: int = 480, loss_percent: int = 0) -> Packets:
    """Encode as a speaker does who was told of *loss_percent*: with copies only where it helps."""
    encoder, out = codec.new_encoder(), np.zeros(codec.PACKET_BYTES_MAX, np.uint8)
    for setting, value in (
        (codec.SET_BITRATE, BITRATE),
        (codec.SET_VBR, 0),
        (codec.SET_COMPLEXITY, _COMPLEXITY),
        (codec.SET_SIGNAL, codec.SIGNAL_VOICE),
        (codec.SET_INBAND_FEC, int(loss_percent > 0)),
        (codec.SET_PACKET_LOSS_PERCENT, loss_percent),
    ):
        codec.configure(encoder, setting, value)
    frames = voice[: voice.size // frame_samples * frame_samples].reshape(-1, frame_samples)
    return [out[: encode_frame(encoder.ctypes.data, frame, out)].copy() for frame in frames]


def random_loss(packets: int, share: float, seed: int) -> Lost:
    """Lose each packet with the same probability."""
    return np.random.default_rng(seed).random(packets) < share


def burst_loss(packets: int, share: float, mean: float, seed: int) -> Lost:
    """Lose packets in bursts: Gilbert-Elliott, nothing lost in good state and all in bad."""
    rng = np.random.default_rng(seed)
    stay, fall = 1 - 1 / mean, share / mean / (1 - share)
    lost, bad = np.zeros(packets, bool), False
    for n in range(packets):
        bad = rng.random() < (stay if bad else fall)
        lost[n] = bad
    return lost


@dataclass
class Heard:
    """What a listener heard; *depth_ms* is the sound in store, averaged over all hops."""

    sound: Samples = field(repr=False)
    stats: JitterStats
    depth_ms: float
    concealed_ratio: float


def received(
    packets: Packets, lost: Lost, late_ms: NDArray[np.float64], frame_samples: int = 480
) -> Heard:
    """Play what arrives of *packets*, each *late_ms* after the fastest, by the jitter buffer."""
    buffer, memory = records(JITTER, 1)[0], codec.new_decoders(1)
    jitter.reset(buffer, memory[0].ctypes.data)
    frame_ns = frame_samples * 1_000_000_000 // SAMPLE_RATE
    arrivals_ns = (np.arange(len(packets)) + 1) * frame_ns + _TRANSIT_NS
    arrivals_ns = arrivals_ns + (late_ms[: len(packets)] * _NS_PER_MS).astype(np.int64)
    order = [n for n in np.argsort(arrivals_ns, kind="stable") if not lost[n]]
    hops = len(packets) * frame_ns // HOP_NS + 40
    sound, depths, at = np.zeros((hops, HOP_SAMPLES), np.float32), [], 0
    for hop in range(hops):
        now_ns = hop * HOP_NS + _PHASE_NS
        while at < len(order) and arrivals_ns[order[at]] <= now_ns:
            n = order[at]
            jitter.push(buffer, packets[n], 0, n, n == len(packets) - 1, arrivals_ns[n])
            at += 1
        if jitter.pull(buffer, sound[hop], now_ns):
            depths.append(buffer.depth_ms)
    stats = jitter.snapshot(buffer)
    spoken_ms = len(packets) * frame_ns / _NS_PER_MS
    return Heard(sound.reshape(-1), stats, float(np.mean(depths)), stats.concealed_ms / spoken_ms)


def _in_order(packets: Packets, lost: Lost, frame_samples: int, *, repair: bool) -> Samples:
    memory, none = codec.new_decoders(1), np.zeros(0, np.uint8)
    decoder = memory[0].ctypes.data
    fresh_decoder(decoder)
    sound = np.zeros((len(packets) + 1, frame_samples), np.float32)
    for n, packet in enumerate(packets):
        if not lost[n]:
            decode_frame(decoder, packet, sound[n], 0)
        elif not repair:
            sound[n] = sound[n - 1]
        elif n + 1 < len(packets) and not lost[n + 1]:
            decode_frame(decoder, packets[n + 1], sound[n], 1)
        else:
            decode_frame(decoder, none, sound[n], 0)
    return sound.reshape(-1)


def ideal(packets: Packets, lost: Lost, frame_samples: int = 480) -> Samples:
    """Decode as well as Opus can: the copy in the next packet, else concealment."""
    return _in_order(packets, lost, frame_samples, repair=True)


def repeated(packets: Packets, lost: Lost, frame_samples: int = 480) -> Samples:
    """Play the frame before once more for each that was lost."""
    return _in_order(packets, lost, frame_samples, repair=False)
