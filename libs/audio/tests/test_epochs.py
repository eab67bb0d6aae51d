from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio.epochs import Epochs


def heard(epochs: Epochs, epoch: int, counter: int) -> int | None:
    if epochs.begins(epoch):
        epochs.begin(epoch, counter, 0)
    index = epochs.index(epoch, counter)
    if index is not None:
        epochs.highest = max(epochs.highest, index)
    return index


def test_a_new_epoch_follows_the_last_frame_of_the_old() -> None:
    epochs = Epochs()
    assert [heard(epochs, 3, n) for n in range(4)] == [0, 1, 2, 3]
    assert [heard(epochs, 9, n) for n in range(2)] == [4, 5]


def test_a_first_packet_that_was_overtaken_keeps_its_place() -> None:
    epochs = Epochs()
    heard(epochs, 0, 0)
    assert heard(epochs, 1, 1) == 2
    assert heard(epochs, 1, 0) == 1


def test_who_comes_in_the_middle_starts_there() -> None:
    epochs = Epochs()
    assert heard(epochs, 4, 5000) == 0
    assert heard(epochs, 5, 900) == 1
    assert heard(epochs, 4, 5001) == 1


def test_an_epoch_never_begun_has_no_place() -> None:
    epochs = Epochs()
    heard(epochs, 4, 0)
    assert heard(epochs, 3, 0) is None


def test_only_the_latest_epochs_are_remembered() -> None:
    epochs = Epochs()
    for epoch in range(20):
        heard(epochs, epoch, 0)
    assert epochs.index(11, 0) is None
    assert epochs.index(12, 0) is not None


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_in_order_every_frame_has_the_next_index(lengths: list[int]) -> None:
    epochs = Epochs()
    places = [heard(epochs, epoch, n) for epoch, size in enumerate(lengths) for n in range(size)]
    assert places == list(range(sum(lengths)))
