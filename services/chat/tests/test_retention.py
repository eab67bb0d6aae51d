"""Messages that are too old go, with all that hangs at them, and no others."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from services.chat.tests.discord import ADA, channel, message, snowflake, user, write
from services.chat.tests.stage_messages import Person, Stage, new_file, open_stage
from services.chat.tests.test_import import AT, GUILD, HALL, Import
from sidetone.chat.app import expiring, operation
from sidetone.chat.domain.imported import channel_id, server_id
from sidetone.protocol.events import MessagesDeleted
from tests.surroundings import TOPOLOGIES

DAY_MS = 24 * 3_600_000


@pytest.fixture(params=TOPOLOGIES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def past(stage: Stage, owner: Person, folder: Path, count: int) -> Import:
    """Return a server in which *count* messages were written every day from *AT* on."""
    author = user(ADA, "Ada")
    lines = [message(snowflake(AT + n * DAY_MS), f"{n}", author) for n in range(count)]
    write(folder, channel(HALL, "hall"), *lines)
    imported = Import(stage, owner, folder)
    await imported.run()
    return imported


def days_since(stage: Stage, day: int) -> int:
    """Return how many days messages are kept so that *day* is the first that stays."""
    return (stage.around.clock.now_ms() - AT - day * DAY_MS) // DAY_MS + 1


async def test_only_what_is_older_goes(stage: Stage, tmp_path: Path) -> None:
    tavern = await stage.tavern()
    file = new_file()
    stage.neighbours.files[file.id] = file
    new = await tavern.owner.say(tavern.channel, "new", attachments=[str(file.id)])
    imported = await past(stage, tavern.owner, tmp_path, 250)
    kept_days = days_since(stage, 247)
    expire = await expiring(stage.around, kept_days)
    due = [(kept.server, kept.days, count) async for kept, count in expire.due()]
    assert due == [(server_id(GUILD), kept_days, 247)]
    assert len(await imported.history(HALL)) == 100
    assert await expire() == 247
    assert [each.text for each in await imported.history(HALL)] == ["247", "248", "249"]
    assert await expire() == 0
    assert await tavern.owner.texts(tavern.channel) == ["new"]
    assert stage.neighbours.dropped == []
    told = await stage.heard(MessagesDeleted)
    assert {each.channel for each in told} == {channel_id(GUILD, int(HALL))}
    assert sum(len(each.messages) for each in told) == 247
    assert new.attachments == [file]


async def test_a_server_has_a_limit_of_its_own_or_none(stage: Stage, tmp_path: Path) -> None:
    owner = stage.person()
    imported = await past(stage, owner, tmp_path, 5)
    operate = operation(stage.around)
    await operate.keep_messages(str(server_id(GUILD)), 0)
    assert await (await expiring(stage.around, 1))() == 0
    await operate.keep_messages("The Old Tavern", days_since(stage, 3))
    assert await (await expiring(stage.around, 0))() == 3
    assert [each.text for each in await imported.history(HALL)] == ["3", "4"]
    await operate.keep_messages("The Old Tavern", None)
    assert await (await expiring(stage.around, 0))() == 0
    assert await (await expiring(stage.around, 1))() == 2
