from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidetone.audio import HOP_MS, HOP_SAMPLES, Samples, codec, jitter
from sidetone.audio.decoding import tame
from sidetone.audio.jitter import JITTER, JitterStats
from sidetone.audio.jitter_state import PAST_SAMPLES
from sidetone.audio.lateness import TARGET_MAX_MS
from sidetone.audio.waiting import PACKETS_MAX
from sidetone.native import Record, records
from tests.load.quality_network import Packets, encoded, ideal

CLEAN_TARGET_MS = 12.0
Arrival = tuple[float, int, int, bytes, bool]
"""When in ms, epoch, counter, opus, end."""


@dataclass
class Listener:
    """A jitter buffer that is pulled at 3, 8, 13 ... ms."""

    buffer: Record = field(default_factory=lambda: records(JITTER, 1)[0])
    decoders: np.ndarray = field(default_factory=lambda: codec.new_decoders(1))

    def __post_init__(self) -> None:
        jitter.reset(self.buffer, self.decoders[0].ctypes.data)

    @property
    def stats(self) -> JitterStats:
        return jitter.snapshot(self.buffer)

    def push(self, arrival: Arrival) -> None:
        at_ms, epoch, counter, opus, end = arrival
        packet = np.frombuffer(opus, np.uint8).copy()
        jitter.push(self.buffer, packet, epoch, counter, end, int(at_ms * 1e6))

    def pull(self, now_ms: float) -> Samples:
        out = np.full(HOP_SAMPLES, 9, np.float32)
        spoke = jitter.pull(self.buffer, out, int(now_ms * 1e6))
        assert spoke or not out.any()
        return out

    def play(self, arrivals: Iterable[Arrival], until_ms: int, from_ms: int = 0) -> Samples:
        waiting = sorted(a for a in arrivals if a[0] > from_ms - HOP_MS + 3)
        heard: list[Samples] = []
        for now_ms in range(from_ms + 3, until_ms, HOP_MS):
            while waiting and waiting[0][0] <= now_ms:
                self.push(waiting.pop(0))
            heard.append(self.pull(now_ms))
        return np.concatenate(heard)


@pytest.fixture(scope="module")
def plain(ada: Samples) -> Packets:
    """Without copies of what came before."""
    return encoded(ada[:288_000])


@pytest.fixture(scope="module")
def packets(ada: Samples) -> list[bytes]:
    return [packet.tobytes() for packet in encoded(ada[:288_000], loss_percent=10)]


@pytest.fixture(scope="module")
def decoded(packets: list[bytes]) -> Samples:
    """What a perfect link would play."""
    return perfect(packets)


def perfect(packets: list[bytes], frame_samples: int = 480) -> Samples:
    arrays = [np.frombuffer(packet, np.uint8) for packet in packets]
    sound = ideal([a.copy() for a in arrays], np.zeros(len(arrays), bool), frame_samples)
    return sound[: len(packets) * frame_samples]


def punctual(packets: list[bytes], begin: int = 0, frame_ms: float = 10.0) -> list[Arrival]:
    last = len(packets) - 1
    return [(frame_ms * n, 0, n + begin, opus, n == last) for n, opus in enumerate(packets)]


def heard(sound: Samples, like: Samples) -> bool:
    """Say whether *like* occurs in *sound* sample by sample, at a whole number of hops."""
    for at in range(0, sound.size - like.size + 1, HOP_SAMPLES):
        if np.array_equal(sound[at : at + like.size], like):
            return True
    return False


@pytest.mark.parametrize("begin", [0, 5000])
def test_a_good_link_is_played_bit_by_bit_within_5_ms(
    packets: list[bytes], decoded: Samples, begin: int
) -> None:
    listener = Listener()
    sound = listener.play(punctual(packets, begin), 6100)
    assert np.array_equal(sound[: decoded.size], decoded), "arrived at 0 ms, played at 3 ms"
    stats = listener.stats
    assert stats.received == len(packets)
    assert (stats.lost, stats.concealed, stats.late, stats.stretched) == (0, 0, 0, 0)
    assert stats.target_ms == CLEAN_TARGET_MS


@pytest.mark.parametrize("frame_samples", [240, 480, 960, 1920, 2880])
def test_frames_of_every_size_are_played_bit_by_bit(ada: Samples, frame_samples: int) -> None:
    frame_ms = frame_samples / 48
    packets = [packet.tobytes() for packet in encoded(ada[:144_000], frame_samples)]
    listener = Listener()
    sound = listener.play(punctual(packets, frame_ms=frame_ms), 3200)
    assert heard(sound, perfect(packets, frame_samples))
    stats = listener.stats
    assert (stats.lost, stats.concealed, stats.late, stats.stretched) == (0, 0, 0, 0)
    assert stats.target_ms == max(frame_ms + 2, 10)


