"""Audio keys for threads: the frames of the plain path, and nothing without a key."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.e2ee.aead import PlainFrameKey
from sidetone.e2ee.audio_frames import REFUSALS, WAITS, new_job
from sidetone.e2ee.audio_keys import (
    MEMBERS_MAX,
    ROWS,
    AudioKeys,
    open_any,
    seal_newest,
    sweep_openers,
    sweep_sealers,
)
from sidetone.e2ee.epochs import pad
from sidetone.e2ee.frames import Header
from sidetone.e2ee.media import Chain, Opener, Sealer, Stamp
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind

CHAINS = {sender: bytes((sender,)) * 32 for sender in (1, 4, 9)}
SEALS_MS = range(300, 1_200_000)


def ns(ms: int) -> int:
    return ms * 1_000_000


class Party:
    """One device's table and what its two threads would do with it."""

    def __init__(self, own: int) -> None:
        self.own = own
        self.keys = AudioKeys(ns)
        self.job = new_job()

    def begin(self, number: int, *, pads: bool = False, seals_ms: range = SEALS_MS) -> None:
        self.keys.begin(number, self.own, CHAINS, pads=pads, seals_ms=seals_ms)

    def seal(self, payload: bytes, now_ms: int = 1000, first: int = 0x40) -> bytes | str:
        self.job.first, self.job.now_ns, self.job.length = first, ns(now_ms), len(payload)
        self.job.frame[8 : 8 + len(payload)] = np.frombuffer(payload, np.uint8)
        size = seal_newest(self.keys.epochs, self.keys.sealers, self.keys.words, self.job)
        return REFUSALS[size] if size < 0 else self.job.frame[:size].tobytes()

    def open(self, frame: bytes) -> bytes | str:
        part = frame[: self.job.frame.size]
        self.job.frame[: len(part)] = np.frombuffer(part, np.uint8)
        self.job.length = len(frame)
        size = open_any(self.keys.epochs, self.keys.openers, self.keys.words, self.job)
        if size == WAITS:
            return "waits"
        return REFUSALS[size] if size < 0 else self.job.frame[8 : 8 + size].tobytes()


def plain_sealer(sender: int, epoch: int = 0) -> Sealer:
    return Sealer(Chain(CHAINS[sender]), Stamp(MediaKind.AUDIO, epoch, sender), PlainFrameKey)


def sealed(party: Party, payload: bytes, now_ms: int = 1000) -> bytes:
    frame = party.seal(payload, now_ms)
    assert isinstance(frame, bytes)
    return frame


def begun(own: int, number: int = 0) -> Party:
    party = Party(own)
    party.begin(number)
    return party


@pytest.mark.parametrize("length", [0, 1, 31, 32, 160, 944])
def test_a_sealed_frame_is_the_plain_path_s_to_the_byte(length: int) -> None:
    alice, plain = begun(1), plain_sealer(1)
    for _ in range(3):
        assert alice.seal(bytes(length)) == plain.seal(bytes(length))


def test_the_ratchet_moves_with_the_counter_on_both_sides() -> None:
    alice, bob, plain = begun(1), begun(4), plain_sealer(1)
    alice.keys.sealers[0].counter = plain._counter = (3 << 14) - 2
    plain._chain.move(2)
    plain._key = PlainFrameKey(plain._chain.frame_key(2))
    frames = [sealed(alice, b"opus") for _ in range(4)]
    assert frames == [plain.seal(b"opus") for _ in range(4)]
    # The frame before the boundary comes after the one behind it.
    for at in (0, 2, 1, 3):
        assert bob.open(frames[at]) == b"opus"


