"""libopus as the kernels use it: what packets are like, and what garbage does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sidetone.audio import FRAME_SAMPLES, SAMPLE_RATE, Samples
from sidetone.audio.codec import (
    PACKET_BYTES_MAX,
    SET_BITRATE,
    SET_COMPLEXITY,
    SET_INBAND_FEC,
    SET_PACKET_LOSS_PERCENT,
    SET_SIGNAL,
    SET_VBR,
    SIGNAL_VOICE,
    configure,
    decode,
    encode,
    init_decoder,
    new_decoders,
    new_encoder,
    packet_samples,
)
from sidetone.native import kernel


@kernel("int64(uintp, float32[::1], uint8[::1])")
def encoded(encoder, x, packet):
    return encode(encoder, x.ctypes.data, np.int32(x.size), packet.ctypes.data, 1275)


@kernel("int64(uintp, uint8[::1], int64, float32[::1], int64)")
def decoded(decoder, packet, size, x, copy):
    at = packet.ctypes.data if size > 0 else np.uintp(0)
    return decode(decoder, at, np.int32(size), x.ctypes.data, np.int32(x.size), np.int32(copy))


@kernel("int64(uint8[::1], int64)")
def samples_in(packet, size):
    return packet_samples(packet.ctypes.data, np.int32(size), SAMPLE_RATE)


@kernel("int64(uintp)")
def begin(decoder):
    return init_decoder(decoder, SAMPLE_RATE, 1)


class Voice:
    def __init__(self) -> None:
        self.state = new_encoder()
        for setting, value in (
            (SET_BITRATE, 64_000),
            (SET_VBR, 0),
            (SET_SIGNAL, SIGNAL_VOICE),
            (SET_COMPLEXITY, 9),
            (SET_INBAND_FEC, 1),
            (SET_PACKET_LOSS_PERCENT, 10),
        ):
            configure(self.state, setting, value)

    def encode(self, frame: Samples) -> bytes:
        packet = np.zeros(PACKET_BYTES_MAX, np.uint8)
        size = encoded(self.state.ctypes.data, np.ascontiguousarray(frame), packet)
        assert size > 0
        return packet[:size].tobytes()


class Ear:
    def __init__(self) -> None:
        self.memory: NDArray[np.uint8] = new_decoders(1)
        self.at = self.memory[0].ctypes.data
        assert begin(self.at) == 0

    def decode(self, packet: bytes, out: Samples, *, copy: bool = False) -> int:
        array = np.frombuffer(packet + b"\0", np.uint8).copy()
        return decoded(self.at, array, len(packet), out, int(copy))


def frames_of(sound: Samples, seconds: int) -> list[Samples]:
    return list(sound[: seconds * 48_000].reshape(-1, FRAME_SAMPLES))


def correlation(a: Samples, b: Samples) -> float:
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b) + 1e-12))


def test_every_packet_is_hybrid_fullband_of_80_bytes(ada: Samples) -> None:
    voice = Voice()
    packets = [voice.encode(frame) for frame in frames_of(ada, 3)]
    assert {len(packet) for packet in packets} == {80}
    assert {packet[0] >> 3 for packet in packets} == {14}, "RFC 6716: hybrid, fullband, 10 ms"


def test_a_lost_frame_is_read_from_the_packet_after_it(ada: Samples) -> None:
    voice, whole, repaired, invented = Voice(), Ear(), Ear(), Ear()
    packets = [voice.encode(frame) for frame in frames_of(ada, 4)]
    scores: dict[str, list[float]] = {"copy": [], "made up": []}
    out, truth = np.zeros((2, FRAME_SAMPLES), np.float32)
    for n, packet in enumerate(packets[:-1]):
        assert whole.decode(packet, truth) == FRAME_SAMPLES
        if n % 9 != 8:
            repaired.decode(packet, out)
            invented.decode(packet, out)
            continue
        assert repaired.decode(packets[n + 1], out, copy=True) == FRAME_SAMPLES
        copied = correlation(truth, out)
        invented.decode(b"", out)
        if np.max(np.abs(truth)) > 0.1:
            scores["copy"].append(copied)
            scores["made up"].append(correlation(truth, out))
    assert 1 - np.mean(scores["copy"]) < (1 - np.mean(scores["made up"])) / 4


@given(st.binary(max_size=1500))
def test_garbage_is_refused_or_is_sound(garbage: bytes) -> None:
    ear, out = Ear(), np.zeros(FRAME_SAMPLES, np.float32)
    for copy in (False, True):
        assert ear.decode(garbage, out, copy=copy) <= FRAME_SAMPLES
    size = samples_in(np.frombuffer(garbage + b"\0", np.uint8).copy(), len(garbage))
    assert size < 0 or size % 120 == 0
    assert ear.decode(b"", out) == FRAME_SAMPLES
