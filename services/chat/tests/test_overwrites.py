"""What changes when a channel allows or denies, over both databases."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.chat.tests.stage import Stage, open_stage
from sidetone.chat.application.announce_rights import AnnounceRights
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Forbidden, NotFound
from sidetone.protocol.servers import Channel, Server, SetOverwrite


@pytest.fixture(params=["sqlite", "postgres"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


@pytest.fixture
async def server(stage: Stage) -> Server:
    return await stage.create_server(stage.stranger(), "tavern")


@pytest.fixture
async def lounge(stage: Stage, server: Server) -> Channel:
    return await stage.place(server, "voice")


def allowing(*permissions: Permission) -> SetOverwrite:
    return SetOverwrite(allow=sum(permissions), deny=0)


def denying(*permissions: Permission) -> SetOverwrite:
    return SetOverwrite(allow=0, deny=sum(permissions))


async def may(stage: Stage, user: UserId, channel: Channel) -> Permission:
    return Permission((await stage.what_may_user_do(user, channel.id)).permissions)


async def test_a_denied_member_loses_it_and_others_do_not(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    await stage.hear_announcements()

    await stage.set_overwrite(lounge.id, server.owner, ben, denying(Permission.SPEAK))

    assert await may(stage, ben, lounge) == EVERYONE & ~Permission.SPEAK
    assert await may(stage, cy, lounge) == EVERYONE
    (fact,) = await stage.hear_announcements()
    assert (fact.user, fact.permissions) == (ben, int(EVERYONE & ~Permission.SPEAK))
    assert fact.generation == (await stage.what_may_user_do(ben, lounge.id)).generation


async def test_everyone_means_all_but_the_owner(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    members = {await stage.newcomer(server), await stage.newcomer(server)}
    await stage.hear_announcements()
    await stage.set_overwrite(lounge.id, server.owner, None, denying(Permission.SPEAK))
    facts = await stage.hear_announcements()
    assert {fact.user for fact in facts} == members
    assert len({fact.generation for fact in facts}) == 1


async def test_a_members_own_overwrite_wins_over_everyones(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    await stage.set_overwrite(lounge.id, server.owner, ben, allowing(Permission.SPEAK))
    await stage.hear_announcements()
    await stage.set_overwrite(lounge.id, server.owner, None, denying(Permission.SPEAK))
    assert await may(stage, ben, lounge) == EVERYONE
    assert await stage.hear_announcements() == []


async def test_an_overwrite_is_replaced_not_added_to(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    await stage.set_overwrite(lounge.id, server.owner, ben, denying(Permission.SPEAK))
    await stage.set_overwrite(lounge.id, server.owner, ben, denying(Permission.VIDEO))
    assert await may(stage, ben, lounge) == EVERYONE & ~Permission.VIDEO


async def test_a_hidden_channel_is_gone_for_the_others(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    await stage.hear_announcements()
    await stage.set_overwrite(lounge.id, server.owner, None, denying(Permission.VIEW_CHANNEL))
    assert lounge not in await stage.list_channels(server.id, ben)
    assert lounge in await stage.list_channels(server.id, server.owner)
    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.what_may_user_do(ben, lounge.id)
    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.set_overwrite(lounge.id, ben, None, denying())
    (fact,) = await stage.hear_announcements()
    assert (fact.user, fact.permissions) == (ben, 0)


async def test_text_channels_announce_nothing(stage: Stage, server: Server) -> None:
    general = await stage.place(server, "text")
    await stage.newcomer(server)
    await stage.hear_announcements()
    await stage.set_overwrite(general.id, server.owner, None, denying(Permission.VIEW_CHANNEL))
    assert await stage.hear_announcements() == []


async def test_a_refused_overwrite_leaves_no_trace(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    before = await stage.what_may_user_do(ben, lounge.id)
    await stage.hear_announcements()
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.set_overwrite(lounge.id, ben, ben, allowing(Permission.MUTE_MEMBERS))
    with pytest.raises(Forbidden, match="owner_above_overwrites"):
        await stage.set_overwrite(lounge.id, server.owner, server.owner, denying(Permission.SPEAK))
    with pytest.raises(NotFound, match="member_unknown"):
        await stage.set_overwrite(lounge.id, server.owner, stage.stranger(), denying())
    assert await stage.what_may_user_do(ben, lounge.id) == before
    assert await stage.hear_announcements() == []


async def test_a_moderator_of_one_channel_has_no_power_over_the_server(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    powers = allowing(Permission.MANAGE_PERMISSIONS, Permission.MANAGE_CHANNELS)
    await stage.set_overwrite(lounge.id, server.owner, ben, powers)

    await stage.set_overwrite(lounge.id, ben, cy, denying(Permission.SPEAK))

    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.create_channel(server.id, ben, "mine", "voice")
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.remove_member(server.id, ben, cy)
    general = await stage.place(server, "text")
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.set_overwrite(general.id, ben, cy, denying(Permission.VIEW_CHANNEL))


async def test_leaving_and_coming_back_sheds_no_denial_and_keeps_no_power(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    ben = await stage.newcomer(server)
    mixed = SetOverwrite(allow=int(Permission.MANAGE_PERMISSIONS), deny=int(Permission.SPEAK))
    await stage.set_overwrite(lounge.id, server.owner, ben, mixed)
    invite = await stage.create_invite(server.id, server.owner, stage.open_invite)

    await stage.remove_member(server.id, ben, ben)
    await stage.accept_invite(invite.code, ben)

    assert await may(stage, ben, lounge) == EVERYONE & ~Permission.SPEAK


async def test_generations_of_concurrent_changes_differ(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    members = [await stage.newcomer(server) for _ in range(6)]
    await stage.hear_announcements()
    await asyncio.gather(
        *[
            stage.set_overwrite(lounge.id, server.owner, member, denying(Permission.SPEAK))
            for member in members
        ]
    )
    facts = await stage.hear_announcements()
    assert len({fact.generation for fact in facts}) == len(members)


async def test_a_right_that_went_while_a_change_waited_is_gone(
    stage: Stage, server: Server, lounge: Channel
) -> None:
    """Of two moderators who demote each other at once, exactly one succeeds."""
    ben, cy = await stage.newcomer(server), await stage.newcomer(server)
    for member in (ben, cy):
        await stage.set_overwrite(
            lounge.id, server.owner, member, allowing(Permission.MANAGE_PERMISSIONS)
        )
    results = await asyncio.gather(
        stage.set_overwrite(lounge.id, ben, cy, SetOverwrite(0, 0)),
        stage.set_overwrite(lounge.id, cy, ben, SetOverwrite(0, 0)),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Forbidden", "NoneType"]


async def test_thousands_of_changes_reach_a_listener_on_a_bounded_bus() -> None:
    async with open_stage("sqlite") as stage:
        server = await stage.create_server(stage.stranger(), "tavern")
        lounge = await stage.place(server, "voice")
        one = await stage.servers.membership(lounge.id, server.owner)
        await AnnounceRights(stage.bus)([one] * 5_000)
        assert len(await stage.hear_announcements()) == 5_000
