import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from sidetone.client.screen_streams import Arrival
from sidetone.client.screen_view import ScreenView
from sidetone.e2ee.media import Opened
from sidetone.e2ee.schedule import MediaKind
from sidetone.protocol.ids import UserId
from sidetone.video import Size
from sidetone.video.encoder import Vp8Encoder
from sidetone.video.quality import Quality
from sidetone.video.test_card import TestCardCapture
from tests.waiting import until

SIZE = Size(480, 270)
SENDER = 5


class Shown:
    """A view, and frames for it that look as if they had been opened."""

    def __init__(self) -> None:
        self.stopped: list[ScreenView] = []
        self.view = ScreenView(UserId(uuid4()), self.stopped.append)
        self.view.place(SENDER)
        self._card = TestCardCapture(SIZE, moves=True)
        self._encoder = Vp8Encoder(SIZE, Quality(SIZE, 15, 500_000))
        self._at = 0.0

    def frame(self, epoch: int, counter: int, *, keyframe: bool = False) -> Opened:
        self._at += 1 / 15
        encoded = self._encoder.encode(self._card.grab(), self._at, keyframe=keyframe)
        low = 4 if encoded.keyframe else 0
        return Opened(SENDER, counter, encoded.data, MediaKind.VIDEO, True, low, epoch)

    async def decoded(self, count: int) -> None:
        await until(lambda: self.view.stats().frames == count)


@pytest.fixture
async def shown() -> AsyncIterator[Shown]:
    shown = Shown()
    yield shown
    shown.view.stop()


async def test_frames_in_a_row_are_decoded_over_a_change_of_epoch(shown: Shown) -> None:
    for place in ((1, 7), (1, 8), (2, 0), (2, 1)):
        shown.view.opened(shown.frame(*place))
    await shown.decoded(4)
    assert shown.view.stats().gaps == 0
    assert not shown.view.keyframe_due(1000.0)


@pytest.mark.parametrize("place", [(1, 9), (2, 3)])
async def test_a_frame_that_is_missing_makes_it_ask_for_a_keyframe_once_a_second(
    shown: Shown, place: tuple[int, int]
) -> None:
    shown.view.opened(shown.frame(1, 7))
    await shown.decoded(1)
    shown.frame(1, 8)
    shown.view.opened(shown.frame(*place))
    await until(lambda: shown.view.keyframe_due(1000.0))
    assert shown.view.stats().gaps == 1
    assert not shown.view.keyframe_due(1000.5)
    assert shown.view.keyframe_due(1001.0)
    shown.view.opened(shown.frame(place[0], place[1] + 1, keyframe=True))
    await shown.decoded(2)
    assert not shown.view.keyframe_due(1010.0)


async def test_what_was_missed_before_a_keyframe_asks_for_no_other(shown: Shown) -> None:
    shown.view.opened(shown.frame(1, 0))
    shown.view.opened(shown.frame(1, 2))
    shown.view.opened(shown.frame(1, 3, keyframe=True))
    await shown.decoded(2)
    assert shown.view.stats().gaps == 1
    assert not shown.view.keyframe_due(1000.0)


async def test_a_frame_that_was_cut_is_missing_until_a_keyframe(shown: Shown) -> None:
    shown.view.opened(shown.frame(1, 0))
    shown.view.arrived(Arrival(SENDER, None, 1.0, 2.0))
    shown.view.opened(shown.frame(1, 2))
    await until(lambda: shown.view.keyframe_due(1000.0))
    shown.view.opened(shown.frame(1, 3, keyframe=True))
    await shown.decoded(2)


async def test_another_place_in_the_room_begins_at_a_keyframe(shown: Shown) -> None:
    shown.view.opened(shown.frame(1, 0))
    await shown.decoded(1)
    shown.view.place(SENDER + 1)
    shown.view.opened(shown.frame(1, 1))
    await until(lambda: shown.view.keyframe_due(1000.0))
    assert shown.view.stats().frames == 1


async def test_a_view_that_is_stopped_ends_the_loop_over_it(shown: Shown) -> None:
    async def watch() -> int:
        return len([picture async for picture in shown.view])

    watching = asyncio.create_task(watch())
    shown.view.opened(shown.frame(1, 0))
    await shown.decoded(1)
    shown.view.stop()
    shown.view.stop()
    assert await asyncio.wait_for(watching, 5) <= 1
    assert shown.stopped == [shown.view]
