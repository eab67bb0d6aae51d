import ctypes
import importlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidetone.audio.opus_packets import lost, packet_samples, silence

libopus = importlib.import_module("opuslib_next.api").libopus
SIZES = (ctypes.c_int16 * 48)()


def samples_by_libopus(packet: bytes) -> int:
    """Parse as libopus does, which also refuses what lasts longer than 120 ms."""
    frames = libopus.opus_packet_parse(packet, len(packet), None, None, SIZES, None)
    each = libopus.opus_packet_get_samples_per_frame(packet, 48_000) if packet else 0
    return max(frames, 0) * each


def many(first: int, count: int, rest: bytes) -> bytes:
    return bytes((first | 3, count)) + rest


packets = st.one_of(
    st.binary(max_size=1275),
    st.builds(many, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=40)),
    st.builds(
        lambda first, size: bytes((first,)) + bytes(size),
        st.integers(0, 255),
        st.integers(0, 1274),
    ),
)


@given(packets)
@example(b"")
@example(b"\xf8")
@example(many(0xF8, 0x41, b"\xff\xff"))
@example(many(0xF8, 0x41, b"\x00"))
@example(many(0xF8, 0xC2, b"\x01\xfc\x00\x00"))
@example(bytes((0xFA, 252, 1)) + bytes(256))
def test_a_packet_is_what_libopus_takes_it_for(packet: bytes) -> None:
    assert packet_samples(packet) == samples_by_libopus(packet)


def test_a_packet_longer_than_a_frame_of_ours_is_refused() -> None:
    assert packet_samples(b"\xf8" + bytes(1274)) == 960
    assert packet_samples(b"\xf8" + bytes(1275)) == 0


@given(st.integers(0, 2000).map(lambda steps: steps * 120))
def test_silence_lasts_as_long_as_it_was_asked_for(samples: int) -> None:
    assert sum(packet_samples(packet) for packet in silence(samples)) == samples


@given(packets.filter(lambda packet: packet_samples(packet) > 0), st.integers(0, 60))
def test_lost_packets_last_as_long_as_what_is_missing(packet: bytes, steps: int) -> None:
    fillers = lost(packet, steps * 120)
    assert sum(packet_samples(filler) for filler in fillers) == steps * 120
    assert all(len(filler) in {1, 3} for filler in fillers)


@pytest.mark.parametrize("samples", [120, 240, 480, 960])
def test_silence_is_silent(samples: int) -> None:
    decoder = importlib.import_module("opuslib_next").Decoder(48_000, 1)
    for packet in silence(samples) * 3:
        assert not any(decoder.decode(packet, samples))