@pytest.mark.parametrize(("before", "after"), [(480, 960), (960, 480), (480, 240), (240, 960)])
@pytest.mark.parametrize("missing", [0, 1])
def test_a_sender_may_change_the_size_of_frames(
    ada: Samples, before: int, after: int, missing: int
) -> None:
    """From small to large all comes later by the difference, so as much has to be filled."""
    first = [packet.tobytes() for packet in encoded(ada[:144_000], before)]
    second = [packet.tobytes() for packet in encoded(ada[144_000:288_000], after)]
    arrivals = [((n + 1) * before / 48, 0, n, opus, False) for n, opus in enumerate(first)]
    arrivals += [
        (3000 + (n + 1) * after / 48, 0, len(first) + n, opus, False)
        for n, opus in enumerate(second)
        if n >= missing
    ]
    listener = Listener()
    listener.play(arrivals, 3000)
    assert listener.stats.concealed == 0
    listener.play(arrivals, 3500, from_ms=3000)
    changed = listener.stats
    assert changed.lost == missing
    assert changed.concealed_ms <= 40
    listener.play(arrivals, 5980, from_ms=3500)
    stats = listener.stats
    assert (stats.lost, stats.concealed, stats.late) == (changed.lost, changed.concealed, 0)
    assert stats.resyncs == 0
    assert stats.depth_ms < 2 * stats.target_ms


def test_stereo_is_mixed_down(ada: Samples) -> None:
    # Two channels (bit 2 of the first byte) of CELT; what they hold does not matter here.
    packets = [bytes([0xF4]) + packet.tobytes()[1:] for packet in encoded(ada[:48_000])]
    listener = Listener()
    sound = listener.play(punctual(packets), 1200)
    assert np.max(np.abs(sound)) > 0
    assert listener.stats.received == 100


def test_silence_follows_the_end(packets: list[bytes]) -> None:
    listener = Listener()
    sound = listener.play(punctual(packets[:50]), 1000)
    assert np.all(sound[51 * 480 :] == 0)
    assert not listener.stats.playing
    assert listener.stats.level_db == -120
    assert listener.stats.concealed == 0


