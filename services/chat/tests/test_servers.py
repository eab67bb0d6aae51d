"""Servers, channels and members, over both databases."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.chat.tests.stage import Stage, open_stage
from sidetone.chat.domain.server import CHANNELS_MAX, SERVERS_MAX
from sidetone.permissions import ALL, EVERYONE, Permission
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound
from sidetone.protocol.servers import Member


@pytest.fixture(params=["sqlite", "postgres"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def test_a_new_server_has_a_place_to_write_and_one_to_talk(stage: Stage) -> None:
    ada = stage.stranger()
    server = await stage.create_server(ada, " The Tavern ")
    channels = await stage.list_channels(server.id, ada)
    assert (server.name, server.owner) == ("The Tavern", ada)
    assert [(c.name, c.kind) for c in channels] == [("general", "text"), ("Lounge", "voice")]
    assert await stage.list_members(server.id, ada) == [Member(ada, stage.clock.ms)]
    assert await stage.list_servers(ada) == [server]


async def test_a_server_with_a_bad_name_is_not_made(stage: Stage) -> None:
    ada = stage.stranger()
    with pytest.raises(Invalid, match="name_empty"):
        await stage.create_server(ada, " ")
    assert await stage.list_servers(ada) == []


async def test_nobody_is_in_too_many_servers(stage: Stage) -> None:
    ada, ben = stage.stranger(), stage.stranger()
    for _ in range(SERVERS_MAX):
        await stage.create_server(ada, "one more")
    with pytest.raises(Conflict, match="servers_too_many"):
        await stage.create_server(ada, "too many")
    other = await stage.create_server(ben, "other")
    invite = await stage.create_invite(other.id, ben, stage.open_invite)
    with pytest.raises(Conflict, match="servers_too_many"):
        await stage.accept_invite(invite.code, ada)


async def test_strangers_learn_nothing_of_a_server(stage: Stage) -> None:
    ada, eve = stage.stranger(), stage.stranger()
    server = await stage.create_server(ada, "tavern")
    nowhere = ServerId(stage.clock.new_id())
    codes: list[tuple[str, str]] = []
    for place in (server.id, nowhere):
        for attempt in (
            stage.list_channels(place, eve),
            stage.list_members(place, eve),
            stage.create_channel(place, eve, "mine", "voice"),
            stage.remove_member(place, eve, ada),
            stage.remove_member(place, eve, eve),
            stage.create_invite(place, eve, stage.open_invite),
        ):
            with pytest.raises(NotFound) as caught:
                await attempt
            codes.append((caught.value.code, caught.value.detail))
    assert len(set(codes)) == 1
    assert codes[0][0] == "server_unknown"
    assert await stage.list_servers(eve) == []


async def test_only_who_manages_channels_adds_one(stage: Stage) -> None:
    server = await stage.create_server(stage.stranger(), "tavern")
    ben = await stage.newcomer(server)
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.create_channel(server.id, ben, "mine", "voice")
    made = await stage.create_channel(server.id, server.owner, "Hall", "voice")
    assert made in await stage.list_channels(server.id, ben)


async def test_a_server_has_a_greatest_number_of_channels(stage: Stage) -> None:
    server = await stage.create_server(stage.stranger(), "tavern")
    for number in range(CHANNELS_MAX - 2):
        await stage.create_channel(server.id, server.owner, str(number), "text")
    with pytest.raises(Conflict, match="channels_too_many"):
        await stage.create_channel(server.id, server.owner, "one too many", "text")
    assert len(await stage.list_channels(server.id, server.owner)) == CHANNELS_MAX


async def test_the_owner_puts_a_member_out(stage: Stage) -> None:
    server = await stage.create_server(stage.stranger(), "tavern")
    ben = await stage.newcomer(server)
    lounge = await stage.place(server, "voice")
    before = await stage.what_may_user_do(ben, lounge.id)
    await stage.hear_announcements()

    await stage.remove_member(server.id, server.owner, ben)

    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.what_may_user_do(ben, lounge.id)
    (fact,) = await stage.hear_announcements()
    assert (fact.channel, fact.user, fact.permissions) == (lounge.id, ben, 0)
    assert fact.generation > before.generation
    assert await stage.list_servers(ben) == []


async def test_a_member_leaves(stage: Stage) -> None:
    server = await stage.create_server(stage.stranger(), "tavern")
    ben = await stage.newcomer(server)
    await stage.remove_member(server.id, ben, ben)
    assert [m.user for m in await stage.list_members(server.id, server.owner)] == [server.owner]


async def test_a_plain_member_puts_nobody_out(stage: Stage) -> None:
    server = await stage.create_server(stage.stranger(), "tavern")
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    await stage.hear_announcements()
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.remove_member(server.id, ben, cy)
    assert len(await stage.list_members(server.id, ben)) == 3
    assert await stage.hear_announcements() == []


async def test_the_owner_stays(stage: Stage) -> None:
    server = await stage.create_server(stage.stranger(), "tavern")
    ben = await stage.newcomer(server)
    for user in (server.owner, ben):
        with pytest.raises(Forbidden, match="owner_stays"):
            await stage.remove_member(server.id, user, server.owner)


async def test_nobody_is_put_out_twice(stage: Stage) -> None:
    server = await stage.create_server(stage.stranger(), "tavern")
    ben = await stage.newcomer(server)
    results = await asyncio.gather(
        *[stage.remove_member(server.id, server.owner, ben) for _ in range(4)],
        return_exceptions=True,
    )
    assert sorted(str(result)[:14] for result in results if result) == ["member_unknown"] * 3


async def test_rights_are_those_of_the_channel(stage: Stage) -> None:
    server = await stage.create_server(stage.stranger(), "tavern")
    ben = await stage.newcomer(server)
    lounge = await stage.place(server, "voice")
    general = await stage.place(server, "text")
    owners = await stage.what_may_user_do(server.owner, lounge.id)
    assert Permission(owners.permissions) == ALL
    bens = await stage.what_may_user_do(ben, lounge.id)
    assert Permission(bens.permissions) == EVERYONE
    written = await stage.what_may_user_do(ben, general.id)
    assert not Permission(written.permissions) & (Permission.CONNECT | Permission.SPEAK)


async def test_a_channel_of_nobody_is_unknown(stage: Stage) -> None:
    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.what_may_user_do(stage.stranger(), ChannelId(stage.clock.new_id()))
