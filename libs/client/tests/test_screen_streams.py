import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from sidetone.client.screen_streams import (
    FIRST_STREAM,
    Arrival,
    IncomingVideo,
    OutgoingVideo,
    Piece,
)
from sidetone.e2ee.frames import VIDEO_LENGTH_MAX, Header
from sidetone.e2ee.schedule import MediaKind


def frame(sender: int, counter: int, size: int = 60) -> bytes:
    header = Header(MediaKind.VIDEO, end=True, low=0, epoch=1, sender=sender, counter=counter)
    return header.pack() + bytes(size)


def stream(number: int) -> int:
    return FIRST_STREAM + 4 * number


def whole(arrivals: list[Arrival]) -> list[bytes | None]:
    return [arrival.frame for arrival in arrivals]


# --- what comes ---


def test_a_frame_that_came_in_pieces_is_whole_and_says_how_long_it_took() -> None:
    video, data = IncomingVideo(), frame(3, 0)
    assert video.received(stream(0), data[:5], 1.0, ended=False) == []
    assert video.received(stream(0), data[5:], 1.5, ended=True) == [Arrival(3, data, 1.0, 1.5)]


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_frames_of_a_sender_come_in_the_order_of_their_streams(seed: int, count: int) -> None:
    chance, video = random.Random(seed), IncomingVideo()
    frames = [frame(number % 3, number) for number in range(count)]
    pieces = []
    for number, data in enumerate(frames):
        cut = chance.randrange(1, len(data))
        pieces.append([(number, data[:cut], False), (number, data[cut:], True)])
    got: list[bytes | None] = []
    while any(pieces):
        waiting = chance.choice([piece for piece in pieces if piece])
        number, data, ended = waiting.pop(0)
        got += whole(video.received(stream(number), data, 0.0, ended=ended))
    for sender in range(3):
        mine = [data for data in frames if data[3] == sender]
        assert [data for data in got if data is not None and data[3] == sender] == mine
    assert None not in got


def test_who_is_whole_waits_for_no_other_sender() -> None:
    video = IncomingVideo()
    video.received(stream(0), frame(1, 0)[:20], 0.0, ended=False)
    assert whole(video.received(stream(1), frame(2, 0), 0.0, ended=True)) == [frame(2, 0)]
    assert whole(video.received(stream(2), frame(1, 1), 0.0, ended=True)) == []
    rest = video.received(stream(0), frame(1, 0)[20:], 0.0, ended=True)
    assert whole(rest) == [frame(1, 0), frame(1, 1)]


def test_a_stream_of_which_nothing_is_known_is_waited_for() -> None:
    video = IncomingVideo()
    assert video.received(stream(1), frame(1, 1), 0.0, ended=True) == []
    first = video.received(stream(0), frame(1, 0), 0.0, ended=True)
    assert whole(first) == [frame(1, 0), frame(1, 1)]


def test_a_frame_that_was_cut_is_missing_at_its_place() -> None:
    video = IncomingVideo()
    video.received(stream(0), frame(1, 0)[:20], 0.0, ended=False)
    assert video.received(stream(1), frame(1, 1), 0.0, ended=True) == []
    assert whole(video.reset(stream(0), 1.0)) == [None, frame(1, 1)]
    assert whole(video.reset(stream(2), 1.0)) == []
    assert whole(video.received(stream(3), frame(1, 3), 1.0, ended=True)) == [frame(1, 3)]


def test_what_is_no_video_frame_is_dropped_alone() -> None:
    video = IncomingVideo()
    assert video.received(stream(0), bytes(5000), 0.0, ended=True) == []
    assert whole(video.received(stream(1), frame(1, 0), 0.0, ended=True)) == [frame(1, 0)]
    assert whole(video.received(stream(2), frame(1, 1)[:20], 0.0, ended=True)) == [None]


def test_a_frame_without_end_takes_no_more_than_the_largest() -> None:
    video = IncomingVideo()
    head, chunk = frame(1, 0), bytes(100_000)
    arrivals = video.received(stream(0), head, 0.0, ended=False)
    for _ in range(2 * VIDEO_LENGTH_MAX // len(chunk)):
        arrivals += video.received(stream(0), chunk, 0.0, ended=False)
    assert whole(arrivals) == [None]


def test_streams_that_never_end_are_forgotten() -> None:
    video = IncomingVideo()
    for number in range(1000):
        video.received(stream(number), frame(1, number)[:20], 0.0, ended=False)
    assert len(video._streams) <= 256
    video.received(stream(2_000_000), b"", 0.0, ended=False)
    assert len(video._streams) <= 256


# --- what goes ---


async def test_frames_are_handed_over_in_order_as_the_path_takes_them() -> None:
    video = OutgoingVideo()
    first, second = video.add(b"abcde"), video.add(b"fg")
    assert video.take(3, 9) == [Piece(b"abc", begins=True, ended=False)]
    assert not first.done()
    assert video.take(3, 9) == [
        Piece(b"de", begins=False, ended=True),
        Piece(b"f", begins=True, ended=False),
    ]
    assert first.result()
    assert video.take(3, 9) == [Piece(b"g", begins=False, ended=True)]
    assert second.result()
    assert not video


async def test_no_stream_is_opened_beyond_what_the_node_allows() -> None:
    video = OutgoingVideo()
    video.add(b"ab")
    video.add(b"cd")
    assert video.take(9, 1) == [Piece(b"ab", begins=True, ended=True)]
    assert video.take(9, 0) == []
    assert video


async def test_a_frame_that_the_node_stopped_is_given_up_and_the_next_sent() -> None:
    video = OutgoingVideo()
    first, _ = video.add(b"abc"), video.add(b"de")
    video.break_off()
    assert not first.done()
    video.take(2, 9)
    video.break_off()
    assert first.result() is False
    assert video.take(9, 9) == [Piece(b"de", begins=True, ended=True)]


async def test_a_full_queue_and_a_closed_one_refuse_at_once() -> None:
    video = OutgoingVideo()
    waiting = list(
        itertools.takewhile(lambda taken: not taken.done(), (video.add(b"a") for _ in range(9)))
    )
    assert len(waiting) == 4
    video.close()
    assert [taken.result() for taken in waiting] == [False] * 4
    assert video.add(b"b").result() is False
