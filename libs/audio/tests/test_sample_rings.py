import threading

import numpy as np

from sidetone.audio.sample_rings import Ring, put, take, waiting


def test_a_full_ring_takes_no_more_and_an_empty_one_gives_silence() -> None:
    ring, out = Ring(np.zeros(10, np.float32)), np.ones(8, np.float32)
    take(ring.record, out, 8)
    assert not out.any()
    assert ring.put(np.arange(1, 9, dtype=np.float32)) == 8
    assert ring.put(np.arange(9, 13, dtype=np.float32)) == 2
    assert ring.put(np.ones(1, np.float32)) == 0
    take(ring.record, out, 8)
    assert list(out) == list(range(1, 9))
    assert ring.waiting == 2
    take(ring.record, out, 8)
    assert not out.any()
    assert ring.waiting == 2, "what is too little is not taken"
    take(ring.record, out, 2)
    assert list(out[:2]) == [9, 10]


def test_a_ring_of_a_sound_is_read_once_or_for_ever() -> None:
    sound, out = np.arange(4, dtype=np.float32), np.zeros(2, np.float32)
    once, again = Ring(sound, full=True), Ring(sound, again=True)
    again.skip(2)
    heard: list[list[float]] = []
    for ring in (once, again):
        for _ in range(3):
            take(ring.record, out, 2)
            heard.append(list(out))
    assert heard == [[0, 1], [2, 3], [0, 0], [2, 3], [0, 1], [2, 3]]
    assert once.waiting == 0


def test_nothing_is_lost_or_torn_between_two_threads() -> None:
    ring, total = Ring(np.zeros(480, np.float32)), 200_000
    heard: list[np.ndarray] = []

    def read() -> None:
        out = np.zeros(240, np.float32)
        while len(heard) * 240 < total - 240:
            if waiting(ring.record) >= 240:
                take(ring.record, out, 240)
                heard.append(out.copy())

    reader = threading.Thread(target=read)
    reader.start()
    at = 0
    while reader.is_alive():
        block = np.arange(at, at + 100, dtype=np.float32)
        at += put(ring.record, block, 100)
    reader.join()
    sound = np.concatenate(heard)
    assert np.array_equal(sound, np.arange(sound.size))
