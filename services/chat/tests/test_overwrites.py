"""What changes when a channel allows or denies, over both databases."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.chat.tests.stage import OPEN_INVITE, Stage, open_stage
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.refusals import Forbidden, Invalid, NotFound
from sidetone.protocol.servers import Channel, CreateChannel, CreateRole, Server, SetOverwrite


@pytest.fixture(params=["embedded", "distributed"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


@pytest.fixture
async def server(stage: Stage) -> Server:
    return await stage.new_server()


@pytest.fixture
async def lounge(stage: Stage, server: Server) -> Channel:
    return await stage.place(server, "voice")


def allowing(*permissions: Permission) -> SetOverwrite:
    return SetOverwrite(allow=sum(permissions), deny=0)


def denying(*permissions: Permission) -> SetOverwrite:
    return SetOverwrite(allow=0, deny=sum(permissions))


async def test_a_denied_member_loses_it_and_others_do_not(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    await stage.announced_rights()

    await stage.overwrites.put(lounge.id, server.owner, ben, denying(Permission.SPEAK))

    assert await stage.may(ben, lounge.id) == EVERYONE & ~Permission.SPEAK
    assert await stage.may(cy, lounge.id) == EVERYONE
    (fact,) = await stage.announced_rights()
    assert fact.permissions == {ben: int(EVERYONE & ~Permission.SPEAK)}
    assert fact.generation == (await stage.see.rights(ben, lounge.id)).generation


async def test_everyone_means_all_but_the_owner(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    members = {await stage.newcomer(server), await stage.newcomer(server)}
    await stage.announced_rights()
    await stage.overwrites.put(lounge.id, server.owner, None, denying(Permission.SPEAK))
    facts = await stage.announced_rights()
    assert [set(fact.permissions) for fact in facts] == [members]


async def test_a_members_own_overwrite_wins_over_everyones(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    await stage.overwrites.put(lounge.id, server.owner, ben, allowing(Permission.SPEAK))
    await stage.announced_rights()
    await stage.overwrites.put(lounge.id, server.owner, None, denying(Permission.SPEAK))
    assert await stage.may(ben, lounge.id) == EVERYONE
    assert await stage.announced_rights() == []


async def test_an_overwrite_is_replaced_not_added_to(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    await stage.overwrites.put(lounge.id, server.owner, ben, denying(Permission.SPEAK))
    await stage.overwrites.put(lounge.id, server.owner, ben, denying(Permission.VIDEO))
    assert await stage.may(ben, lounge.id) == EVERYONE & ~Permission.VIDEO


async def test_a_hidden_channel_is_gone_for_the_others(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    await stage.announced_rights()
    await stage.overwrites.put(lounge.id, server.owner, None, denying(Permission.VIEW_CHANNEL))
    assert lounge.id not in {each.id for each in await stage.see.channels(server.id, ben)}
    assert lounge.id in {each.id for each in await stage.see.channels(server.id, server.owner)}
    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.see.rights(ben, lounge.id)
    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.overwrites.put(lounge.id, ben, None, denying())
    (fact,) = await stage.announced_rights()
    assert fact.permissions == {ben: 0}


async def test_text_channels_announce_nothing(stage: Stage, server: Server) -> None:
    general = await stage.place(server, "text")
    await stage.newcomer(server)
    await stage.announced_rights()
    await stage.overwrites.put(general.id, server.owner, None, denying(Permission.VIEW_CHANNEL))
    assert await stage.announced_rights() == []


async def test_a_refused_overwrite_leaves_no_trace(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    before = await stage.see.rights(ben, lounge.id)
    await stage.announced_rights()
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.overwrites.put(lounge.id, ben, ben, allowing(Permission.MUTE_MEMBERS))
    with pytest.raises(Forbidden, match="owner_above_overwrites"):
        await stage.overwrites.put(
            lounge.id, server.owner, server.owner, denying(Permission.SPEAK)
        )
    with pytest.raises(NotFound, match="member_unknown"):
        await stage.overwrites.put(lounge.id, server.owner, stage.stranger(), denying())
    assert await stage.see.rights(ben, lounge.id) == before
    assert await stage.announced_rights() == []


async def test_a_moderator_of_one_channel_has_no_power_over_the_server(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    powers = allowing(Permission.MANAGE_PERMISSIONS, Permission.MANAGE_CHANNELS)
    await stage.overwrites.put(lounge.id, server.owner, ben, powers)

    await stage.overwrites.put(lounge.id, ben, cy, denying(Permission.SPEAK))

    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.channels.create(server.id, ben, CreateChannel("mine", "voice"))
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.members.remove(server.id, ben, cy)
    general = await stage.place(server, "text")
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.overwrites.put(general.id, ben, cy, denying(Permission.VIEW_CHANNEL))


async def test_leaving_and_coming_back_sheds_no_denial_and_keeps_no_power(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    mixed = SetOverwrite(allow=int(Permission.MANAGE_PERMISSIONS), deny=int(Permission.SPEAK))
    await stage.overwrites.put(lounge.id, server.owner, ben, mixed)
    invite = await stage.invites.create(server.id, server.owner, OPEN_INVITE)

    await stage.members.remove(server.id, ben, ben)
    await stage.invites.accept(invite.code, ben)

    assert await stage.may(ben, lounge.id) == EVERYONE & ~Permission.SPEAK


async def test_generations_of_concurrent_changes_differ(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    members = [await stage.newcomer(server) for _ in range(6)]
    await stage.announced_rights()
    await asyncio.gather(
        *[
            stage.overwrites.put(lounge.id, server.owner, member, denying(Permission.SPEAK))
            for member in members
        ]
    )
    facts = await stage.announced_rights()
    assert len({fact.generation for fact in facts}) == len(members)


async def test_a_right_that_went_while_a_change_waited_is_gone(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    """Of two moderators who demote each other at once, exactly one succeeds."""
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    for member in (ben, cy):
        await stage.overwrites.put(
            lounge.id, server.owner, member, allowing(Permission.MANAGE_PERMISSIONS)
        )
    results = await asyncio.gather(
        stage.overwrites.put(lounge.id, ben, cy, SetOverwrite(0, 0)),
        stage.overwrites.put(lounge.id, cy, ben, SetOverwrite(0, 0)),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Forbidden", "NoneType"]


async def test_nobody_shuts_out_who_stands_higher(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    high = await stage.roles.create(server.id, server.owner, CreateRole("high"))
    low = await stage.roles.create(server.id, server.owner, CreateRole("low"))
    await stage.roles.give(server.id, server.owner, cy, high.id)
    await stage.roles.give(server.id, server.owner, ben, low.id)
    power = allowing(Permission.MANAGE_PERMISSIONS)
    await stage.overwrites.put(lounge.id, server.owner, ben, power)
    with pytest.raises(Forbidden, match="member_above"):
        await stage.overwrites.put(lounge.id, ben, cy, denying(Permission.VIEW_CHANNEL))
    with pytest.raises(Forbidden, match="role_above"):
        await stage.overwrites.put(lounge.id, ben, high.id, denying(Permission.VIEW_CHANNEL))
    await stage.overwrites.put(lounge.id, ben, low.id, denying(Permission.SPEAK))
    await stage.overwrites.put(lounge.id, server.owner, cy, power)
    await stage.overwrites.put(lounge.id, cy, ben, denying(Permission.VIDEO))


async def test_a_roles_overwrite_counts_for_who_has_it(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    role = await stage.roles.create(server.id, server.owner, CreateRole("quiet"))
    await stage.roles.give(server.id, server.owner, ben, role.id)
    await stage.overwrites.put(lounge.id, server.owner, role.id, denying(Permission.SPEAK))
    assert await stage.may(ben, lounge.id) == EVERYONE & ~Permission.SPEAK
    assert await stage.may(cy, lounge.id) == EVERYONE
    state = await stage.ground.servers.state(server.id)
    (overwrite,) = [each for channel in state.channels for each in channel.overwrites]
    assert (overwrite.subject, overwrite.kind) == (role.id, "role")


async def test_nobody_allows_or_denies_what_they_lack(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    await stage.overwrites.put(
        lounge.id,
        server.owner,
        ben,
        SetOverwrite(int(Permission.MANAGE_PERMISSIONS), int(Permission.SPEAK)),
    )
    for wish in (
        allowing(Permission.PRIORITY_SPEAKER),
        denying(Permission.PRIORITY_SPEAKER),
        # Not even from themselves: taking a denial away is giving.
        allowing(Permission.MANAGE_PERMISSIONS),
    ):
        with pytest.raises(Forbidden, match="permission_lacking"):
            await stage.overwrites.put(lounge.id, ben, ben, wish)


@pytest.mark.parametrize("bit", [Permission.KICK_MEMBERS, Permission.ADMINISTRATOR, 1 << 40, -1])
async def test_powers_over_the_server_are_no_channels_to_give(
    stage: Stage, server: Server, lounge: Channel, bit: int
) -> None:
    for wish in (SetOverwrite(int(bit), 0), SetOverwrite(0, int(bit))):
        with pytest.raises(Invalid, match="permission_unsettable"):
            await stage.overwrites.put(lounge.id, server.owner, None, wish)


async def test_a_text_channel_grants_nothing_of_calls(stage: Stage, server: Server) -> None:
    general = await stage.place(server, "text")
    with pytest.raises(Invalid, match="permission_unsettable"):
        await stage.overwrites.put(general.id, server.owner, None, allowing(Permission.CONNECT))
