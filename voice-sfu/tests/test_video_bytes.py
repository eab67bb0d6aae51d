"""One frame as it comes in, and what waits for one viewer: no byte is lost, added or reordered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sidetone.e2ee.frames import VIDEO_LENGTH_MAX
from sidetone.protocol.ids import Sender
from sidetone.voice_sfu.domain.limits import FLOOD_SECONDS, Verdict, VideoAllowance, VideoRates
from sidetone.voice_sfu.domain.video_frame import (
    FRAME_SECONDS_MAX,
    STALL_SECONDS,
    Cut,
    IncomingFrame,
)
from sidetone.voice_sfu.domain.video_queue import (
    DELTA_SECONDS_MAX,
    KEYFRAME_SECONDS_MAX,
    WAITING_BYTES_MAX,
    FrameId,
    Piece,
    VideoQueue,
)
from tests.load.sfu_stage import frame
from tests.load.video_stage import picture

ANN = Sender(7)
GOOD = picture(ANN, 200, layer=2, keyframe=True)
FIRST, SECOND = FrameId(ANN, 2), FrameId(ANN, 6)


def fed(incoming: IncomingFrame, pieces: list[bytes]) -> list[bytes | Cut]:
    last = len(pieces) - 1
    return [incoming.feed(each, 0.0, ended=k == last) for k, each in enumerate(pieces)]


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(st.lists(st.integers(0, 200), max_size=8))
def test_a_good_frame_passes_whole_however_it_is_cut_up(cuts: list[int]) -> None:
    incoming = IncomingFrame(ANN, 0.0)
    passed = fed(incoming, cut_up(GOOD, cuts))
    assert b"".join(each for each in passed if isinstance(each, bytes)) == GOOD
    assert not any(isinstance(each, Cut) for each in passed)
    assert (incoming.layer, incoming.is_keyframe) == (2, True)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (b"", Cut.SIZE),
        (GOOD[:23], Cut.SIZE),
        (b"\x00" + GOOD[1:], Cut.FORMAT),
        (b"\x7f" + GOOD[1:], Cut.FORMAT),
        (frame(ANN), Cut.KIND),
        (frame(ANN, kind=2), Cut.KIND),
        (picture(8, 200), Cut.SENDER),
    ],
)
@given(cuts=st.lists(st.integers(0, 200), max_size=8))
def test_of_a_wrong_frame_nothing_passes(wrong: bytes, why: Cut, cuts: list[int]) -> None:
    incoming = IncomingFrame(ANN, 0.0)
    passed: list[bytes | Cut] = []
    pieces = cut_up(wrong, cuts)
    for k, each in enumerate(pieces):
        passed.append(incoming.feed(each, 0.0, ended=k == len(pieces) - 1))
        if passed[-1] is why:
            break
    assert passed[-1] is why
    assert not any(each for each in passed[:-1])


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_garbage_is_cut_or_passes_and_is_never_an_exception(data: bytes, cuts: list[int]) -> None:
    incoming = IncomingFrame(ANN, 0.0)
    for result in fed(incoming, cut_up(data, cuts)):
        assert isinstance(result, bytes | Cut)


def test_a_frame_ends_with_the_byte_that_is_too_much() -> None:
    incoming = IncomingFrame(ANN, 0.0)
    assert incoming.feed(picture(ANN, VIDEO_LENGTH_MAX), 0.0, ended=False)
    assert incoming.feed(b"x", 0.0, ended=False) is Cut.SIZE


def test_a_frame_may_neither_stall_nor_drip() -> None:
    incoming = IncomingFrame(ANN, 0.0)
    assert not incoming.is_late(STALL_SECONDS - 0.1)
    assert incoming.is_late(STALL_SECONDS)
    at = 0.0
    while not incoming.is_late(at):
        incoming.feed(b"\x54", at, ended=False)
        at += 1.0
    assert at == FRAME_SECONDS_MAX


class Waiting(RuleBasedStateMachine):
    """Frames begin, grow, end, are cut and are taken at random."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = VideoQueue()
        self.came: dict[FrameId, bytes] = {}
        self.taken: dict[FrameId, bytes] = {}
        self.ended: set[FrameId] = set()
        self.cut: set[FrameId] = set()

    def growing(self, which: int) -> FrameId | None:
        open_frames = sorted(self.came.keys() - self.ended - self.cut)
        return open_frames[which % len(open_frames)] if open_frames else None

    @rule(source=st.integers(0, 2), keyframe=st.booleans())
    def begin(self, source: int, keyframe: bool) -> None:
        frame_id = FrameId(Sender(source), len(self.came))
        self.came[frame_id] = b""
        self.queue.begin(frame_id, 0.0, keyframe=keyframe)

    @rule(which=st.integers(0, 5), length=st.integers(0, 50), ended=st.booleans())
    def grow(self, which: int, length: int, ended: bool) -> None:
        frame_id = self.growing(which)
        data = bytes(k & 0xFF for k in range(which, which + length))
        if frame_id is None:
            assert not self.queue.add(Piece(FrameId(Sender(9), 0), data, ended))
            return
        assert self.queue.add(Piece(frame_id, data, ended))
        self.came[frame_id] += data
        if ended:
            self.ended.add(frame_id)

    @rule(source=st.integers(0, 2))
    def cut_one(self, source: int) -> None:
        unfinished = self.queue.unfinished(Sender(source))[:1]
        assert self.queue.cut(unfinished) == unfinished
        self.cut.update(unfinished)

    @rule(bytes_max=st.integers(-5, 120), new_max=st.integers(-1, 3))
    def take(self, bytes_max: int, new_max: int) -> None:
        before = len(self.taken)
        pieces = self.queue.take(bytes_max, new_max)
        for frame_id, data, ended in pieces:
            assert frame_id not in self.cut
            self.taken[frame_id] = self.taken.get(frame_id, b"") + data
            assert self.came[frame_id].startswith(self.taken[frame_id])
            assert not ended or self.taken[frame_id] == self.came[frame_id]
        assert sum(len(piece.data) for piece in pieces) <= max(0, bytes_max)
        assert len(self.taken) - before <= max(0, new_max)

    def teardown(self) -> None:
        self.take(1 << 30, 1 << 30)
        assert (self.queue.waiting_bytes, bool(self.queue)) == (0, False)
        whole = {name: data for name, data in self.came.items() if name not in self.cut}
        assert all(self.taken.get(name, b"") == data for name, data in whole.items())
        assert set(self.queue.unfinished()) == self.came.keys() - self.ended - self.cut


