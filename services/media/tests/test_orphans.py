"""Bytes that nothing is known of go; all others stay."""

from collections.abc import AsyncGenerator, AsyncIterator
from uuid import uuid4

import pytest

from services.media.tests.stage import Stage, open_stage
from sidetone.media.app import orphans
from sidetone.media.application.sweep_orphans import YOUNG_MS
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.questions import ClaimFiles
from tests.surroundings import TOPOLOGIES

CONTENT = b"just a note\n" * 10


@pytest.fixture(params=TOPOLOGIES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def content() -> AsyncIterator[bytes]:
    yield CONTENT


async def test_what_nothing_is_known_of_goes_when_it_is_a_day_old(stage: Stage) -> None:
    ada = stage.user()
    file = await ada.upload(CONTENT, "text/plain")
    place: ChannelId = stage.channel(ada)
    await stage.around.bus.ask(ClaimFiles(ada.id, "attachment", [file.id], place))
    for _ in range(3):
        await stage.files.write(f"kept/{uuid4()}.raw", content(), len(CONTENT), "text/plain")
    await stage.files.write("kept/notes.txt", content(), len(CONTENT), "text/plain")
    sweep = orphans(stage.around, stage.files)
    assert await sweep() == (0, 0)
    stage.clock.ahead_ms += 2 * YOUNG_MS
    assert await sweep(only_look=True) == (3, 3 * len(CONTENT))
    assert await sweep() == (3, 3 * len(CONTENT))
    assert await sweep() == (0, 0)
    assert (await ada.read(file.id)).content == CONTENT
    left = [stored.key for stored in await stage.files.under("kept/", 10)]
    assert left == sorted([f"kept/{file.id}.raw", "kept/notes.txt"])
