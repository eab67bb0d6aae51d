from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import epochs
from sidetone.audio.epochs import EPOCHS, NOWHERE
from sidetone.native import Record, records


def fresh() -> Record:
    made = records(EPOCHS, 1)[0]
    epochs.reset(made)
    return made


def heard(known: Record, epoch: int, counter: int) -> int:
    if epoch > epochs.latest(known):
        epochs.begin(known, epoch, counter, 0)
    index = epochs.index_of(known, epoch, counter)
    known.highest = max(known.highest, index)
    return index


def test_a_new_epoch_follows_the_last_frame_of_the_old() -> None:
    known = fresh()
    assert [heard(known, 3, n) for n in range(4)] == [0, 1, 2, 3]
    assert [heard(known, 9, n) for n in range(2)] == [4, 5]


def test_a_first_packet_that_was_overtaken_keeps_its_place() -> None:
    known = fresh()
    heard(known, 0, 0)
    assert heard(known, 1, 1) == 2
    assert heard(known, 1, 0) == 1


def test_who_comes_in_the_middle_starts_there() -> None:
    known = fresh()
    assert heard(known, 4, 5000) == 0
    assert heard(known, 5, 900) == 1
    assert heard(known, 4, 5001) == 1


def test_an_epoch_never_begun_has_no_place() -> None:
    known = fresh()
    heard(known, 4, 0)
    assert heard(known, 3, 0) == NOWHERE
    assert epochs.index_of(known, -1, 7) == NOWHERE


def test_only_the_latest_epochs_are_remembered() -> None:
    known = fresh()
    for epoch in range(20):
        heard(known, epoch, 0)
    assert epochs.index_of(known, 11, 0) == NOWHERE
    assert epochs.index_of(known, 12, 0) != NOWHERE


def test_later_epochs_make_room() -> None:
    known = fresh()
    heard(known, 1, 0)
    heard(known, 2, 0)
    assert epochs.start_after(known, 1) == 1
    epochs.shift_after(known, 1, 3)
    assert epochs.start_after(known, 1) == epochs.index_of(known, 2, 0) == 4
    assert known.highest == 4


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_in_order_every_frame_has_the_next_index(lengths: list[int]) -> None:
    known = fresh()
    places = [heard(known, epoch, n) for epoch, size in enumerate(lengths) for n in range(size)]
    assert places == list(range(sum(lengths)))
