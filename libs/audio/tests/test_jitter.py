import numpy as np
import pytest

from libs.audio.tests.listener import (
    CLEAN_TARGET_MS,
    Arrival,
    Listener,
    heard,
    losing,
    perfect,
    punctual,
)
from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, Samples, jitter
from sidetone.audio.lateness import TARGET_MAX_MS
from sidetone.audio.waiting import PACKETS_MAX
from tests.load.quality_network import Packets, encoded


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


@pytest.mark.parametrize("phase_ms", np.arange(0, 5, 0.5))
def test_a_frame_from_before_speech_delays_none_of_it(
    packets: list[bytes], phase_ms: float
) -> None:
    """It comes together with the next one, so what of it would be late is left out."""
    listener, sounds = Listener(), []
    for begin in (0, 1):
        arrivals = [
            (10.0 * max(n, 1) + 2000 * begin + phase_ms, 0, n + 200 * begin, packets[n], n == 199)
            for n in range(begin, 200)
        ]
        sounds.append(listener.play(arrivals, 2000 * (begin + 1) + 50, 2000 * begin))
    assert listener.stats.stretched == 0
    late, punctual_ = (sound[100 * 480 : 150 * 480] for sound in sounds)
    at = np.argmax(np.correlate(late, punctual_[2400:-2400], "valid")) - 2400
    assert abs(at) <= HOP_SAMPLES, "as if that frame had not been sent"


@pytest.mark.parametrize("phase_ms", np.arange(0, 5, 0.5))
def test_what_was_cut_out_is_not_put_back(phase_ms: float) -> None:
    """Delay changes by whole hops: a cut that is a sample too long would take one hop more."""
    at = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    voice = 0.05 * sum(np.sin(2 * np.pi * 180 * n * at) for n in range(1, 9))
    packets = encoded(np.asarray(voice, np.float32))
    arrivals = [
        (10.0 * max(n, 2) + phase_ms, 0, n, packet.tobytes(), False)
        for n, packet in enumerate(packets)
    ]
    listener = Listener()
    listener.play(arrivals, 1900)
    assert listener.stats.stretched <= 1


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


@pytest.mark.parametrize("drift_ppm", [-200, 200])
def test_clocks_that_differ_are_not_heard(ben: Samples, drift_ppm: int) -> None:
    """Three minutes of a deep voice, whose periods are long; `bench quality` measures an hour."""
    packets = [packet.tobytes() for packet in encoded(ben[:480_000])]
    frame_ms = 10 * (1 + drift_ppm / 1e6)
    arrivals = [(frame_ms * n, 0, n, packets[n % len(packets)], False) for n in range(18_000)]
    listener = Listener()
    listener.play(arrivals, 179_000)
    stats = listener.stats
    assert (stats.lost, stats.late, stats.concealed, stats.resyncs) == (0, 0, 0, 0)
    apart_ms = 180_000 * 200 / 1e6
    assert apart_ms - 15 < stats.stretched_ms < 5 * apart_ms
    if drift_ppm < 0:
        assert stats.stretched_ms < apart_ms + 5, "what was cut out was not put back"
    assert stats.depth_ms <= 25


def test_a_reset_buffer_has_forgotten_everything(packets: list[bytes], decoded: Samples) -> None:
    listener = Listener()
    listener.play(losing(packets, 11), 3000)
    jitter.reset(listener.buffer, listener.decoders[0].ctypes.data)
    assert listener.stats == Listener().stats
    sound = listener.play(punctual(packets), 6100)
    assert np.array_equal(sound[: decoded.size], decoded)