def test_a_frame_opens_once_and_only_as_it_was_sealed() -> None:
    alice, bob = begun(1), begun(4)
    frame = sealed(alice, b"opus")
    for bit in range(len(frame) * 8):
        forged = bytearray(frame)
        forged[bit // 8] ^= 1 << bit % 8
        assert bob.open(bytes(forged)) in set(REFUSALS.values()) | {"waits"}
    assert bob.open(frame) == b"opus"
    assert bob.open(frame) == "frame_replayed"


def test_who_has_no_chain_is_not_heard() -> None:
    alice, bob = begun(1), begun(4)
    frame = sealed(alice, b"opus")
    assert alice.open(frame) == "frame_unknown"
    assert bob.open(frame[:2] + b"\0\7" + frame[4:]) == "frame_unknown"
    assert bob.open(frame[:1] + b"\7" + frame[2:]) == "frame_unknown"
    assert bob.open(frame[:1] + b"\1" + frame[2:]) == "waits"
    for garbage in (b"", frame[:23], frame + bytes(1000), b"\x50" + frame[1:]):
        assert bob.open(garbage) == "frame_header"


def test_an_epoch_is_sealed_with_when_all_have_had_time_and_while_it_is_fresh() -> None:
    alice = Party(1)
    assert alice.seal(b"opus") == "no_epoch"
    alice.begin(0)
    assert alice.seal(b"opus", 299) == "no_epoch"
    alice.begin(1, seals_ms=range(2000, 1_200_000))
    assert sealed(alice, b"opus", 1999)[1] == 0
    assert sealed(alice, b"opus", 2000)[1] == 1
    assert alice.seal(b"opus", 1_200_001) == "epoch_stale"


def test_nothing_is_sealed_while_the_microphone_is_held() -> None:
    alice = begun(1)
    alice.keys.hold(held=True)
    assert alice.seal(b"opus") == "identity_changed"
    alice.keys.hold(held=False)
    assert isinstance(alice.seal(b"opus"), bytes)


def test_padding_is_the_plain_path_s() -> None:
    alice, bob = Party(1), Party(4)
    alice.begin(0, pads=True)
    bob.begin(0, pads=True)
    frame = sealed(alice, b"opus")
    assert frame == plain_sealer(1).seal(pad(b"opus"))
    assert bob.open(frame) == b"opus"
    assert bob.open(plain_sealer(9).seal(bytes(32))) == "frame_padding"


def test_what_is_too_long_or_beyond_the_last_counter_is_refused() -> None:
    alice = begun(1)
    assert alice.seal(bytes(945)) == "frame_size"
    alice.keys.sealers[0].counter = 2**32
    assert alice.seal(b"opus") == "counter_exhausted"


def test_keys_that_are_taken_back_are_wiped() -> None:
    alice = begun(1)
    sealed(alice, b"opus")
    begun_rows = alice.keys.openers[:2].chain.any(), alice.keys.sealers[0].key.any()
    assert begun_rows == (True, True)
    alice.keys.retire(0)
    assert not alice.keys.openers.chain.any()
    assert not alice.keys.sealers.chain.any()
    assert not alice.keys.sealers.key.any()
    assert alice.seal(b"opus") == "no_epoch"


def test_running_threads_wipe_their_own_rows() -> None:
    alice = begun(1)
    alice.keys.run(running=True)
    alice.keys.forget()
    assert alice.keys.openers.chain.any()
    sweep_openers(alice.keys.epochs, alice.keys.openers, alice.keys.words)
    sweep_sealers(alice.keys.epochs, alice.keys.sealers, alice.keys.words)
    assert not alice.keys.openers.chain.any()
    assert not alice.keys.sealers.chain.any()


def test_epochs_beyond_the_table_are_not_put_down() -> None:
    alice = Party(1)
    alice.keys.run(running=True)
    for number in range(ROWS + 3):
        alice.begin(number)
    assert sealed(alice, b"opus")[1] == ROWS - 1


def test_a_call_of_many_members_finds_each() -> None:
    chains = {sender: sender.to_bytes(32, "big") for sender in range(0, 3 * MEMBERS_MAX, 3)}
    bob = AudioKeys(ns)
    bob.begin(0, 3, chains, pads=False, seals_ms=SEALS_MS)
    party = Party(3)
    party.keys = bob
    for sender in (0, 6, 300, 3 * MEMBERS_MAX - 3):
        stamp = Stamp(MediaKind.AUDIO, 0, sender)
        frame = Sealer(Chain(chains[sender]), stamp, PlainFrameKey).seal(b"opus")
        assert party.open(frame) == b"opus"


def test_a_chain_can_be_read_for_a_proof() -> None:
    alice, bob = begun(1), begun(4)
    assert alice.keys.chain(1) == bob.keys.chain(1) == (CHAINS[1], 0)
    with pytest.raises(Rejected, match="not in the group"):
        alice.keys.chain(7)


@given(st.lists(st.integers(0, 200), max_size=60))
def test_the_replay_window_is_the_plain_path_s(counters: list[int]) -> None:
    bob = begun(4)
    opener = Opener(Chain(CHAINS[1]), MediaKind.AUDIO, PlainFrameKey)
    key = PlainFrameKey(Chain(CHAINS[1]).frame_key(0))
    for counter in counters:
        frame = key.seal(Header(MediaKind.AUDIO, False, 0, 0, 1, counter).pack(), b"x")
        try:
            expected: bytes | str = opener.open(counter, frame)
        except Rejected as rejected:
            expected = rejected.code
        assert bob.open(frame) == expected


@given(st.binary(max_size=1100))
def test_garbage_is_refused_and_moves_nothing(garbage: bytes) -> None:
    bob = begun(4)
    before = bob.keys.openers[:3].tobytes()
    assert isinstance(bob.open(b"\x40\0\0\1" + garbage), str)
    after = bob.keys.openers[:3]
    assert after.highest.tolist() == [-1, -1, 0]
    assert len(before) == len(after.tobytes())
