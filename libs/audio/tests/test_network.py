"""Speech over bad networks, in virtual time: every frame is accounted for, and it stays speech."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import soxr
from pystoi import stoi

from sidetone.audio import FRAME_SAMPLES, Samples
from sidetone.audio.capture import CaptureChain, Packet
from sidetone.audio.jitter import JitterStats
from sidetone.audio.playback import PlaybackChain
from sidetone.audio.quality import delays_ms
from sidetone.audio.tracks import Track

SENDER = 7


@dataclass
class Network:
    """A seeded bad link: times in ms, shares from 0 to 1, an epoch of so many packets."""

    loss: float = 0.0
    jitter_ms: float = 0.0
    duplicates: float = 0.0
    drift: float = 0.0
    epoch_packets: int = 1 << 30
    seed: int = 1

    def carry(self, sent: list[tuple[float, Packet]]) -> list[tuple[float, int, int, Packet]]:
        """Return (arrival_ms, epoch, counter, packet) in order of arrival."""
        rng = np.random.default_rng(self.seed)
        arrivals: list[tuple[float, int, int, Packet]] = []
        for n, (sent_ms, packet) in enumerate(sent):
            epoch, counter = divmod(n, self.epoch_packets)
            if rng.random() < self.loss:
                continue
            for _ in range(1 + int(rng.random() < self.duplicates)):
                late_ms = 2.0 + rng.exponential(self.jitter_ms) if self.jitter_ms else 2.0
                arrivals.append((sent_ms + late_ms, epoch, counter, packet))
        return sorted(arrivals, key=lambda arrival: arrival[0])


@dataclass
class Call:
    """What came of one voice that was sent over a network and played."""

    sent: int
    stats: JitterStats
    spoken: Track = field(repr=False)
    heard: Track = field(repr=False)


def call(voice: Samples, network: Network) -> Call:
    """Speak *voice* through capture, network and playback in virtual time."""
    capture, spoken, heard = CaptureChain(), Track(600), Track(600)
    stats = JitterStats()
    sent: list[tuple[float, Packet]] = []
    frames = voice[: voice.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    frame_ms = 10 * (1 + network.drift)
    for n, frame in enumerate(frames):
        begun_ms = n * frame_ms
        spoken.append(frame, int(begun_ms * 1e6))
        sent += [(begun_ms + frame_ms, packet) for packet in capture.process(frame)]
    arrivals = network.carry(sent)
    playback = PlaybackChain(lambda _sender, frame, now_ms: heard.append(frame, int(now_ms * 1e6)))
    at = 0
    for tick in range(len(frames) + 30):
        now_ms = 10.0 * tick + 3.7
        while at < len(arrivals) and arrivals[at][0] <= now_ms:
            arrival_ms, epoch, counter, packet = arrivals[at]
            playback.push(
                SENDER, epoch, counter, packet.opus, end=packet.end, arrival_ms=arrival_ms
            )
            at += 1
        playback.tick(now_ms)
        stats = playback.stats().get(SENDER, stats)
    return Call(len(sent), stats, spoken, heard)


def clarity(done: Call) -> float:
    """Intelligibility (STOI, 0 to 1) of what was heard, at the delay it was heard with."""
    spoken, heard = done.spoken.samples(), done.heard.samples()
    offset_ms = (done.heard.times_ns()[0] - done.spoken.times_ns()[0]) / 1e6
    late = round((float(np.median(delays_ms(done.spoken, done.heard))) - offset_ms) * 48)
    spoken, heard = (spoken, heard[late:]) if late >= 0 else (spoken[-late:], heard)
    size = min(spoken.size, heard.size)
    a, b = (soxr.resample(sound[:size], 48_000, 16_000) for sound in (spoken, heard))
    return float(stoi(a, b, 16_000))


def accounted(done: Call) -> bool:
    """Every frame that was sent was decoded, or is lost; nothing was invented beside."""
    stats = done.stats
    unheard = done.sent - (stats.received - stats.duplicates - stats.late) - stats.lost
    return abs(unheard) <= stats.resyncs * 50 + 8


def test_a_good_link_is_clear_and_fast(ada: Samples) -> None:
    done = call(ada, Network())
    assert clarity(done) > 0.97
    assert (done.stats.lost, done.stats.late, done.stats.stretched) == (0, 0, 0)
    assert np.median(delays_ms(done.spoken, done.heard)) < 45


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_percent_of_loss_is_mostly_repaired(ben: Samples, seed: int) -> None:
    done = call(ben, Network(loss=0.1, seed=seed))
    stats = done.stats
    assert accounted(done)
    assert stats.fec_recovered > 0.85 * stats.lost
    assert clarity(done) > 0.91
    assert np.median(delays_ms(done.spoken, done.heard)) < 60


@pytest.mark.parametrize("jitter_ms", [1.0, 5.0, 15.0])
def test_jitter_is_absorbed_by_delay_and_not_by_loss(ada: Samples, jitter_ms: float) -> None:
    done = call(ada, Network(jitter_ms=jitter_ms))
    assert accounted(done)
    assert done.stats.lost < 0.06 * done.sent
    assert done.stats.target_ms > jitter_ms
    assert clarity(done) > 0.9


def test_everything_at_once_is_still_speech(ben: Samples) -> None:
    network = Network(loss=0.05, jitter_ms=5, duplicates=0.2, drift=1e-4, epoch_packets=70)
    done = call(ben, network)
    assert accounted(done)
    assert done.stats.duplicates > 0
    assert clarity(done) > 0.88


@pytest.mark.parametrize("drift", [-2e-4, 2e-4])
def test_a_drifting_clock_is_followed(ada: Samples, drift: float) -> None:
    done = call(np.concatenate((ada, ada)), Network(drift=drift))
    assert done.stats.lost == done.stats.late == 0
    assert max(delays_ms(done.spoken, done.heard)) < 55


def test_epoch_changes_cost_nothing(ada: Samples) -> None:
    plain, often = call(ada, Network()), call(ada, Network(epoch_packets=50))
    assert np.array_equal(plain.heard.samples(), often.heard.samples())


def test_the_same_seed_tells_the_same_story(ben: Samples) -> None:
    network = Network(loss=0.1, jitter_ms=4)
    first, second = call(ben[:240_000], network), call(ben[:240_000], network)
    assert np.array_equal(first.heard.samples(), second.heard.samples())
    assert first.stats == second.stats


@pytest.mark.parametrize(
    ("voice", "loss", "score_min"),
    [
        ("ada", 0.0, 3.8),
        ("ben", 0.0, 3.7),
        ("ada", 0.1, 3.3),
        ("ben", 0.1, 3.3),
    ],
)
def test_pesq_is_that_of_a_good_call(
    voice: str, loss: float, score_min: float, request: pytest.FixtureRequest
) -> None:
    pesq = pytest.importorskip("pesq", reason="the extra `quality` is not installed").pesq
    done = call(request.getfixturevalue(voice), Network(loss=loss))
    a, b = (soxr.resample(track.samples(), 48_000, 16_000) for track in (done.spoken, done.heard))
    assert pesq(16_000, a, b, "wb") > score_min
