"""Speech over bad networks, in virtual time: every frame is accounted for, and it stays speech."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import soxr
from pystoi import stoi

from sidetone.audio import HOP_MS, HOP_SAMPLES, Samples, codec, jitter
from sidetone.audio.jitter import JITTER, JitterStats
from sidetone.native import records
from tests.load.quality_network import encoded

TRANSIT_MS = 2.0
PHASE_MS = 3.7
Arrival = tuple[float, int, int, int]
"""When in ms, epoch, counter, which packet."""


@dataclass
class Network:
    """A seeded bad link: times in ms, shares from 0 to 1, an epoch of so many packets."""

    loss: float = 0.0
    jitter_ms: float = 0.0
    duplicates: float = 0.0
    drift: float = 0.0
    epoch_packets: int = 1 << 30
    seed: int = 1

    def carry(self, packets: int, frame_ms: float) -> list[Arrival]:
        """Return what arrives, in order of arrival."""
        rng = np.random.default_rng(self.seed)
        arrivals: list[Arrival] = []
        for n in range(packets):
            epoch, counter = divmod(n, self.epoch_packets)
            if rng.random() < self.loss:
                continue
            for _ in range(1 + int(rng.random() < self.duplicates)):
                late_ms = rng.exponential(self.jitter_ms) if self.jitter_ms else 0.0
                arrival_ms = (n + 1) * frame_ms * (1 + self.drift) + TRANSIT_MS + late_ms
                arrivals.append((arrival_ms, epoch, counter, n))
        return sorted(arrivals)


@dataclass
class Call:
    """What came of one voice that was sent over a network and played."""

    sent: int
    stats: JitterStats
    spoken: Samples = field(repr=False)
    heard: Samples = field(repr=False)

    def delay_ms(self, at_s: float = 1.0, for_s: float = 4.0) -> float:
        """Find out mouth to ear, from what was spoken and heard after *at_s*."""
        begin, size = int(at_s * 48_000), int(for_s * 48_000)
        spoken, heard = self.spoken[begin : begin + size], self.heard[begin : begin + size]
        spectrum = np.fft.rfft(heard, 2 * size) * np.conj(np.fft.rfft(spoken, 2 * size))
        return int(np.argmax(np.fft.irfft(spectrum)[: size // 4])) / 48 + PHASE_MS


def call(voice: Samples, network: Network, frame_samples: int = 480) -> Call:
    """Speak *voice* through encoder, network and jitter buffer in virtual time."""
    packets = encoded(voice, frame_samples, loss_percent=10)
    arrivals = network.carry(len(packets), frame_samples / 48)
    buffer, decoders, at = records(JITTER, 1)[0], codec.new_decoders(1), 0
    jitter.reset(buffer, decoders[0].ctypes.data)
    hops = len(packets) * frame_samples // HOP_SAMPLES + 60
    heard = np.zeros((hops, HOP_SAMPLES), np.float32)
    for hop in range(hops):
        now_ms = hop * HOP_MS + PHASE_MS
        while at < len(arrivals) and arrivals[at][0] <= now_ms:
            arrival_ms, epoch, counter, n = arrivals[at]
            end = n == len(packets) - 1
            jitter.push(buffer, packets[n], epoch, counter, end, int(arrival_ms * 1e6))
            at += 1
        jitter.pull(buffer, heard[hop], int(now_ms * 1e6))
    return Call(len(packets), jitter.snapshot(buffer), voice, heard.reshape(-1))


def clarity(done: Call) -> float:
    """Intelligibility (STOI, 0 to 1) of what was heard, at the delay it was heard with."""
    heard = done.heard[round((done.delay_ms() - PHASE_MS) * 48) :]
    size = min(done.spoken.size, heard.size)
    a, b = (soxr.resample(sound[:size], 48_000, 16_000) for sound in (done.spoken, heard))
    return float(stoi(a, b, 16_000))


def accounted(done: Call) -> bool:
    """Every frame that was sent was decoded, or is lost; nothing was invented beside."""
    stats = done.stats
    unheard = done.sent - (stats.received - stats.duplicates - stats.late) - stats.lost
    return abs(unheard) <= stats.resyncs * 50 + 8


@pytest.mark.parametrize(("frame_samples", "delay_ms"), [(240, 20), (480, 25), (960, 35)])
def test_a_good_link_is_clear_and_fast(ada: Samples, frame_samples: int, delay_ms: float) -> None:
    """The frame itself, 2 ms of network, 6.5 ms of Opus, 2 to 7 ms of waiting, the phase."""
    done = call(ada[:480_000], Network(), frame_samples)
    assert clarity(done) > 0.97
    assert (done.stats.lost, done.stats.late, done.stats.stretched) == (0, 0, 0)
    assert done.delay_ms() < delay_ms + PHASE_MS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_percent_of_loss_is_mostly_repaired(ben: Samples, seed: int) -> None:
    done = call(ben[:720_000], Network(loss=0.1, seed=seed))
    stats = done.stats
    assert accounted(done)
    assert stats.fec_recovered > 0.65 * stats.lost
    assert clarity(done) > 0.91
    assert done.delay_ms() < 50


@pytest.mark.parametrize("jitter_ms", [1.0, 5.0, 15.0])
def test_jitter_is_absorbed_by_delay_and_not_by_loss(ada: Samples, jitter_ms: float) -> None:
    done = call(ada, Network(jitter_ms=jitter_ms))
    assert accounted(done)
    assert done.stats.lost < 0.04 * done.sent
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
    """After a minute the clocks are 12 ms apart, and the delay is what it was within a period."""
    done = call(np.concatenate((ada, ada)), Network(drift=drift))
    assert done.stats.lost == done.stats.late == done.stats.concealed == 0
    assert abs(done.delay_ms(50) - done.delay_ms()) < 14


def test_epoch_changes_cost_nothing(ada: Samples) -> None:
    plain = call(ada[:480_000], Network())
    often = call(ada[:480_000], Network(epoch_packets=50))
    assert np.array_equal(plain.heard, often.heard)


def test_the_same_seed_tells_the_same_story(ben: Samples) -> None:
    network = Network(loss=0.1, jitter_ms=4)
    first, second = call(ben[:240_000], network), call(ben[:240_000], network)
    assert np.array_equal(first.heard, second.heard)
    assert first.stats == second.stats


@pytest.mark.parametrize(
    ("voice", "loss", "score_min"),
    [("ada", 0.0, 4.3), ("ben", 0.0, 4.3), ("ada", 0.1, 3.6), ("ben", 0.1, 3.6)],
)
def test_pesq_is_that_of_a_good_call(
    voice: str, loss: float, score_min: float, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("pesq", reason="the extra `quality` is not installed")
    from tests.load.quality_score import pesq_wb

    sound = request.getfixturevalue(voice)[:480_000]
    assert pesq_wb(sound, call(sound, Network(loss=loss)).heard) > score_min
