import threading

import numpy as np
import pytest

from sidetone.audio import FRAME_SAMPLES, HOP_NS, HOP_SAMPLES
from sidetone.audio.tracks import Track, finish, keep


def test_a_track_forgets_the_oldest() -> None:
    track = Track(seconds_max=0.1)
    for n in range(25):
        track.append(np.full(FRAME_SAMPLES, n, np.float32), n)
    assert len(track) == 10
    assert list(track.times_ns()) == list(range(15, 25))
    assert list(track.samples()[::FRAME_SAMPLES]) == list(range(15, 25))
    assert Track().samples().size == 0


def test_two_hops_make_a_frame_with_the_time_of_the_first() -> None:
    track = Track()
    for n in range(3):
        keep(track.pen, np.full(HOP_SAMPLES, n + 1, np.float32), 100 + n * HOP_NS, 0)
    assert list(track.times_ns()) == [100]
    assert finish(track.pen) == 1
    assert finish(track.pen) == 0
    assert list(track.times_ns()) == [100, 100 + 2 * HOP_NS]
    assert list(track.samples()[::HOP_SAMPLES]) == [1, 2, 3, 0]


@pytest.mark.parametrize(("before", "missed", "expected"), [(1, 3, [0, 2]), (2, 3, [0, 3])])
def test_hops_that_went_missing_are_silence_or_told(
    before: int, missed: int, expected: list[int]
) -> None:
    track, hop = Track(), np.ones(HOP_SAMPLES, np.float32)
    for n in range(before):
        keep(track.pen, hop, n * HOP_NS, 0)
    for n in range(2):
        keep(track.pen, hop, (before + missed + n) * HOP_NS, 0 if n else missed)
    frames = track.read()
    assert list(frames.missed) == expected
    assert frames.times_ns[1] == (before + missed) * HOP_NS
    assert np.sum(frames.sound) == (before + 2) * HOP_SAMPLES


def test_a_span_is_cut_out_by_time() -> None:
    track = Track(seconds_max=1)
    for n in range(250):
        track.append(np.full(FRAME_SAMPLES, n, np.float32), n * 2 * HOP_NS)
    cut = track.between(200 * 2 * HOP_NS, 210 * 2 * HOP_NS)
    assert list(cut.samples()[::FRAME_SAMPLES]) == list(range(200, 210))
    assert list(track.between(0, 151 * 2 * HOP_NS).samples()[::FRAME_SAMPLES]) == [150]
    assert len(track.between(10**15, 10**16)) == 0


def test_who_reads_while_another_writes_sees_whole_frames() -> None:
    track, stop = Track(seconds_max=0.05), threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            track.append(np.full(FRAME_SAMPLES, n % 1000, np.float32), n)
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2_000):
            frames = track.read()
            assert np.all(np.diff(frames.times_ns) == 1)
            assert np.all(frames.sound == (frames.times_ns % 1000)[:, None])
    finally:
        stop.set()
        writer.join()
