import numpy as np
import pytest

from sidetone.audio import FRAME_SAMPLES, Frame, Samples
from sidetone.audio.codec import Encoder
from sidetone.audio.playback import SPEAKERS_MAX, PlaybackChain

Tapped = list[tuple[int, Samples, float]]


@pytest.fixture(scope="module")
def packets(ada: Samples) -> list[bytes]:
    encoder = Encoder(64_000, 10)
    return [encoder.encode(frame) for frame in ada[48_000:144_000].reshape(-1, FRAME_SAMPLES)]


def run(chain: PlaybackChain, packets: list[bytes], senders: list[int]) -> Samples:
    out: list[Frame] = []
    for n, packet in enumerate(packets):
        for sender in senders:
            chain.push(sender, 0, n, packet, end=False, arrival_ms=10.0 * n)
        out.append(chain.tick(10.0 * n + 3).copy())
    return np.concatenate(out)


def test_volumes_scale_one_speaker_and_everything(packets: list[bytes]) -> None:
    whole = run(PlaybackChain(), packets, [1])
    half, quarter = PlaybackChain(), PlaybackChain()
    half.set_volume(1, 50)
    quarter.set_volume(1, 50)
    quarter.set_output_volume(50)
    assert np.allclose(run(half, packets, [1]), whole / 2, atol=1e-6)
    assert np.allclose(run(quarter, packets, [1])[480:], whole[480:] / 4, atol=1e-6)


def test_a_changed_volume_glides_for_one_frame_and_stays(packets: list[bytes]) -> None:
    chain = PlaybackChain()
    before = run(chain, packets[:100], [1])
    chain.set_volume(1, 0)
    out: list[Samples] = []
    for n in range(100, 150):
        chain.push(1, 0, n, packets[n], end=False, arrival_ms=10.0 * n)
        out.append(chain.tick(10.0 * n + 3).copy())
    assert np.max(np.abs(before)) > 0.1
    assert np.any(out[0])
    assert not np.any(out[1:])


def test_a_volume_beyond_200_percent_is_200(packets: list[bytes]) -> None:
    loud, louder = PlaybackChain(), PlaybackChain()
    loud.set_volume(1, 200)
    louder.set_volume(1, 1000)
    assert np.array_equal(run(loud, packets, [1]), run(louder, packets, [1]))


def test_many_loud_speakers_never_exceed_full_scale(packets: list[bytes]) -> None:
    chain = PlaybackChain()
    for sender in range(20):
        chain.set_volume(sender, 200)
    mixed = run(chain, packets, list(range(20)))
    assert 0.9 < np.max(np.abs(mixed)) <= 1


def test_a_deafened_listener_hears_nothing_and_the_streams_go_on(packets: list[bytes]) -> None:
    chain = PlaybackChain()
    chain.deafened = True
    assert np.all(run(chain, packets, [1])[480:] == 0)
    assert chain.stats()[1].received == len(packets)
    assert chain.stats()[1].depth_ms <= 30


def test_the_tap_sees_each_speaker_alone_before_volume(packets: list[bytes]) -> None:
    tapped: Tapped = []
    chain = PlaybackChain(lambda sender, frame, now: tapped.append((sender, frame.copy(), now)))
    chain.set_volume(1, 0)
    run(chain, packets, [1, 2])
    first, second = (
        np.concatenate([frame for sender, frame, _ in tapped if sender == who]) for who in (1, 2)
    )
    assert np.array_equal(first, second)
    assert np.max(np.abs(first)) > 0.1
    assert [now for sender, _, now in tapped if sender == 1] == [
        10.0 * n + 3 for n in range(len(packets))
    ]


def test_a_silent_speaker_is_freed_after_two_seconds(packets: list[bytes]) -> None:
    chain = PlaybackChain()
    run(chain, packets[:10], [1])
    chain.tick(2080)
    assert 1 in chain.stats()
    chain.tick(2100)
    assert chain.stats() == {}


def test_a_volume_survives_silence_and_not_leaving(packets: list[bytes]) -> None:
    chain = PlaybackChain()
    chain.set_volume(1, 0)
    run(chain, packets[:10], [1])
    chain.tick(5000)
    assert np.all(run(chain, packets, [1]) == 0)
    chain.forget(1)
    assert chain.stats() == {}
    assert np.max(np.abs(run(chain, packets, [1]))) > 0.1


def test_speakers_are_bounded(packets: list[bytes]) -> None:
    chain = PlaybackChain()
    run(chain, packets[:2], list(range(SPEAKERS_MAX + 10)))
    assert len(chain.stats()) == SPEAKERS_MAX
