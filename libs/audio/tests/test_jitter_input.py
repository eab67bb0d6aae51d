"""Whatever arrives ends in bounded sound and in a counter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.audio.tests.listener import Arrival, Listener, punctual
from sidetone.audio import Samples
from sidetone.audio.decoding import tame
from sidetone.audio.jitter_state import PAST_SAMPLES
from sidetone.audio.lateness import TARGET_MAX_MS
from sidetone.audio.waiting import PACKETS_MAX
from tests.load.quality_network import encoded


@pytest.fixture(scope="module")
def packets(ada: Samples) -> list[bytes]:
    return [packet.tobytes() for packet in encoded(ada[:288_000], loss_percent=10)]


@pytest.mark.parametrize("opus", [b"", b"\xff\xff\xff", b"\x00" * 1276, b"\x7b\x06" + b"\0" * 99])
def test_garbage_is_concealed_like_loss(packets: list[bytes], opus: bytes) -> None:
    """Nothing, no Opus, more than a packet can hold, and 120 ms in one."""
    arrivals = punctual(packets)
    arrivals[100] = (1000.0, 0, 100, opus, False)
    listener = Listener()
    listener.play(arrivals, 6100)
    stats = listener.stats
    assert (stats.malformed, stats.lost, stats.concealed) == (1, 1, 1)


def test_what_is_not_a_number_becomes_silence() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.25, np.nan], np.float32)
    assert not tame(x, 0, 4)
    assert x[:4].tolist() == [0, 1.5, -1.5, 0.25]
    assert np.isnan(x[4]), "beyond the end nothing is touched"
    assert tame(x, 1, 4)


hostile = st.tuples(
    st.integers(0, 2**32 - 1) | st.integers(0, 40),
    st.binary(max_size=90) | st.integers(0, 40),
    st.booleans(),
    st.integers(0, 2**63 - 1) | st.integers(0, 3),
    st.floats(0, 200) | st.integers(0, 20),
)


def check_bounds(listener: Listener, now_ms: float) -> None:
    out = listener.pull(now_ms)
    assert np.all(np.abs(out) <= 1.5)
    buffer, stats = listener.buffer, listener.stats
    assert 0 <= buffer.waiting.packets <= PACKETS_MAX
    assert 0 <= buffer.ahead_samples <= buffer.sound.size - PAST_SAMPLES
    assert 0 <= stats.depth_ms <= PACKETS_MAX * 60 + 100
    assert 10 <= stats.target_ms <= TARGET_MAX_MS
    assert 0 <= stats.loss <= 1
    assert max(stats.fec_recovered, stats.late) <= stats.lost
    assert stats.late + stats.duplicates + stats.malformed <= stats.received


@settings(deadline=None)
@given(st.lists(hostile, max_size=80))
def test_whatever_arrives_ends_in_bounded_sound_and_a_counter(
    packets: list[bytes], arrivals: list[tuple[int, bytes | int, bool, int, float]]
) -> None:
    listener, now_ms = Listener(), 0.0
    for counter, opus, end, epoch, step_ms in arrivals:
        real = packets[opus] if isinstance(opus, int) else opus
        listener.push((now_ms, epoch, counter, real, end))
        now_ms += step_ms
        check_bounds(listener, now_ms)
    assert listener.stats.received == len(arrivals)


toc = st.sampled_from([0x08, 0x48, 0x78, 0x7C, 0xE8, 0xF0, 0xF8, 0xFC, 0x19, 0x1B])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(toc, st.integers(0, 2), st.integers(0, 25)), max_size=120), st.data())
def test_sizes_that_change_with_every_packet_end_in_bounded_sound(
    steps: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    listener, now_ms, counter = Listener(), 0.0, 0
    for head, skipped, step_ms in steps:
        counter += 1 + skipped
        listener.push((now_ms, 0, counter, bytes([head]) + rng.bytes(80), False))
        now_ms += step_ms
        check_bounds(listener, now_ms)


FATES = ("lost", "ok", "ok", "ok", "late", "twice")


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32), st.floats(0, 40))
def test_every_frame_is_played_or_counted(seed: int, late_ms: float) -> None:
    """None is lost silently unless more are lost in a row than the 240 ms that are waited."""
    fates = np.random.default_rng(seed).choice(FATES, 200)
    fates[[0, 1, -1]] = "ok"
    arrivals: list[Arrival] = []
    for n, fate in enumerate(fates):
        at_ms = 10.0 * n + (late_ms if fate == "late" else 0)
        copies = {"lost": 0, "twice": 2}.get(fate, 1)
        arrivals += [(at_ms, 0, n, b"\xf0\xff\xfe", False)] * copies
    listener = Listener()
    listener.play(arrivals, 10 * len(fates) + 400)
    stats = listener.stats
    played = stats.received - stats.duplicates - stats.late
    assert played + stats.lost == len(fates)
    assert stats.late <= list(fates).count("late")


def test_a_snapshot_does_not_change(packets: list[bytes]) -> None:
    listener = Listener()
    before = listener.stats
    listener.push((0.0, 0, 0, packets[0], False))
    assert before.received == 0
    assert listener.stats.received == 1
