"""Servers, channels and members, over both topologies."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.chat.tests.stage import OPEN_INVITE, Stage, open_stage
from sidetone.chat.domain.server import CHANNELS_MAX, SERVERS_MAX
from sidetone.permissions import ALL, EVERYONE, Permission
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound
from sidetone.protocol.servers import (
    CreateChannel,
    CreateRole,
    CreateServer,
    EditChannel,
    SetOverwrite,
)


@pytest.fixture(params=["embedded", "distributed"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def test_a_new_server_has_a_place_to_write_and_one_to_talk(stage: Stage) -> None:
    ada = stage.stranger()
    server = await stage.servers.create(ada, CreateServer(" The Tavern "))
    channels = await stage.see.channels(server.id, ada)
    assert (server.name, server.owner) == ("The Tavern", ada)
    assert [(c.name, c.kind) for c in channels] == [("general", "text"), ("Lounge", "voice")]
    assert await stage.everybody(server) == [ada]
    assert await stage.see.of(ada) == [server]


async def test_a_server_with_a_bad_name_is_not_made(stage: Stage) -> None:
    ada = stage.stranger()
    with pytest.raises(Invalid, match="name_empty"):
        await stage.servers.create(ada, CreateServer(" "))
    assert await stage.see.of(ada) == []


async def test_nobody_is_in_too_many_servers(stage: Stage) -> None:
    ada, ben = stage.stranger(), stage.stranger()
    for _ in range(SERVERS_MAX):
        await stage.new_server(ada)
    with pytest.raises(Conflict, match="servers_too_many"):
        await stage.new_server(ada)
    other = await stage.new_server(ben)
    invite = await stage.invites.create(other.id, ben, OPEN_INVITE)
    with pytest.raises(Conflict, match="servers_too_many"):
        await stage.invites.accept(invite.code, ada)


async def test_strangers_learn_nothing_of_a_server(stage: Stage) -> None:
    ada, eve = stage.stranger(), stage.stranger()
    server = await stage.new_server(ada)
    nowhere = ServerId(stage.clock.new_id())
    codes: list[tuple[str, str]] = []
    for place in (server.id, nowhere):
        for attempt in (
            stage.see.channels(place, eve),
            stage.see.members(place, eve, None, 10),
            stage.channels.create(place, eve, CreateChannel("mine", "voice")),
            stage.members.remove(place, eve, ada),
            stage.members.remove(place, eve, eve),
            stage.invites.create(place, eve, OPEN_INVITE),
        ):
            with pytest.raises(NotFound) as caught:
                await attempt
            codes.append((caught.value.code, caught.value.detail))
    assert len(set(codes)) == 1
    assert codes[0][0] == "server_unknown"
    assert await stage.see.of(eve) == []


async def test_only_who_manages_channels_adds_one(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben = await stage.newcomer(server)
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.channels.create(server.id, ben, CreateChannel("mine", "voice"))
    made = await stage.channels.create(server.id, server.owner, CreateChannel("Hall", "voice"))
    assert made in await stage.see.channels(server.id, ben)


async def test_a_server_has_a_greatest_number_of_channels(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    one_more = CreateChannel("one more", "text")
    for _ in range(CHANNELS_MAX - 2):
        await stage.channels.create(server.id, server.owner, one_more)
    with pytest.raises(Conflict, match="channels_too_many"):
        await stage.channels.create(server.id, server.owner, one_more)
    assert len(await stage.see.channels(server.id, server.owner)) == CHANNELS_MAX


async def test_the_owner_puts_a_member_out(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben = await stage.newcomer(server)
    lounge = await stage.place(server, "voice")
    before = await stage.see.rights(ben, lounge.id)
    await stage.announced_rights()

    await stage.members.remove(server.id, server.owner, ben)

    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.see.rights(ben, lounge.id)
    (fact,) = await stage.announced_rights()
    assert (fact.channel, fact.permissions) == (lounge.id, {ben: 0})
    assert fact.generation > before.generation
    assert await stage.see.of(ben) == []


async def test_a_member_leaves(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben = await stage.newcomer(server)
    await stage.members.remove(server.id, ben, ben)
    assert await stage.everybody(server) == [server.owner]


async def test_who_comes_back_has_no_role_of_before(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben = await stage.newcomer(server)
    role = await stage.roles.create(server.id, server.owner, CreateRole("mods"))
    await stage.roles.give(server.id, server.owner, ben, role.id)
    await stage.members.remove(server.id, ben, ben)
    invite = await stage.invites.create(server.id, server.owner, OPEN_INVITE)
    await stage.invites.accept(invite.code, ben)
    stored = await stage.ground.servers.state(server.id)
    assert [member.roles for member in stored.members] == [[], []]


async def test_a_plain_member_puts_nobody_out(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    await stage.announced_rights()
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.members.remove(server.id, ben, cy)
    assert len(await stage.everybody(server)) == 3
    assert await stage.announced_rights() == []


async def test_the_owner_stays(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben = await stage.newcomer(server)
    for user in (server.owner, ben):
        with pytest.raises(Forbidden, match="owner_stays"):
            await stage.members.remove(server.id, user, server.owner)


async def test_nobody_is_put_out_twice(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben = await stage.newcomer(server)
    results = await asyncio.gather(
        *[stage.members.remove(server.id, server.owner, ben) for _ in range(4)],
        return_exceptions=True,
    )
    assert sorted(str(result)[:14] for result in results if result) == ["member_unknown"] * 3


async def test_rights_are_those_of_the_channel(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben = await stage.newcomer(server)
    lounge = await stage.place(server, "voice")
    general = await stage.place(server, "text")
    owners = await stage.see.rights(server.owner, lounge.id)
    assert Permission(owners.permissions) == ALL
    bens = await stage.see.rights(ben, lounge.id)
    assert Permission(bens.permissions) == EVERYONE
    written = await stage.see.rights(ben, general.id)
    assert not Permission(written.permissions) & (Permission.CONNECT | Permission.SPEAK)


async def test_a_channel_of_nobody_is_unknown(stage: Stage) -> None:
    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.see.rights(stage.stranger(), ChannelId(stage.clock.new_id()))


async def test_strangers_cannot_tell_a_channel_from_none(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    lounge, eve = await stage.place(server, "voice"), stage.stranger()
    for channel in (lounge.id, ChannelId(stage.clock.new_id())):
        for attempt in (
            stage.see.channel(channel, eve),
            stage.channels.edit(channel, eve, EditChannel(topic="mine"), None),
            stage.channels.delete(channel, eve),
            stage.overwrites.put(channel, eve, None, SetOverwrite(0, 0)),
        ):
            with pytest.raises(NotFound, match="channel_unknown"):
                await attempt
