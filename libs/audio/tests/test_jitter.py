from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidetone.audio import FRAME_SAMPLES, Samples
from sidetone.audio.codec import Decoder, Encoder
from sidetone.audio.jitter import PACKETS_MAX, JitterBuffer
from sidetone.audio.lateness import TARGET_MAX_MS, TARGET_MIN_MS, Lateness


@pytest.fixture(scope="module")
def packets(ada: Samples) -> list[bytes]:
    encoder = Encoder(64_000, 10)
    return [encoder.encode(frame) for frame in ada[:288_000].reshape(-1, FRAME_SAMPLES)]


@pytest.fixture(scope="module")
def decoded(packets: list[bytes]) -> Samples:
    """What a perfect link would play."""
    decoder, out = Decoder(), np.zeros((len(packets), FRAME_SAMPLES), np.float32)
    for packet, frame in zip(packets, out, strict=True):
        decoder.decode(packet, frame)
    return out.reshape(-1)


Arrival = tuple[float, int, int, bytes, bool]


def play(
    buffer: JitterBuffer, arrivals: list[Arrival], until_ms: int, from_ms: int = 0
) -> Samples:
    """Push what arrives (ms, epoch, counter, opus, end) and pull at 3, 13, 23 ... ms."""
    waiting, out = sorted(a for a in arrivals if a[0] > from_ms - 7), []
    for tick in range(from_ms // 10, until_ms // 10):
        now_ms = 10.0 * tick + 3
        while waiting and waiting[0][0] <= now_ms:
            arrival_ms, epoch, counter, opus, end = waiting.pop(0)
            buffer.push(counter, opus, end=end, arrival_ms=arrival_ms, epoch=epoch)
        frame = np.zeros(FRAME_SAMPLES, np.float32)
        buffer.pull(frame, now_ms)
        out.append(frame)
    return np.concatenate(out)


def punctual(packets: list[bytes], begin: int = 0) -> list[Arrival]:
    last = len(packets) - 1
    return [(10.0 * n, 0, n + begin, opus, n == last) for n, opus in enumerate(packets)]


def heard(sound: Samples, like: Samples) -> bool:
    """Say whether *like* occurs in *sound* sample by sample, at a whole number of frames."""
    for at in range(0, sound.size - like.size + 1, FRAME_SAMPLES):
        if np.array_equal(sound[at : at + like.size], like):
            return True
    return False


@pytest.mark.parametrize("begin", [0, 5000])
def test_a_good_link_is_played_bit_by_bit_within_20_ms(
    packets: list[bytes], decoded: Samples, begin: int
) -> None:
    buffer = JitterBuffer()
    sound = play(buffer, punctual(packets, begin), 6100)
    assert np.array_equal(sound[FRAME_SAMPLES:][: decoded.size], decoded)
    stats = buffer.stats
    assert stats.received == len(packets)
    assert (stats.lost, stats.concealed, stats.late, stats.stretched) == (0, 0, 0, 0)
    assert stats.target_ms == TARGET_MIN_MS


def test_silence_follows_the_end(packets: list[bytes]) -> None:
    buffer = JitterBuffer()
    sound = play(buffer, punctual(packets[:50]), 1000)
    assert np.all(sound[54 * FRAME_SAMPLES :] == 0)
    assert buffer.stats.concealed == 0


def test_an_epoch_change_is_not_heard(packets: list[bytes], decoded: Samples) -> None:
    arrivals = [
        (10.0 * n, n // 37, n % 37, opus, n == len(packets) - 1) for n, opus in enumerate(packets)
    ]
    buffer = JitterBuffer()
    assert heard(play(buffer, arrivals, 6100), decoded)
    assert buffer.stats.concealed == buffer.stats.lost == 0


def test_packets_swapped_across_an_epoch_change_are_put_in_order(
    packets: list[bytes], decoded: Samples
) -> None:
    arrivals = [(10.0 * n, n // 40, n % 40, opus, False) for n, opus in enumerate(packets[:200])]
    for n in (39, 79, 119):
        arrivals[n], arrivals[n + 1] = (
            (10.0 * n + 4, *arrivals[n + 1][1:]),
            (10.0 * n + 5, *arrivals[n][1:]),
        )
    buffer = JitterBuffer()
    assert heard(play(buffer, arrivals, 2100), decoded[: 200 * FRAME_SAMPLES])
    assert buffer.stats.late == 0


def test_a_lost_last_packet_of_an_epoch_is_recovered_from_the_next_epoch(
    packets: list[bytes],
) -> None:
    arrivals = [(10.0 * n, n // 40, n % 40, opus, False) for n, opus in enumerate(packets[:200])]
    del arrivals[79]
    buffer = JitterBuffer()
    play(buffer, arrivals, 1900)
    stats = buffer.stats
    assert (stats.lost, stats.fec_recovered, stats.concealed) == (1, 1, 0)


def test_a_lost_packet_is_recovered_from_the_next(packets: list[bytes]) -> None:
    arrivals = punctual(packets)
    del arrivals[100], arrivals[200]
    buffer = JitterBuffer()
    play(buffer, arrivals, 6100)
    stats = buffer.stats
    assert (stats.lost, stats.fec_recovered, stats.concealed) == (2, 2, 0)


def test_disorder_and_duplicates_are_not_heard(packets: list[bytes], decoded: Samples) -> None:
    arrivals = punctual(packets)
    for n in range(1, len(arrivals) - 2, 40):
        arrivals[n] = (arrivals[n + 1][0] + 1, *arrivals[n][1:])
    doubled = sorted(
        (copy for a in arrivals for copy in (a, (a[0] + 1, *a[1:]))), key=lambda a: a[0]
    )
    buffer = JitterBuffer()
    assert heard(play(buffer, doubled, 6100), decoded[: 100 * FRAME_SAMPLES])
    stats = buffer.stats
    assert stats.duplicates + stats.late == len(arrivals)
    assert stats.lost == 0


def test_a_late_packet_keeps_its_place(packets: list[bytes]) -> None:
    """Nothing newer has come, so time is stretched and no frame is given up."""
    arrivals = [
        (at + (30 if n >= 100 else 0), *rest)
        for n, (at, *rest) in enumerate(punctual(packets[:300]))
    ]
    buffer = JitterBuffer()
    play(buffer, arrivals, 3300)  # pyright: ignore[reportArgumentType]
    stats = buffer.stats
    assert stats.lost == stats.late == 0
    assert 1 <= stats.concealed <= 5


def test_a_link_that_begins_to_lose_is_given_more_time_unheard(packets: list[bytes]) -> None:
    """The target grows by the frame that repair needs, and a repeated pitch period fills it."""
    late = [(at + n % 2 * 4, *rest) for n, (at, *rest) in enumerate(punctual(packets[:500]))]
    arrivals = [arrival for n, arrival in enumerate(late) if n < 100 or n % 20 != 1]
    buffer = JitterBuffer()
    play(buffer, arrivals, 4900)
    stats = buffer.stats
    assert stats.stretched >= 1
    assert stats.lost == stats.fec_recovered == 20
    assert stats.concealed == 0


def test_packets_that_come_too_late_teach_the_buffer_to_wait(packets: list[bytes]) -> None:
    arrivals = [(at + n % 2 * 50, *rest) for n, (at, *rest) in enumerate(punctual(packets[:590]))]
    buffer = JitterBuffer()
    play(buffer, arrivals, 1500)
    before = buffer.stats
    play(buffer, arrivals, 5800, from_ms=1500)
    stats = buffer.stats
    assert before.late > 0
    assert (stats.lost, stats.late, stats.concealed) == (
        before.lost,
        before.late,
        before.concealed,
    )
    assert 50 <= stats.jitter_ms <= 51


def test_a_talkspurt_on_the_heels_of_another_changes_nothing(packets: list[bytes]) -> None:
    """On a jittery link the next one begins to arrive while the last is still being played."""
    jitter_ms = [n % 2 * 50 * (n != 299) for n in range(500)]
    first = [(10.0 * n + jitter_ms[n], 0, n, packets[n], n == 299) for n in range(300)]
    second = [(10.0 * n + jitter_ms[n] + 30, 0, n, packets[n], False) for n in range(300, 500)]
    buffer = JitterBuffer()
    play(buffer, first + second, 2800)
    before = buffer.stats
    play(buffer, first + second, 4900, from_ms=2800)
    after = buffer.stats
    assert (after.stretched, after.concealed) == (before.stretched, before.concealed)
    assert after.target_ms == before.target_ms


def test_a_delay_that_has_passed_is_caught_up(packets: list[bytes]) -> None:
    arrivals = [
        (at + (60 if 100 <= n < 110 else 0), *rest)
        for n, (at, *rest) in enumerate(punctual(packets[:590]))
    ]
    buffer = JitterBuffer()
    play(buffer, arrivals, 1200)
    assert buffer.stats.depth_ms >= 40
    play(buffer, arrivals, 5800, from_ms=1200)
    stats = buffer.stats
    assert stats.stretched > 0
    assert stats.lost == stats.late == stats.resyncs == 0
    assert stats.depth_ms <= 30


def test_stray_late_packets_are_not_a_new_stream(packets: list[bytes]) -> None:
    stray = [(10.0 * n + 1, 0, 0, packets[0], False) for n in range(50, 200)]
    buffer = JitterBuffer()
    play(buffer, punctual(packets[:200]) + stray, 1990)
    assert buffer.stats.duplicates == 149
    assert buffer.stats.resyncs == 0


def test_an_outage_is_concealed_for_50_ms_and_then_silent(packets: list[bytes]) -> None:
    buffer = JitterBuffer()
    sound = play(buffer, punctual(packets)[:100], 2000)
    assert buffer.stats.concealed == 5
    last = int(np.flatnonzero(sound)[-1]) + 1
    assert last <= 110 * FRAME_SAMPLES
    tail = np.abs(sound[last - FRAME_SAMPLES : last])
    assert np.max(tail[-48:]) < 0.15 * np.max(tail), "it fades"


def test_speech_after_an_outage_is_heard_at_once(packets: list[bytes], decoded: Samples) -> None:
    arrivals = [a for a in punctual(packets) if not 1000 <= a[0] < 2000]
    buffer = JitterBuffer()
    sound = play(buffer, arrivals, 6100)
    late = sound[260 * FRAME_SAMPLES : 500 * FRAME_SAMPLES]
    assert np.max(np.abs(np.correlate(decoded[258 * 480 : 261 * 480], late[:480]))) > 0
    assert buffer.stats.lost == 0
    assert buffer.stats.depth_ms <= 30


def test_a_pause_between_talkspurts_adds_no_delay(packets: list[bytes]) -> None:
    first = [(10.0 * n, 0, n, packets[n], n == 99) for n in range(100)]
    second = [(10.0 * n + 1234, 0, n, packets[n], n == 199) for n in range(100, 200)]
    buffer = JitterBuffer()
    sound = play(buffer, first + second, 4000)
    stats = buffer.stats
    assert (stats.lost, stats.concealed, stats.late, stats.stretched) == (0, 0, 0, 0)
    assert stats.jitter_ms < 2
    begin = np.flatnonzero(np.abs(sound[110 * 480 :]) > 0)[0] / 48 + 1100
    assert begin - 2234 < 30


def test_a_backlog_of_a_stalled_listener_is_skipped(packets: list[bytes]) -> None:
    buffer, out = JitterBuffer(), np.zeros(FRAME_SAMPLES, np.float32)
    arrivals = punctual(packets)
    for at, epoch, counter, opus, end in arrivals[:10]:
        buffer.push(counter, opus, end=end, arrival_ms=at, epoch=epoch)
        buffer.pull(out, at + 3)
    for at, epoch, counter, opus, end in arrivals[10:60]:
        buffer.push(counter, opus, end=end, arrival_ms=at, epoch=epoch)
    buffer.pull(out, 603)
    assert buffer.stats.resyncs == 1
    assert buffer.stats.depth_ms <= 30


def test_counters_that_start_again_are_a_new_stream(packets: list[bytes]) -> None:
    """A new call may begin with an old epoch number; its sender must not stay unheard."""
    buffer = JitterBuffer()
    old = [(10.0 * n, 5, n, packets[n], False) for n in range(100)]
    new = [(10.0 * n + 3000, 1, n, packets[n], False) for n in range(200)]
    sound = play(buffer, old + new, 5000)
    assert np.max(np.abs(sound[400 * FRAME_SAMPLES :])) > 0.05
    assert buffer.stats.resyncs == 1


def test_unplayed_packets_are_bounded(packets: list[bytes]) -> None:
    buffer = JitterBuffer()
    for n in range(1000):
        buffer.push(n, packets[n % 500], end=False, arrival_ms=10.0 * n, epoch=0)
    assert buffer.stats.depth_ms <= PACKETS_MAX * 10


hostile = st.tuples(
    st.integers(0, 2**32 - 1) | st.integers(0, 40),
    st.binary(max_size=90),
    st.booleans(),
    st.integers(0, 2**64 - 1) | st.integers(0, 3),
    st.floats(0, 200),
)


@settings(deadline=None)
@given(st.lists(hostile, max_size=80))
def test_nothing_that_arrives_raises_or_is_louder_than_full_scale(
    arrivals: list[tuple[int, bytes, bool, int, float]],
) -> None:
    buffer, out, now_ms = JitterBuffer(), np.zeros(FRAME_SAMPLES, np.float32), 0.0
    for counter, opus, end, epoch, step_ms in arrivals:
        buffer.push(counter, opus, end=end, arrival_ms=now_ms, epoch=epoch)
        now_ms += step_ms
        buffer.pull(out, now_ms)
        assert np.all(np.abs(out) <= 1)
        assert buffer.stats.depth_ms <= PACKETS_MAX * 10 + 60
    assert buffer.stats.received == len(arrivals)


def test_garbage_is_concealed_like_loss(packets: list[bytes]) -> None:
    arrivals = punctual(packets)
    arrivals[100] = (1000.0, 0, 100, b"\xff\xff\xff", False)
    buffer = JitterBuffer()
    play(buffer, arrivals, 6100)
    assert buffer.stats.concealed == 1


def test_a_snapshot_does_not_change(packets: list[bytes]) -> None:
    buffer = JitterBuffer()
    before = buffer.stats
    kept = asdict(before)
    buffer.push(0, packets[0], end=False, arrival_ms=0, epoch=0)
    assert asdict(before) == kept


@given(st.lists(st.floats(0, 1000), max_size=400))
def test_the_target_is_always_10_to_80_ms(transits: list[float]) -> None:
    lateness = Lateness()
    for transit in transits:
        lateness.observe(transit)
        lateness.played(lost=transit > 500)
        assert TARGET_MIN_MS <= lateness.target_ms <= TARGET_MAX_MS
        assert lateness.base_ms <= transit


def test_the_tail_is_the_95th_percentile_and_forgets() -> None:
    lateness, rng = Lateness(), np.random.default_rng(3)
    lateness.restart(0)
    for _ in range(3000):
        lateness.observe(float(rng.uniform(0, 40)))
    assert 34 <= lateness.tail_ms <= 40
    for _ in range(2000):
        lateness.observe(0.0)
    assert lateness.tail_ms == 0


def test_the_base_follows_a_clock_that_runs_away() -> None:
    lateness = Lateness()
    lateness.restart(0)
    for n in range(10_000):
        lateness.observe(n * 0.002)
    assert 20 - lateness.base_ms < 1
    assert lateness.tail_ms <= 1


def test_a_lossy_link_waits_for_the_copy_in_the_next_packet() -> None:
    lateness = Lateness()
    for n in range(1000):
        lateness.played(lost=n % 20 == 0)
    assert lateness.target_ms == TARGET_MIN_MS + 15
    for _ in range(3000):
        lateness.played(lost=False)
    assert lateness.target_ms == TARGET_MIN_MS
