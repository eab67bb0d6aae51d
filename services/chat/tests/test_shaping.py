"""Servers, channels, emoji and templates are shaped by who may, over both topologies."""

from collections.abc import AsyncGenerator

import pytest

from services.chat.tests.stage import Stage, open_stage
from sidetone.chat.domain.version import version_of
from sidetone.permissions import Permission
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import ChannelId, FileId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound
from sidetone.protocol.servers import (
    Channel,
    CreateChannel,
    CreateEmoji,
    CreateRole,
    CreateServer,
    EditChannel,
    EditServer,
    Server,
    SetOverwrite,
    TemplateChannel,
    TemplateDocument,
    TemplateOverwrite,
    TemplateRole,
)

HIDDEN = SetOverwrite(allow=0, deny=int(Permission.VIEW_CHANNEL))


@pytest.fixture(params=["embedded", "distributed"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


@pytest.fixture
async def server(stage: Stage) -> Server:
    return await stage.new_server()


@pytest.fixture
async def ben(stage: Stage, server: Server) -> UserId:
    return await stage.newcomer(server)


async def made(stage: Stage, server: Server, wish: CreateChannel) -> Channel:
    return await stage.channels.create(server.id, server.owner, wish)


# --- Servers ---


async def test_a_server_is_edited_by_who_manages_it(
    stage: Stage, server: Server, ben: UserId
) -> None:
    icon = FileId(stage.clock.new_id())
    wish = EditServer(name="inn", description=" for  all ", icon=icon)
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.servers.edit(server.id, ben, wish, None)
    edited = await stage.servers.edit(server.id, server.owner, wish, version_of(server))
    assert (edited.name, edited.description, edited.icon) == ("inn", "for all", icon)
    assert (await stage.ground.servers.state(server.id)).server == edited
    with pytest.raises(Conflict, match="stale_version"):
        await stage.servers.edit(server.id, server.owner, wish, version_of(server))
    plain = await stage.servers.edit(server.id, server.owner, EditServer(icon=None), None)
    assert (plain.name, plain.icon) == ("inn", None)


async def test_a_server_is_handed_to_a_member(stage: Stage, server: Server, ben: UserId) -> None:
    with pytest.raises(Forbidden, match="owner_only"):
        await stage.servers.transfer(server.id, ben, ben)
    with pytest.raises(NotFound, match="member_unknown"):
        await stage.servers.transfer(server.id, server.owner, stage.stranger())
    assert (await stage.servers.transfer(server.id, server.owner, ben)).owner == ben
    with pytest.raises(Forbidden, match="owner_only"):
        await stage.servers.delete(server.id, server.owner)
    await stage.members.remove(server.id, server.owner, server.owner)


async def test_a_deleted_server_is_gone_with_all_its_rights(
    stage: Stage, server: Server, ben: UserId
) -> None:
    lounge = await stage.place(server, "voice")
    await made(stage, server, CreateChannel("more", "voice"))
    await stage.roles.create(server.id, server.owner, CreateRole("mods"))
    await stage.overwrites.put(lounge.id, server.owner, None, HIDDEN)
    await stage.announced()
    with pytest.raises(Forbidden, match="owner_only"):
        await stage.servers.delete(server.id, ben)
    await stage.servers.delete(server.id, server.owner)
    facts = await stage.announced()
    (change,) = [fact.event for fact in facts if isinstance(fact.event, ServerChanged)]
    assert change.deleted
    for attempt in (
        stage.see.state(server.id, server.owner),
        stage.see.channel(lounge.id, server.owner),
        stage.ground.servers.state(server.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await stage.see.of(ben) == []


async def test_a_deleted_server_takes_every_right_in_voice(
    stage: Stage, server: Server, ben: UserId
) -> None:
    lounge = await stage.place(server, "voice")
    await stage.announced()
    await stage.servers.delete(server.id, server.owner)
    (fact,) = await stage.announced_rights()
    assert (fact.channel, fact.permissions) == (lounge.id, {server.owner: 0, ben: 0})


# --- Channels ---


async def test_a_channel_begins_with_the_overwrites_of_its_category(
    stage: Stage, server: Server, ben: UserId
) -> None:
    category = await made(stage, server, CreateChannel("staff", "category"))
    await stage.overwrites.put(category.id, server.owner, None, HIDDEN)
    room = await made(stage, server, CreateChannel("room", "text", parent=category.id))
    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.see.channel(room.id, ben)
    # From then on each goes its own way.
    await stage.overwrites.put(category.id, server.owner, None, SetOverwrite(0, 0))
    with pytest.raises(NotFound, match="channel_unknown"):
        await stage.see.channel(room.id, ben)


async def test_a_parent_is_a_category_that_one_sees(stage: Stage, server: Server) -> None:
    general = await stage.place(server, "text")
    elsewhere = ChannelId(stage.clock.new_id())
    for parent in (general.id, elsewhere):
        with pytest.raises(NotFound, match="channel_unknown"):
            await made(stage, server, CreateChannel("room", "text", parent=parent))
    category = await made(stage, server, CreateChannel("staff", "category"))
    with pytest.raises(Invalid, match="parent_unsuitable"):
        await made(stage, server, CreateChannel("nested", "category", parent=category.id))


@pytest.mark.parametrize("kind", ["thread", "direct"])
async def test_some_kinds_are_not_made_by_hand(stage: Stage, server: Server, kind: str) -> None:
    with pytest.raises(Invalid, match="kind_unsuitable"):
        await made(stage, server, CreateChannel("odd", kind))  # pyright: ignore[reportArgumentType]  # what a client may send


async def test_a_channel_is_edited_and_moved(stage: Stage, server: Server, ben: UserId) -> None:
    general = await stage.place(server, "text")
    category = await made(stage, server, CreateChannel("staff", "category"))
    wish = EditChannel(name="talk", topic="all", slow_mode_seconds=5, parent=category.id)
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.channels.edit(general.id, ben, wish, None)
    edited = await stage.channels.edit(general.id, server.owner, wish, version_of(general))
    assert (edited.name, edited.topic, edited.slow_mode_seconds) == ("talk", "all", 5)
    assert edited.parent == category.id
    with pytest.raises(Conflict, match="stale_version"):
        await stage.channels.edit(general.id, server.owner, wish, version_of(general))
    out = await stage.channels.edit(general.id, server.owner, EditChannel(parent=None), None)
    assert (out.name, out.parent) == ("talk", None)


async def test_who_manages_one_channel_alone_edits_that_one(
    stage: Stage, server: Server, ben: UserId
) -> None:
    general = await stage.place(server, "text")
    lounge = await stage.place(server, "voice")
    power = SetOverwrite(allow=int(Permission.MANAGE_CHANNELS), deny=0)
    await stage.overwrites.put(general.id, server.owner, ben, power)
    await stage.channels.edit(general.id, ben, EditChannel(topic="mine"), None)
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.channels.edit(lounge.id, ben, EditChannel(topic="mine"), None)
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.channels.create(server.id, ben, CreateChannel("more", "text"))
    category = await made(stage, server, CreateChannel("staff", "category"))
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.channels.edit(general.id, ben, EditChannel(parent=category.id), None)


async def test_channels_of_a_deleted_category_stay(stage: Stage, server: Server) -> None:
    category = await made(stage, server, CreateChannel("staff", "category"))
    room = await made(stage, server, CreateChannel("room", "text", parent=category.id))
    await stage.channels.delete(category.id, server.owner)
    assert (await stage.see.channel(room.id, server.owner)).parent is None
    state = await stage.ground.servers.state(server.id)
    assert category.id not in {channel.id for channel in state.channels}


async def test_channels_are_put_in_order(stage: Stage, server: Server, ben: UserId) -> None:
    await made(stage, server, CreateChannel("more", "text"))
    ids = [channel.id for channel in await stage.see.channels(server.id, ben)]
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.channels.order(server.id, ben, ids)
    await stage.channels.order(server.id, server.owner, ids[::-1])
    assert [each.id for each in await stage.see.channels(server.id, ben)] == ids[::-1]
    for order in (ids[1:], [*ids[1:], ids[1]], [*ids, ChannelId(stage.clock.new_id())]):
        with pytest.raises(Conflict, match="order_incomplete"):
            await stage.channels.order(server.id, server.owner, order)


async def test_a_gone_member_leaves_no_allowance_behind(
    stage: Stage, server: Server, ben: UserId
) -> None:
    lounge = await stage.place(server, "voice")
    mixed = SetOverwrite(int(Permission.PRIORITY_SPEAKER), int(Permission.SPEAK))
    await stage.overwrites.put(lounge.id, server.owner, ben, mixed)
    await stage.members.remove(server.id, ben, ben)
    state = await stage.ground.servers.state(server.id)
    (overwrite,) = [each for channel in state.channels for each in channel.overwrites]
    assert (overwrite.allow, overwrite.deny) == (0, int(Permission.SPEAK))


# --- Emoji ---


async def test_emoji_have_names_of_their_own(stage: Stage, server: Server, ben: UserId) -> None:
    wish = CreateEmoji("party", FileId(stage.clock.new_id()))
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.emoji.create(server.id, ben, wish)
    party = await stage.emoji.create(server.id, server.owner, wish)
    assert (party.name, party.file, party.creator) == ("party", wish.file, server.owner)
    with pytest.raises(Conflict, match="emoji_name_taken"):
        await stage.emoji.create(server.id, server.owner, wish)
    with pytest.raises(Invalid, match="emoji_name_unsuitable"):
        await stage.emoji.rename(server.id, server.owner, party.id, "no spaces")
    renamed = await stage.emoji.rename(server.id, server.owner, party.id, "fest")
    assert await stage.emoji.of(server.id, ben) == [renamed]
    assert (await stage.ground.servers.state(server.id)).emoji == [renamed]
    await stage.emoji.delete(server.id, server.owner, party.id)
    assert (await stage.ground.servers.state(server.id)).emoji == []
    with pytest.raises(NotFound, match="emoji_unknown"):
        await stage.emoji.delete(server.id, server.owner, party.id)


# --- Templates ---


async def test_a_server_is_made_in_the_likeness_of_another(
    stage: Stage, server: Server, ben: UserId
) -> None:
    mods = await stage.roles.create(
        server.id, server.owner, CreateRole("mods", int(Permission.KICK_MEMBERS), 0xFF0000)
    )
    category = await made(stage, server, CreateChannel("staff", "category"))
    await stage.overwrites.put(category.id, server.owner, None, HIDDEN)
    seeing = SetOverwrite(int(Permission.VIEW_CHANNEL), 0)
    await stage.overwrites.put(category.id, server.owner, mods.id, seeing)
    await made(stage, server, CreateChannel("room", "text", category.id, "quiet"))
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.templates.save(server.id, ben, "mine")
    template = await stage.templates.save(server.id, server.owner, "guild")

    twin = await stage.servers.create(ben, CreateServer("twin", template=template.code))

    state = await stage.see.state(twin.id, ben)
    assert [member.user for member in state.members] == [ben]
    again = await stage.templates.save(twin.id, ben, "again")
    assert again.document == template.document
    assert [role.name for role in state.roles] == ["everyone", "mods"]
    assert state.roles[0].id == twin.id
    assert await stage.templates.of(server.owner) == [template]
    with pytest.raises(NotFound, match="template_unknown"):
        await stage.templates.delete(template.code, ben)
    await stage.templates.delete(template.code, server.owner)
    with pytest.raises(NotFound, match="template_unknown"):
        await stage.servers.create(ben, CreateServer("twin", template=template.code))


EVERYONE = TemplateRole("everyone", 0)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (TemplateDocument("", [], []), "template_too_large"),
        (TemplateDocument("x" * 2_000, [EVERYONE], []), "description_too_long"),
        (TemplateDocument("", [TemplateRole("x", -1)], []), "permission_unknown"),
        (TemplateDocument("", [EVERYONE] * 251, []), "template_too_large"),
        (
            TemplateDocument("", [EVERYONE], [TemplateChannel("x", "text", parent=0)]),
            "parent_unsuitable",
        ),
        (
            TemplateDocument("", [EVERYONE], [TemplateChannel("x", "text", parent=-1)]),
            "parent_unsuitable",
        ),
        (
            TemplateDocument(
                "",
                [EVERYONE],
                [TemplateChannel("x", "text"), TemplateChannel("y", "text", parent=0)],
            ),
            "parent_unsuitable",
        ),
        (TemplateDocument("", [EVERYONE], [TemplateChannel("x", "thread")]), "kind_unsuitable"),
        (
            TemplateDocument(
                "",
                [EVERYONE],
                [TemplateChannel("x", "text", overwrites=[TemplateOverwrite(1, 0, 0)])],
            ),
            "template_role_unknown",
        ),
        (
            TemplateDocument(
                "",
                [EVERYONE],
                [TemplateChannel("x", "text", overwrites=[TemplateOverwrite(0, 0, 0)] * 2)],
            ),
            "template_role_unknown",
        ),
    ],
)
async def test_a_document_that_describes_no_server_is_refused(
    stage: Stage, document: TemplateDocument, code: str
) -> None:
    ada = stage.stranger()
    with pytest.raises(Invalid) as caught:
        await stage.servers.create(ada, CreateServer("odd", document=document))
    assert caught.value.code == code
    assert await stage.see.of(ada) == []
