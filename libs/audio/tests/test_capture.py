import numpy as np
import pytest

from sidetone.audio import FRAME_SAMPLES, Samples
from sidetone.audio.capture import CaptureChain, Packet

SILENCE = np.zeros(FRAME_SAMPLES, np.float32)


def tone(amplitude: float = 0.2) -> Samples:
    return (amplitude * np.sin(2 * np.pi * 300 * np.arange(FRAME_SAMPLES) / 48_000)).astype(
        np.float32
    )


def run(chain: CaptureChain, frames: list[Samples]) -> list[list[Packet]]:
    return [chain.process(frame, n) for n, frame in enumerate(frames)]


def test_silence_sends_nothing() -> None:
    assert run(CaptureChain(), [SILENCE] * 100) == [[]] * 100


def test_speech_brings_the_frame_before_it() -> None:
    packets = run(CaptureChain(), [SILENCE] * 50 + [tone()] * 3)
    assert [len(sent) for sent in packets[49:]] == [0, 2, 1, 1]
    assert [packet.captured_ns for packet in packets[50]] == [49, 50]


def test_a_talkspurt_ends_once_after_the_hangover() -> None:
    packets = run(CaptureChain(), [tone()] * 20 + [SILENCE] * 60)
    sent = [packet for group in packets for packet in group]
    assert [packet.end for packet in sent] == [False] * (len(sent) - 1) + [True]
    assert 20 + 30 <= len(sent) <= 20 + 31, "the filter may ring for a frame"


def test_no_frame_is_sent_twice(ada: Samples) -> None:
    chain = CaptureChain()
    frames = list(ada[: ada.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES))
    times = [packet.captured_ns for sent in run(chain, frames) for packet in sent]
    assert times == sorted(set(times))
    assert len(times) > 0.9 * len(frames)


def test_mute_closes_the_spurt_and_then_nothing_leaves() -> None:
    chain = CaptureChain()
    run(chain, [tone()] * 20)
    chain.muted = True
    muted = run(chain, [tone()] * 20)
    assert [[packet.end for packet in sent] for sent in muted] == [[True]] + [[]] * 19
    assert chain.level_db > -30, "the meter still shows the microphone"
    chain.muted = False
    assert len(chain.process(tone())) == 1, "nothing spoken while muted is sent afterwards"


def test_muting_in_silence_sends_nothing() -> None:
    chain = CaptureChain()
    run(chain, [SILENCE] * 50)
    chain.muted = True
    assert run(chain, [SILENCE] * 5) == [[]] * 5


def test_loudness_is_one_to_seven_and_slow() -> None:
    chain = CaptureChain()
    loud = [packet.loudness for sent in run(chain, [tone(0.5)] * 100) for packet in sent]
    assert loud[0] < loud[-1] == 7
    soft = [packet.loudness for sent in run(chain, [tone(0.0004)] * 25) for packet in sent]
    assert all(1 <= loudness <= 7 for loudness in loud + soft)
    assert soft[0] == 7, "one frame changes nothing"
    assert soft[-1] < 7
    steps = np.abs(np.diff(loud + soft))
    assert np.max(steps[3:]) <= 1


def test_the_input_frame_is_left_as_it_was() -> None:
    frame = tone()
    CaptureChain().process(frame)
    assert np.array_equal(frame, tone())


@pytest.mark.parametrize("bitrate", [32_000, 256_000])
def test_the_bitrate_decides_the_size(bitrate: int) -> None:
    chain = CaptureChain(bitrate=bitrate)
    packets = [packet for sent in run(chain, [tone()] * 10) for packet in sent]
    assert {len(packet.opus) for packet in packets} == {bitrate // 800}
