"""Switching between epochs, and frames that come too early or too late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.e2ee.tests.stage import NOW_MS, Trio
from sidetone.e2ee.aead import PlainFrameKey
from sidetone.e2ee.epochs import EPOCHS_MAX, HELD_MAX, Epochs, pad, unpad
from sidetone.e2ee.fast_aead import FRAME_KEY
from sidetone.e2ee.group import Change, Group
from sidetone.e2ee.media import Opened
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind

T = Trio()
SENDS_MS = NOW_MS + 300


def history(length: int) -> list[tuple[Group, Group]]:
    """Alice's and Bob's states over *length* epochs."""
    states = [(T.alice, T.bob)]
    while len(states) < length:
        alice, bob = states[-1]
        proposal = T.rekey(alice, Change())
        states.append((proposal.group, T.accepted(bob, proposal)))
    return states


STATES = history(12)


def side(index: int, *, epochs: int = 1) -> Epochs:
    media = Epochs(FRAME_KEY)
    for states in STATES[:epochs]:
        media.begin(states[index], NOW_MS)
    return media


def said(media: Epochs, now_ms: int, payload: bytes = b"opus") -> bytes:
    return media.seal(MediaKind.AUDIO, payload, now_ms, 0, end=False)


def code(media: Epochs, frame: bytes, now_ms: int) -> str:
    with pytest.raises(Rejected) as refused:
        media.open(frame, now_ms)
    return refused.value.code


def heard(opened: Opened | None) -> bytes | None:
    return opened.payload if opened else None


def test_nothing_is_sent_before_the_switch() -> None:
    alice = side(0)
    assert alice.sends_at_ms() == SENDS_MS
    with pytest.raises(Rejected, match="no_epoch"):
        said(alice, SENDS_MS - 1)
    assert said(alice, SENDS_MS)[1] == 1


def test_a_sender_goes_over_300_ms_after_the_commit() -> None:
    alice = side(0)
    later_ms = NOW_MS + 5_000
    alice.begin(STATES[1][0], later_ms)
    assert said(alice, later_ms + 299)[1] == 1
    assert said(alice, later_ms + 300)[1] == 2


def test_the_old_epoch_opens_for_two_seconds_more() -> None:
    alice, bob = side(0), side(1)
    frames = [said(alice, SENDS_MS) for _ in range(3)]
    bob.begin(STATES[1][1], SENDS_MS)
    assert heard(bob.open(frames[0], SENDS_MS + 1_999)) == b"opus"
    assert code(bob, frames[0], SENDS_MS + 1_999) == "frame_replayed"
    assert code(bob, frames[1], SENDS_MS + 2_000) == "frame_unknown"
    assert bob.timer() == SENDS_MS + 2_000
    bob.retire(SENDS_MS + 2_000)
    assert bob.timer() is None
    assert code(bob, frames[2], SENDS_MS) == "frame_unknown"


def test_eight_epochs_are_kept_at_most() -> None:
    alice = side(0)
    frame = said(alice, SENDS_MS)
    bob = side(1, epochs=EPOCHS_MAX)
    assert heard(bob.open(frame, NOW_MS)) == b"opus"
    assert code(side(1, epochs=EPOCHS_MAX + 1), frame, NOW_MS) == "frame_unknown"


def test_a_frame_that_overtakes_its_commit_is_held_and_opened() -> None:
    alice, bob = side(0, epochs=2), side(1)
    frames = [said(alice, SENDS_MS, bytes([n])) for n in range(3)]
    assert [bob.open(frame, NOW_MS) for frame in frames] == [None] * 3
    opened = bob.begin(STATES[1][1], NOW_MS + 499)
    assert [each.payload for each in opened] == [b"\0", b"\1", b"\2"]
    assert code(bob, frames[0], NOW_MS + 500) == "frame_replayed"


def test_a_held_frame_is_dropped_after_half_a_second() -> None:
    alice, bob = side(0, epochs=2), side(1)
    assert bob.open(said(alice, SENDS_MS), NOW_MS) is None
    assert bob.begin(STATES[1][1], NOW_MS + 500) == []


def test_the_last_32_early_frames_are_held() -> None:
    alice, bob = side(0, epochs=2), side(1)
    for number in range(HELD_MAX + 5):
        assert bob.open(said(alice, SENDS_MS, bytes([number])), NOW_MS) is None
    opened = bob.begin(STATES[1][1], NOW_MS)
    assert [each.payload[0] for each in opened] == list(range(5, HELD_MAX + 5))


def test_an_early_forgery_is_dropped_and_does_no_harm() -> None:
    alice, bob = side(0, epochs=2), side(1)
    good = said(alice, SENDS_MS)
    assert bob.open(good[:-1] + bytes([good[-1] ^ 1]), NOW_MS) is None
    assert bob.open(good, NOW_MS) is None
    assert [each.payload for each in bob.begin(STATES[1][1], NOW_MS)] == [b"opus"]


def test_frames_of_unknown_senders_epochs_and_calls_are_refused() -> None:
    alice, bob = side(0), side(1)
    frame = said(alice, SENDS_MS)
    assert code(bob, frame[:2] + b"\0\x07" + frame[4:], NOW_MS) == "frame_unknown"
    assert code(bob, frame[:1] + b"\x07" + frame[2:], NOW_MS) == "frame_unknown"
    stranger = Epochs(FRAME_KEY)
    assert code(stranger, frame, NOW_MS) == "frame_unknown"
    # The same people, senders and epoch number, in another call.
    elsewhere = Trio()
    again = elsewhere.advance(elsewhere.founded, "bob")
    other = Epochs(PlainFrameKey)
    other.begin(elsewhere.joined("bob", elsewhere.founded, again), NOW_MS)
    assert again.group.epoch == STATES[0][0].epoch
    assert code(other, frame, NOW_MS) == "frame_forged"


def test_our_own_frame_thrown_back_is_refused() -> None:
    alice = side(0)
    assert code(alice, said(alice, SENDS_MS), SENDS_MS) == "frame_unknown"


def test_a_frame_under_another_sender_is_forged() -> None:
    alice, bob = side(0), side(1)
    frame = said(bob, SENDS_MS)
    carol = Epochs(FRAME_KEY)
    three = T.advance(T.alice, "carol")
    carol.begin(T.joined("carol", T.alice, three), NOW_MS)
    bob.begin(T.accepted(T.bob, three), NOW_MS)
    frame = said(bob, SENDS_MS)
    swapped = frame[:3] + b"\x00" + frame[4:]
    assert code(carol, swapped, SENDS_MS) == "frame_forged"
    assert heard(carol.open(frame, SENDS_MS)) == b"opus"
    assert heard(alice.open(said(side(1), SENDS_MS), SENDS_MS)) == b"opus"


def test_an_epoch_older_than_twenty_minutes_is_not_sent_with() -> None:
    alice = side(0)
    said(alice, NOW_MS + 20 * 60_000)
    with pytest.raises(Rejected, match="epoch_stale"):
        said(alice, NOW_MS + 20 * 60_000 + 1)


def test_forgetting_drops_every_key() -> None:
    alice, bob = side(0), side(1)
    frame = said(alice, SENDS_MS)
    bob.forget()
    assert bob.sends_at_ms() is None
    assert code(bob, frame, NOW_MS) == "frame_unknown"
    with pytest.raises(Rejected, match="no_epoch"):
        said(bob, SENDS_MS)
    with pytest.raises(Rejected, match="frame_unknown"):
        bob.frame_key(0, MediaKind.AUDIO, 0)


def test_padding_hides_the_length_and_comes_off() -> None:
    alice, bob = side(0), side(1)
    alice.padded = bob.padded = True
    frames = [said(alice, SENDS_MS, bytes(length)) for length in range(70)]
    assert {(len(frame) - 24) % 32 for frame in frames} == {0}
    assert [heard(bob.open(frame, SENDS_MS)) for frame in frames] == [bytes(n) for n in range(70)]
    alice.padded = False
    assert code(bob, said(alice, SENDS_MS, bytes(9)), SENDS_MS) == "frame_padding"


@given(st.binary(max_size=200))
def test_padding_is_undone(payload: bytes) -> None:
    assert unpad(pad(payload)) == payload
    assert len(pad(payload)) % 32 == 0
    assert len(payload) < len(pad(payload)) <= len(payload) + 32


@given(st.binary(max_size=60))
def test_garbage_is_refused_and_nothing_else(garbage: bytes) -> None:
    bob = side(1)
    for frame in (garbage, b"\x40" + garbage, b"\x40\x01\x00\x00" + garbage):
        try:
            assert bob.open(frame, NOW_MS) is None
        except Rejected:
            continue
