import numpy as np

from sidetone.all_in_one.demo.cast import SPEECH
from sidetone.all_in_one.demo.measures import Pair, intelligibility, pesq_wb, timeline
from sidetone.audio import FRAME_SAMPLES
from sidetone.audio.devices import read_wav
from sidetone.audio.tracks import Track

FRAME_NS = 10_000_000


def track(times_ns: list[int]) -> Track:
    made = Track()
    for number, at_ns in enumerate(times_ns, start=1):
        made.append(np.full(FRAME_SAMPLES, number, np.float32), at_ns)
    return made


def frames(line: np.ndarray) -> list[int]:
    return [int(value) for value in line[::FRAME_SAMPLES]]


def test_frames_lie_where_they_sounded() -> None:
    line = timeline(track([FRAME_NS, 2 * FRAME_NS, 9 * FRAME_NS]), 0, 10 * FRAME_NS)
    assert frames(line) == [0, 1, 2, 0, 0, 0, 0, 0, 0, 3]


def test_a_late_thread_tears_no_hole() -> None:
    late = [0, FRAME_NS + 4_000_000, 2 * FRAME_NS]
    assert frames(timeline(track(late), 0, 3 * FRAME_NS)) == [1, 2, 3]


def test_what_lies_outside_is_cut_off() -> None:
    assert frames(timeline(track([0, FRAME_NS, 2 * FRAME_NS]), FRAME_NS, 2 * FRAME_NS)) == [2]


def pair(heard: np.ndarray) -> Pair:
    said = read_wav(SPEECH / "ada.wav")[: 48_000 * 6]
    return Pair("ada", "ben", 10, 9, 0, [20.0], said, heard)


def test_the_same_sound_a_little_later_is_perfect() -> None:
    said = read_wav(SPEECH / "ada.wav")[: 48_000 * 6]
    same = pair(np.concatenate([np.zeros(960, np.float32), said]))
    assert intelligibility(same) > 0.99
    score = pesq_wb(same)
    assert score is None or score > 4.5


def test_noise_in_place_of_speech_scores_badly() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 48_000 * 6).astype(np.float32)
    assert intelligibility(pair(noise)) < 0.4
    score = pesq_wb(pair(noise))
    assert score is None or score < 1.5


def test_silence_in_place_of_speech_scores_badly() -> None:
    silent = pair(np.zeros(48_000 * 6, np.float32))
    assert intelligibility(silent) < 0.1
    score = pesq_wb(silent)
    assert score is None or score <= 1.5
