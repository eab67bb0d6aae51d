"""Rings between two threads: order, bounds, and what is skipped."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import HOP_SAMPLES
from sidetone.audio.rings import (
    FRAME_SLOT,
    FULL,
    HOP_SLOT,
    Ring,
    put_bytes,
    put_hop,
    take_frame,
    take_hop,
    waiting,
)
from sidetone.e2ee.audio_frames import new_job


def put(ring: Ring, frame: bytes, at_ns: int = 0) -> bool:
    return put_bytes(ring.slots, ring.words, frame, at_ns)


def take(ring: Ring) -> bytes | None:
    job = new_job()
    if take_frame(ring.slots, ring.words, job) < 0:
        return None
    return job.frame[: job.length].tobytes()


@given(st.lists(st.one_of(st.none(), st.binary(max_size=1200)), max_size=80))
def test_a_ring_is_a_bounded_queue(steps: list[bytes | None]) -> None:
    ring, model, lost = Ring(FRAME_SLOT, 8), list[bytes](), 0
    for step in steps:
        if step is None:
            assert take(ring) == (model.pop(0) if model else None)
        elif len(model) < 8:
            assert put(ring, step)
            model.append(step[:1000])
        else:
            assert not put(ring, step)
            lost += 1
        assert waiting(ring.words) == len(model)
    assert ring.words[FULL] == lost
    assert [slot.frame[: slot.length].tobytes() for slot in ring.drain()] == model


def test_frames_cross_between_two_threads_whole_and_in_order() -> None:
    ring, count = Ring(FRAME_SLOT, 16), 8_000
    sent = threading.Event()

    def send() -> None:
        number = 0
        while number < count:
            number += put(ring, number.to_bytes(8, "big") * 20)
        sent.set()

    threading.Thread(target=send, daemon=True).start()
    expected = 0
    while expected < count:
        for slot in ring.drain():
            assert slot.frame[: slot.length].tobytes() == expected.to_bytes(8, "big") * 20
            expected += 1
    assert sent.wait(10)


def test_hops_that_are_behind_are_skipped() -> None:
    ring, out = Ring(HOP_SLOT, 16), np.zeros(HOP_SAMPLES, np.float32)
    assert not take_hop(ring.slots, ring.words, out, 2)
    for number in range(10):
        put_hop(ring.slots, ring.words, np.full(HOP_SAMPLES, number, np.float32), 0, 0)
    assert take_hop(ring.slots, ring.words, out, 2)
    assert out[0] == 7
    assert take_hop(ring.slots, ring.words, out, 2)
    assert out[0] == 8
    assert waiting(ring.words) == 1
