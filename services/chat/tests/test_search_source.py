"""What an index is built from, on every store of messages."""

from collections.abc import AsyncGenerator
from typing import Any, Literal
from uuid import UUID

import pytest

from services.chat.tests.stage_messages import STAGES, Stage, any_id, open_stage
from sidetone.chat.application.search import Hit
from sidetone.chat.infrastructure.cql_search_source import CqlSearchSource
from sidetone.chat.infrastructure.search_index import Source
from sidetone.chat.infrastructure.sql_search_source import SqlSearchSource
from sidetone.protocol.ids import ChannelId, MessageId
from tests.surroundings import Topology

BEGINNING = (ChannelId(UUID(int=0)), MessageId(UUID(int=0)))


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    kind: Topology | Literal["cql"] = request.param
    async with open_stage(kind) as stage:
        yield stage


def source_of(stage: Stage) -> Source:
    if stage.cql is None:
        return SqlSearchSource(stage.around.database)
    return CqlSearchSource(stage.around.database, stage.cql)


async def talk(stage: Stage) -> list[Hit]:
    """Write in three channels; return where and what stays, in the order of ids."""
    tavern = await stage.tavern()
    channels = [
        tavern.channel,
        await tavern.new_channel("attic"),
        await tavern.new_channel("hall"),
    ]
    said = [
        (channel, (await tavern.guest.say(channel, f"number {number}")).id)
        for number, channel in enumerate([*channels, channels[0], channels[2], channels[0]])
    ]
    gone = await tavern.guest.say(channels[1], "never mind")
    answer = await tavern.guest.ask("DELETE", f"/channels/{channels[1]}/messages/{gone.id}")
    assert answer.is_success
    return sorted(said)


def at(entries: Any) -> list[Hit]:
    return [(entry.message.channel, entry.message.id) for entry in entries]


@pytest.mark.parametrize("limit", [1, 2, 4, 100])
async def test_all_messages_are_read_once_in_pieces(stage: Stage, limit: int) -> None:
    said = await talk(stage)
    found: list[Hit] = []
    after = BEGINNING
    while piece := at(await source_of(stage).scan(after, limit)):
        assert len(piece) <= limit
        after = piece[-1]
        found += piece
    assert found == sorted(found)
    # A channel that people come into holds a line about each of them, too.
    assert [hit for hit in found if hit in said] == said
    assert len(found) == len(set(found))


async def test_a_full_piece_is_told_from_the_last(stage: Stage) -> None:
    await talk(stage)
    everything = at(await source_of(stage).scan(BEGINNING, 100))
    most = len(everything) - 1
    assert at(await source_of(stage).scan(BEGINNING, most)) == everything[:most]
    assert at(await source_of(stage).scan(everything[most - 1], most)) == everything[most:]
    assert at(await source_of(stage).scan(everything[-1], most)) == []


async def test_what_is_there_is_read_and_nothing_else(stage: Stage) -> None:
    said = await talk(stage)
    strange = [(said[0][0], MessageId(any_id())), (ChannelId(any_id()), said[0][1])]
    assert sorted(at(await source_of(stage).read([*strange, *said]))) == said
    assert at(await source_of(stage).read([])) == []