TestWaiting = Waiting.TestCase
TestWaiting.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_a_frame_of_which_nothing_was_taken_needs_no_stream() -> None:
    queue = VideoQueue()
    for name in (FIRST, SECOND):
        queue.begin(name, 0.0, keyframe=True)
        queue.add(Piece(name, b"abc", ended=True))
    assert queue.take(100, 0) == []
    assert [piece.frame for piece in queue.take(100, 1)] == [FIRST]
    assert queue.cut([FIRST, SECOND]) == [SECOND]


def test_what_waits_is_bounded_in_bytes_and_in_time() -> None:
    queue = VideoQueue()
    queue.begin(FIRST, 0.0, keyframe=True)
    queue.add(Piece(FIRST, bytes(VIDEO_LENGTH_MAX), ended=True))
    assert not queue.is_late(KEYFRAME_SECONDS_MAX - 0.1)
    assert queue.is_late(KEYFRAME_SECONDS_MAX)
    queue.begin(SECOND, 0.0, keyframe=False)
    queue.add(Piece(SECOND, bytes(WAITING_BYTES_MAX - VIDEO_LENGTH_MAX), ended=False))
    assert queue.is_late(0.0)
    queue.cut([FIRST])
    assert not queue.is_late(DELTA_SECONDS_MAX - 0.1)
    assert queue.is_late(DELTA_SECONDS_MAX)


def test_video_above_its_rates_is_dropped_and_a_flood_is_ended() -> None:
    allowance = VideoAllowance(VideoRates(frames_per_second=10, bits_per_second=8000))
    assert [allowance.take_frame(0.0) for _ in range(11)] == [*[Verdict.PASS] * 10, Verdict.DROP]
    assert allowance.take_bytes(VIDEO_LENGTH_MAX // 2, 0.0) is Verdict.DROP
    verdicts = [allowance.take_bytes(10_000, float(s)) for s in range(1, FLOOD_SECONDS + 3)]
    assert Verdict.CLOSE in verdicts
    assert verdicts[0] is Verdict.DROP


def test_the_largest_frame_passes_at_once_whatever_the_rate() -> None:
    allowance = VideoAllowance(VideoRates(bits_per_second=2_000_000))
    for _ in range(1024):
        assert allowance.take_bytes(1024, 0.0) is Verdict.PASS