def test_an_epoch_change_is_not_heard(packets: list[bytes], decoded: Samples) -> None:
    arrivals = [
        (10.0 * n, n // 37, n % 37, opus, n == len(packets) - 1) for n, opus in enumerate(packets)
    ]
    listener = Listener()
    assert heard(listener.play(arrivals, 6100), decoded)
    assert listener.stats.concealed == listener.stats.lost == 0


def test_packets_swapped_across_an_epoch_change_are_put_in_order(packets: list[bytes]) -> None:
    arrivals = [(10.0 * n, n // 40, n % 40, opus, False) for n, opus in enumerate(packets[:200])]
    for n in (39, 79, 119):
        arrivals[n], arrivals[n + 1] = (
            (10.0 * n + 4, *arrivals[n + 1][1:]),
            (10.0 * n + 5, *arrivals[n][1:]),
        )
    listener = Listener()
    listener.play(arrivals, 1990)
    assert listener.stats.late == listener.stats.lost == 0


def test_a_lost_last_packet_of_an_epoch_is_noticed(packets: list[bytes]) -> None:
    arrivals = [(10.0 * n, n // 40, n % 40, opus, False) for n, opus in enumerate(packets[:200])]
    del arrivals[79]
    listener = Listener()
    listener.play(arrivals, 1900)
    assert listener.stats.lost == listener.stats.concealed == 1
    assert listener.stats.depth_ms <= CLEAN_TARGET_MS


def losing(packets: list[bytes], every: int, frame_ms: float = 10.0) -> list[Arrival]:
    return [a for n, a in enumerate(punctual(packets, frame_ms=frame_ms)) if n % every != 7]


def test_on_a_lossy_link_lost_packets_are_recovered_from_the_next(packets: list[bytes]) -> None:
    listener = Listener()
    listener.play(losing(packets, 20), 1000)
    before = listener.stats
    listener.play(losing(packets, 20), 6100, from_ms=1000)
    stats = listener.stats
    assert before.target_ms == CLEAN_TARGET_MS + 10
    assert stats.lost - before.lost == 25
    assert stats.fec_recovered - before.fec_recovered >= 22, "pauses need no copies"
    assert stats.concealed - before.concealed <= 3
    assert stats.stretched - before.stretched <= 1
    assert 0.03 < stats.loss < 0.07


def test_nothing_is_recovered_from_a_packet_without_a_copy(plain: Packets) -> None:
    listener = Listener()
    listener.play(losing([packet.tobytes() for packet in plain], 20), 6100)
    assert listener.stats.fec_recovered == 0
    assert listener.stats.concealed == listener.stats.lost == 30


def test_a_burst_of_losses_moves_nothing_in_time(packets: list[bytes], decoded: Samples) -> None:
    """What was invented while nothing came stands for what turns out to be lost."""
    arrivals = [a for n, a in enumerate(punctual(packets)) if not 400 <= n < 404]
    listener = Listener()
    sound = listener.play(arrivals, 6100)
    stats = listener.stats
    assert (stats.lost, stats.stretched, stats.resyncs) == (4, 0, 0)
    assert stats.concealed + stats.fec_recovered == 4
    late = slice(420 * 480, 600 * 480)
    assert np.corrcoef(sound[late], decoded[late])[0, 1] > 0.999


def test_disorder_and_duplicates_are_not_heard(packets: list[bytes], decoded: Samples) -> None:
    arrivals = punctual(packets)
    for n in range(1, len(arrivals) - 2, 40):
        arrivals[n] = (arrivals[n + 1][0] + 1, *arrivals[n][1:])
    doubled = sorted(
        (copy for a in arrivals for copy in (a, (a[0] + 1, *a[1:]))), key=lambda a: a[0]
    )
    listener = Listener()
    listener.play(doubled, 900)
    before = listener.stats
    sound = listener.play(doubled, 6100, from_ms=900)
    stats = listener.stats
    assert stats.duplicates + stats.late == len(arrivals)
    assert stats.lost == before.lost <= 1
    assert heard(sound, decoded[200 * 480 : 500 * 480]) or stats.stretched > before.stretched


def test_a_late_packet_keeps_its_place(packets: list[bytes]) -> None:
    """Nothing newer has come, so time is stretched and no frame is given up."""
    arrivals: list[Arrival] = [
        (at + (30 if n >= 100 else 0), epoch, counter, opus, end)
        for n, (at, epoch, counter, opus, end) in enumerate(punctual(packets[:300]))
    ]
    listener = Listener()
    listener.play(arrivals, 3300)
    stats = listener.stats
    assert stats.lost == stats.late == 0
    assert 1 <= stats.concealed <= 5


def test_packets_that_come_too_late_teach_the_buffer_to_wait(packets: list[bytes]) -> None:
    arrivals: list[Arrival] = [
        (at + n % 2 * 40, epoch, counter, opus, end)
        for n, (at, epoch, counter, opus, end) in enumerate(punctual(packets[:590]))
    ]
    listener = Listener()
    listener.play(arrivals, 1500)
    before = listener.stats
    listener.play(arrivals, 5800, from_ms=1500)
    stats = listener.stats
    assert before.late > 0
    assert (stats.lost, stats.late, stats.concealed) == (
        before.lost,
        before.late,
        before.concealed,
    )
    assert 40 <= stats.jitter_ms <= 41
    assert stats.target_ms <= TARGET_MAX_MS


def test_a_talkspurt_on_the_heels_of_another_changes_nothing(packets: list[bytes]) -> None:
    """On a jittery link the next one begins to arrive while the last is still being played."""
    jitter_ms = [n % 2 * 40 * (n != 299) for n in range(500)]
    first = [(10.0 * n + jitter_ms[n], 0, n, packets[n], n == 299) for n in range(300)]
    second = [(10.0 * n + jitter_ms[n] + 30, 0, n, packets[n], False) for n in range(300, 500)]
    listener = Listener()
    listener.play(first + second, 2800)
    before = listener.stats
    listener.play(first + second, 4900, from_ms=2800)
    after = listener.stats
    assert (after.stretched, after.concealed) == (before.stretched, before.concealed)
    assert after.target_ms == before.target_ms


def test_a_delay_that_has_passed_is_caught_up(packets: list[bytes]) -> None:
    arrivals: list[Arrival] = [
        (at + (60 if 100 <= n < 110 else 0), epoch, counter, opus, end)
        for n, (at, epoch, counter, opus, end) in enumerate(punctual(packets[:590]))
    ]
    listener = Listener()
    listener.play(arrivals, 1200)
    assert listener.stats.depth_ms >= 40
    listener.play(arrivals, 5800, from_ms=1200)
    stats = listener.stats
    assert stats.stretched > 0
    assert stats.lost == stats.late == stats.resyncs == 0
    assert stats.depth_ms <= 20


def test_stray_late_packets_are_not_a_new_stream(packets: list[bytes]) -> None:
    stray = [(10.0 * n + 1, 0, 0, packets[0], False) for n in range(50, 200)]
    listener = Listener()
    listener.play(punctual(packets[:200]) + stray, 1990)
    assert listener.stats.duplicates == 149
    assert listener.stats.resyncs == 0


def test_an_outage_is_concealed_for_50_ms_and_fades_within_50_more(packets: list[bytes]) -> None:
    listener = Listener()
    sound = listener.play(punctual(packets)[:100], 1300)
    assert listener.stats.concealed == 10
    assert not listener.stats.playing
    last = int(np.flatnonzero(sound)[-1]) + 1
    assert last <= 110 * 480
    tail = np.abs(sound[last - 2400 : last])
    assert np.max(tail[-48:]) < 0.05 * np.max(tail), "it fades"


@pytest.mark.parametrize("outage_ms", [120, 200, 1000])
def test_speech_after_an_outage_is_heard_at_once(
    packets: list[bytes], decoded: Samples, outage_ms: int
) -> None:
    arrivals = [a for a in punctual(packets) if not 1000 <= a[0] < 1000 + outage_ms]
    listener = Listener()
    sound = listener.play(arrivals, 6100)
    back = slice((1010 + outage_ms) * 48, (1040 + outage_ms) * 48)
    assert np.corrcoef(sound[back], decoded[back])[0, 1] > 0.9, "at the delay of before"
    assert listener.stats.resyncs == 0
    assert listener.stats.depth_ms == 0


def test_a_pause_whose_end_was_lost_adds_no_delay(packets: list[bytes]) -> None:
    first = [(10.0 * n, 0, n, packets[n], False) for n in range(100)]
    second = [(10.0 * n + 150, 0, n, packets[n], False) for n in range(100, 200)]
    listener = Listener()
    listener.play(first + second, 1300)
    assert listener.stats.jitter_ms < 2
    assert listener.stats.depth_ms <= CLEAN_TARGET_MS


def test_a_pause_between_talkspurts_adds_no_delay(packets: list[bytes]) -> None:
    first = [(10.0 * n, 0, n, packets[n], n == 99) for n in range(100)]
    second = [(10.0 * n + 1234, 0, n, packets[n], n == 199) for n in range(100, 200)]
    listener = Listener()
    sound = listener.play(first + second, 4000)
    stats = listener.stats
    assert (stats.lost, stats.concealed, stats.late, stats.stretched) == (0, 0, 0, 0)
    assert stats.jitter_ms < 2
    begin_ms = np.flatnonzero(np.abs(sound[110 * 480 :]) > 0)[0] / 48 + 1100 + 3
    assert begin_ms - 2234 < 10


def test_a_backlog_of_a_stalled_listener_is_skipped(packets: list[bytes]) -> None:
    listener, arrivals = Listener(), punctual(packets)
    listener.play(arrivals[:10], 100)
    for arrival in arrivals[10:60]:
        listener.push(arrival)
    listener.pull(603)
    assert listener.stats.resyncs == 1
    assert listener.stats.depth_ms <= 30


def test_counters_that_start_again_are_a_new_stream(packets: list[bytes]) -> None:
    """A new call may begin with an old epoch number; its sender must not stay unheard."""
    old = [(10.0 * n, 5, n, packets[n], False) for n in range(100)]
    new = [(10.0 * n + 3000, 1, n, packets[n], False) for n in range(200)]
    listener = Listener()
    sound = listener.play(old + new, 5000)
    assert np.max(np.abs(sound[4000 * 48 :])) > 0.05
    assert listener.stats.resyncs == 1


def test_unplayed_packets_are_bounded(packets: list[bytes]) -> None:
    listener = Listener()
    for n in range(1000):
        listener.push((10.0 * n, 0, n, packets[n % 500], False))
    listener.pull(10_000)
    assert listener.buffer.waiting.packets <= PACKETS_MAX
    assert listener.stats.resyncs == 1


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


def test_a_reset_buffer_has_forgotten_everything(packets: list[bytes], decoded: Samples) -> None:
    listener = Listener()
    listener.play(losing(packets, 11), 3000)
    jitter.reset(listener.buffer, listener.decoders[0].ctypes.data)
    assert listener.stats == Listener().stats
    sound = listener.play(punctual(packets), 6100)
    assert np.array_equal(sound[: decoded.size], decoded)


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


@pytest.mark.parametrize("drift_ppm", [-200, 200])
def test_clocks_that_differ_are_not_heard(packets: list[bytes], drift_ppm: int) -> None:
    """Three minutes of talk; an hour of it is measured by `bench quality`."""
    frame_ms = 10 * (1 + drift_ppm / 1e6)
    arrivals = [(frame_ms * n, 0, n, packets[n % len(packets)], False) for n in range(18_000)]
    listener = Listener()
    listener.play(arrivals, 179_000)
    stats = listener.stats
    assert (stats.lost, stats.late, stats.concealed, stats.resyncs) == (0, 0, 0, 0)
    assert 1 <= stats.stretched <= 60
    assert stats.depth_ms <= 25
