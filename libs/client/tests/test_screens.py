import asyncio

import pytest

from libs.client.tests.stage import Home, in_step
from sidetone.client.events import ScreenStarted, ScreenStopped
from sidetone.protocol.refusals import Conflict, NotFound
from sidetone.video import Size
from sidetone.video.capture import TestCard
from sidetone.video.quality import Quality

CARD = TestCard(Size(640, 360))
SMALL = Quality(Size(640, 360), 15, 800_000)


async def test_a_screen_is_seen_by_who_watches_it(home: Home) -> None:
    async with home.unit():
        ada, bob = await home.client(), await home.client()
        lounge = await home.lounge(ada, bob)
        async with ada.join_voice(lounge.id) as one, bob.join_voice(lounge.id) as other:
            await in_step(one, other)
            with pytest.raises(NotFound):
                other.watch(ada.user.id)
            started = asyncio.create_task(other.wait_for(ScreenStarted))
            share = await one.share_screen(CARD, SMALL)
            screen = (await asyncio.wait_for(started, 10)).screen
            assert screen.user == ada.user.id
            view = other.watch(ada.user.id)
            async with asyncio.timeout(10):
                for _ in range(5):
                    assert (await view.next()).size == CARD.size
            stopped = asyncio.create_task(other.wait_for(ScreenStopped))
            await asyncio.sleep(0)
            await share.stop()
            await asyncio.wait_for(stopped, 10)
            with pytest.raises(Conflict):
                await view.next()
