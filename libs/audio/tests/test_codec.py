import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import FRAME_SAMPLES, AudioError, Samples
from sidetone.audio.codec import Decoder, Encoder


def frames_of(sound: Samples, seconds: int) -> list[Samples]:
    return list(sound[: seconds * 48_000].reshape(-1, FRAME_SAMPLES))


def test_every_packet_is_hybrid_fullband_of_80_bytes(ada: Samples) -> None:
    encoder = Encoder(64_000, 10)
    packets = [encoder.encode(frame) for frame in frames_of(ada, 3)]
    assert {len(packet) for packet in packets} == {80}
    assert {packet[0] >> 3 for packet in packets} == {14}, "RFC 6716: hybrid, fullband, 10 ms"


def test_a_bitrate_out_of_range_says_what_is_possible() -> None:
    with pytest.raises(AudioError, match="choose 32000 to 256000"):
        Encoder(8_000, 10)


def correlation(a: Samples, b: Samples) -> float:
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b) + 1e-12))


def test_a_lost_frame_is_read_from_the_packet_after_it(ada: Samples) -> None:
    encoder, whole, repaired, invented = Encoder(64_000, 10), Decoder(), Decoder(), Decoder()
    packets = [encoder.encode(frame) for frame in frames_of(ada, 4)]
    scores = {"fec": [], "plc": []}
    out, truth = np.zeros((2, FRAME_SAMPLES), np.float32)
    for n, packet in enumerate(packets[:-1]):
        assert whole.decode(packet, truth)
        if n % 9 != 8:
            assert repaired.decode(packet, out)
            assert invented.decode(packet, out)
            continue
        loud = np.max(np.abs(truth)) > 0.1
        assert repaired.decode_fec(packets[n + 1], out)
        if loud:
            scores["fec"].append(correlation(truth, out))
        invented.conceal(out)
        if loud:
            scores["plc"].append(correlation(truth, out))
    assert 1 - np.mean(scores["fec"]) < (1 - np.mean(scores["plc"])) / 4


@given(st.binary(max_size=1500))
def test_garbage_is_refused_or_is_sound(garbage: bytes) -> None:
    decoder, out = Decoder(), np.full(FRAME_SAMPLES, 7, np.float32)
    for decoded in (decoder.decode(garbage, out), decoder.decode_fec(garbage, out)):
        assert not decoded or np.all(np.abs(out) <= 1)
    decoder.conceal(out)
    assert np.all(np.abs(out) <= 1)


def test_a_packet_of_20_ms_is_refused() -> None:
    silk_20_ms = bytes([1 << 3]) + bytes(40)
    assert not Decoder().decode(silk_20_ms, np.zeros(FRAME_SAMPLES, np.float32))
