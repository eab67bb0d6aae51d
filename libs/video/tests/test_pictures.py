import asyncio
from collections.abc import Iterator

import pytest

from libs.video.tests.judging import jpeg_luma
from sidetone.video import Size
from sidetone.video.encoded import Encoded
from sidetone.video.encoder import Vp8Encoder
from sidetone.video.pictures import FRAMES_WAITING_MAX, Pictures
from sidetone.video.quality import Quality
from sidetone.video.test_card import TestCardCapture, read_number

SIZE = Size(480, 270)


@pytest.fixture(scope="module")
def film() -> list[Encoded]:
    """The card's first pictures; every tenth is a keyframe."""
    card = TestCardCapture(SIZE, moves=True)
    encoder = Vp8Encoder(SIZE, Quality(SIZE, 15, 1_000_000))
    return [encoder.encode(card.grab(), n / 15, keyframe=n % 10 == 0) for n in range(21)]


class Watched:
    def __init__(self) -> None:
        self.gaps = 0
        self.pictures = Pictures(self.gap, SIZE)

    def gap(self, _: int) -> None:
        self.gaps += 1

    async def number(self) -> int:
        picture = await asyncio.wait_for(self.pictures.next(), 10)
        return read_number(jpeg_luma(picture.jpeg))


@pytest.fixture
async def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.pictures.close()


async def decoded(watched: Watched, count: int) -> None:
    async with asyncio.timeout(10):
        while watched.pictures.decoded < count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_of_several_only_the_newest_becomes_a_picture(
    watched: Watched, film: list[Encoded]
) -> None:
    for encoded in film[:9]:
        watched.pictures.feed(encoded.data)
    await decoded(watched, 9)
    assert await watched.number() == 8
    waiting = asyncio.create_task(watched.number())
    await asyncio.sleep(0)
    watched.pictures.feed(film[9].data)
    assert await waiting == 9
    assert watched.gaps == 0


async def test_after_a_gap_nothing_is_shown_before_a_keyframe(
    watched: Watched, film: list[Encoded]
) -> None:
    for encoded in film[:3]:
        watched.pictures.feed(encoded.data)
    await decoded(watched, 3)
    assert await watched.number() == 2
    watched.pictures.missed()
    for encoded in film[5:11]:
        watched.pictures.feed(encoded.data)
    assert await watched.number() == 10
    assert watched.gaps == 6
    assert watched.pictures.decoded == 4


async def test_a_viewer_who_comes_late_is_shown_nothing_before_a_keyframe(
    watched: Watched, film: list[Encoded]
) -> None:
    for encoded in film[4:12]:
        watched.pictures.feed(encoded.data)
    await decoded(watched, 2)
    assert await watched.number() == 11


async def test_a_flood_is_forgotten_up_to_a_keyframe(
    watched: Watched, film: list[Encoded]
) -> None:
    with watched.pictures._changed:
        for _ in range(FRAMES_WAITING_MAX + 1):
            watched.pictures.feed(film[1].data)
        assert len(watched.pictures._frames) == 2
    watched.pictures.feed(film[20].data)
    assert await watched.number() == 20


async def test_who_waits_is_let_go_at_the_end(watched: Watched) -> None:
    waiting = asyncio.create_task(watched.pictures.next())
    await asyncio.sleep(0)
    watched.pictures.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        await watched.pictures.next()
    await asyncio.to_thread(watched.pictures._thread.join, 5)
    assert not watched.pictures._thread.is_alive()
