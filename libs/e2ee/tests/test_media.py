"""Frames of one sender, with both ciphers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.e2ee.tests.stage import Drawn
from sidetone.e2ee.aead import FrameKeyMaker, PlainFrameKey
from sidetone.e2ee.fast_aead import FRAME_KEY, FastFrameKey, known_answers_hold
from sidetone.e2ee.frames import DATAGRAM_LENGTH_MAX, VIDEO_LENGTH_MAX, Header, parse_header
from sidetone.e2ee.media import (
    COUNTER_MAX,
    Chain,
    Opener,
    ReplayWindow,
    Sealer,
    Stamp,
    count_opened,
)
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import GENERATION_BITS, MediaKind, frame_key, ratchet

CHAIN = Drawn("chain")(32)
SENDER = 7
KINDS = st.sampled_from(MediaKind)
ciphers = pytest.mark.parametrize("make_key", [PlainFrameKey, FastFrameKey])


def sealer(make_key: FrameKeyMaker = FRAME_KEY, kind: MediaKind = MediaKind.AUDIO) -> Sealer:
    return Sealer(Chain(CHAIN), Stamp(kind, 300, SENDER), make_key)


def opener(make_key: FrameKeyMaker = FRAME_KEY, kind: MediaKind = MediaKind.AUDIO) -> Opener:
    return Opener(Chain(CHAIN), kind, make_key)


def frame_at(counter: int, payload: bytes = b"opus") -> bytes:
    """A frame as an honest sender would make it after *counter* others."""
    key = FRAME_KEY(frame_key(ratchet(CHAIN, counter >> GENERATION_BITS)))
    return key.seal(Header(MediaKind.AUDIO, False, 0, 44, SENDER, counter).pack(), payload)


def test_the_fast_cipher_is_in_use_here() -> None:
    assert known_answers_hold()
    assert FRAME_KEY is FastFrameKey


@given(st.binary(min_size=48, max_size=48), st.binary(min_size=8, max_size=8), st.binary())
def test_both_ciphers_make_the_same_bytes(key48: bytes, header: bytes, text: bytes) -> None:
    plain, fast = PlainFrameKey(key48), FastFrameKey(key48)
    frame = plain.seal(header, text)
    assert fast.seal(header, text) == frame
    assert fast.open(frame) == plain.open(frame) == text


@ciphers
def test_a_megabyte_of_video_comes_through(make_key: FrameKeyMaker) -> None:
    picture = bytes(range(256)) * 4095
    frame = sealer(make_key, MediaKind.VIDEO).seal(picture, 4)
    assert opener(make_key, MediaKind.VIDEO).open(0, frame) == picture


@ciphers
@given(
    kind=KINDS,
    payload=st.binary(max_size=200),
    low=st.integers(0, 7),
    end=st.booleans(),
)
def test_what_is_sealed_opens(
    make_key: FrameKeyMaker, kind: MediaKind, payload: bytes, low: int, end: bool
) -> None:
    frame = sealer(make_key, kind).seal(payload, low, end=end)
    assert parse_header(frame) == Header(kind, end, low, 300 - 256, SENDER, 0)
    assert opener(make_key, kind).open(0, frame) == payload


@ciphers
@pytest.mark.parametrize("bit", range(64))
def test_a_flipped_header_bit_is_refused_and_moves_nothing(
    make_key: FrameKeyMaker, bit: int
) -> None:
    frame = bytearray(sealer(make_key).seal(b"opus"))
    receiver = opener(make_key)
    good = bytes(frame)
    frame[bit // 8] ^= 1 << bit % 8
    header = parse_header(bytes(frame))
    with pytest.raises(Rejected):
        receiver.open(header.counter if header else 0, bytes(frame))
    assert receiver.open(0, good) == b"opus"


@ciphers
@given(position=st.integers(8, 8 + 4 + 15), mask=st.integers(1, 255))
def test_a_changed_byte_is_refused(make_key: FrameKeyMaker, position: int, mask: int) -> None:
    frame = bytearray(sealer(make_key).seal(b"opus"))
    frame[position] ^= mask
    with pytest.raises(Rejected, match="frame_forged"):
        opener(make_key).open(0, bytes(frame))


def test_a_replay_is_refused_inside_the_window_and_behind_it() -> None:
    receiver = opener()
    frames = [frame_at(counter) for counter in range(200)]
    for counter in (0, 100, 99, 37):
        assert receiver.open(counter, frames[counter]) == b"opus"
    for counter in (0, 100, 99, 37, 36, 1):
        with pytest.raises(Rejected, match="frame_replayed"):
            receiver.open(counter, frames[counter])
    assert receiver.open(38, frames[38]) == b"opus"


@pytest.mark.parametrize(("kind", "size"), [(MediaKind.AUDIO, 64), (MediaKind.VIDEO, 1024)])
def test_the_window_is_as_wide_as_the_kind_says(kind: MediaKind, size: int) -> None:
    sender, receiver = sealer(kind=kind), opener(kind=kind)
    frames = [sender.seal(b"x") for _ in range(size + 1)]
    receiver.open(size, frames[size])
    with pytest.raises(Rejected, match="frame_replayed"):
        receiver.open(0, frames[0])
    assert receiver.open(1, frames[1]) == b"x"


@given(st.lists(st.integers(0, 300), max_size=200))
def test_the_window_accepts_each_counter_once_and_none_too_old(counters: list[int]) -> None:
    window, seen = ReplayWindow(64), set[int]()
    for counter in counters:
        refused = counter in seen or (bool(seen) and counter <= max(seen) - 64)
        assert window.refuses(counter) == refused
        if not refused:
            window.mark(counter)
            seen.add(counter)


def test_a_forged_counter_moves_neither_window_nor_ratchet() -> None:
    receiver = opener()
    first = frame_at(0)
    for counter in (1, 63, 1 << GENERATION_BITS, 60 << GENERATION_BITS, COUNTER_MAX):
        forged = first[:4] + counter.to_bytes(4, "big") + first[8:]
        with pytest.raises(Rejected, match=r"frame_forged|frame_generation"):
            receiver.open(counter, forged)
    assert receiver.open(0, first) == b"opus"


def test_a_generation_too_far_ahead_is_refused_unopened() -> None:
    near, far = 64 << GENERATION_BITS, 65 << GENERATION_BITS
    with pytest.raises(Rejected, match="frame_generation"):
        opener().open(far, frame_at(far))
    assert opener().open(near, frame_at(near)) == b"opus"


def test_late_frames_of_the_generation_before_still_open() -> None:
    receiver = opener()
    boundary = 1 << GENERATION_BITS
    assert receiver.open(boundary + 5, frame_at(boundary + 5)) == b"opus"
    assert receiver.open(boundary - 3, frame_at(boundary - 3)) == b"opus"
    jump = 5 << GENERATION_BITS
    assert receiver.open(jump, frame_at(jump)) == b"opus"
    assert receiver.open(jump - 1, frame_at(jump - 1)) == b"opus"


def test_a_sealer_ratchets_at_the_boundary() -> None:
    sender = sealer()
    boundary = 1 << GENERATION_BITS
    frames = [sender.seal(b"opus") for _ in range(boundary + 2)]
    receiver = opener()
    for counter in (boundary - 1, boundary, boundary + 1):
        assert receiver.open(counter, frames[counter]) == b"opus"


def test_the_keys_of_generations_that_are_over_are_gone() -> None:
    chain = Chain(CHAIN)
    assert chain.frame_key(2) == frame_key(ratchet(CHAIN, 2))
    chain.move(2)
    assert chain.frame_key(2) == frame_key(ratchet(CHAIN, 2))
    with pytest.raises(Rejected, match="key_erased"):
        chain.frame_key(1)


def test_what_does_not_fit_a_frame_is_refused_and_takes_no_counter() -> None:
    sender = sealer()
    with pytest.raises(Rejected, match="frame_size"):
        sender.seal(bytes(DATAGRAM_LENGTH_MAX - 23))
    with pytest.raises(Rejected, match="header_field"):
        sender.seal(b"opus", 8)
    with pytest.raises(Rejected, match="frame_size"):
        sealer(kind=MediaKind.VIDEO).seal(bytes(VIDEO_LENGTH_MAX))
    header = parse_header(sender.seal(bytes(DATAGRAM_LENGTH_MAX - 24)))
    assert header is not None
    assert header.counter == 0


@given(st.binary(max_size=64) | st.binary(min_size=990, max_size=1010))
def test_a_header_is_read_from_anything_or_nothing(frame: bytes) -> None:
    header = parse_header(frame)
    if header is not None:
        assert len(frame) >= 24
        assert header.pack() == frame[:8]
    elif len(frame) >= 24 and frame[0] >> 6 == 1 and frame[0] >> 4 & 3 != 3:
        assert len(frame) > DATAGRAM_LENGTH_MAX


def test_a_frame_longer_than_its_kind_allows_is_none() -> None:
    for kind, length_max in (
        (MediaKind.AUDIO, 1000),
        (MediaKind.DATA, 1000),
        (MediaKind.VIDEO, 1024 * 1024),
    ):
        header = Header(kind, False, 0, 0, 0, 0).pack()
        assert parse_header(header + bytes(length_max - 8)) is not None
        assert parse_header(header + bytes(length_max - 7)) is None


def test_unknown_versions_plaintext_and_silence_are_no_frames() -> None:
    good = sealer().seal(b"opus")
    assert parse_header(good[:23]) is None
    for first in (0x00, 0x80, 0xC0, 0x70):
        assert parse_header(bytes([first]) + good[1:]) is None
    assert parse_header(b"\xf8\xff\xfe" * 20) is None
    assert parse_header(bytes(100)) is None


@ciphers
def test_a_proof_counts_what_opens(make_key: FrameKeyMaker) -> None:
    frames = [frame_at(counter, bytes(counter)) for counter in range(50)]
    key48 = frame_key(CHAIN)
    mixed = [*frames, b"", b"short", bytes(100), frames[3][:-1]]
    assert count_opened(key48, mixed) == 50
    assert count_opened(bytes(48), mixed) == 0
    assert count_opened(key48, []) == 0
    assert make_key(key48).count_opened(frames) == 50
