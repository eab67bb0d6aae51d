import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import waiting
from sidetone.audio.epochs import NEVER, NOWHERE
from sidetone.audio.waiting import PACKETS_MAX, WAITING
from sidetone.native import Record, records


def fresh() -> Record:
    made = records(WAITING, 1)[0]
    waiting.reset(made)
    return made


def put(store: Record, index: int, samples: int = 480) -> None:
    waiting.put(store, index, np.full(index % 1275 + 1, index % 256, np.uint8), samples, False)


def test_nothing_waits_at_first() -> None:
    store = fresh()
    assert (waiting.first(store), waiting.last(store)) == (NEVER, NOWHERE)
    assert waiting.find(store, 0) == -1


def test_the_oldest_gives_way() -> None:
    store = fresh()
    for index in range(100):
        put(store, index)
    assert (waiting.first(store), waiting.last(store)) == (100 - PACKETS_MAX, 99)
    assert store.packets == PACKETS_MAX
    assert store.samples == PACKETS_MAX * 480


def test_a_shift_moves_what_comes_after() -> None:
    store = fresh()
    for index in (3, 4, 5):
        put(store, index)
    waiting.shift_from(store, 4, 10)
    assert [waiting.find(store, index) >= 0 for index in (3, 4, 14, 15)] == [1, 0, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 2880)), max_size=150), st.integers())
def test_the_sums_are_those_of_what_waits(packets: list[tuple[int, int]], before: int) -> None:
    store, kept = fresh(), dict[int, int]()
    for index, samples in packets:
        if waiting.find(store, index) < 0:
            if len(kept) == PACKETS_MAX:
                del kept[min(kept)]
            kept[index] = samples
            put(store, index, samples)
    cut = before % 90
    waiting.drop_before(store, cut)
    kept = {index: samples for index, samples in kept.items() if index >= cut}
    assert (store.packets, store.samples) == (len(kept), sum(kept.values()))
    for index, samples in kept.items():
        slot = waiting.find(store, index)
        assert store.durations[slot] == samples
        assert list(store.opus[slot][: store.lengths[slot]]) == [index % 256] * (index + 1)
