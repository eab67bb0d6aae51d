"""Two processes of chat over one database, of which one has not heard what the other did."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from services.chat.tests.stage import OPEN_INVITE, Stage, open_stage
from sidetone.chat.app import Ground
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.refusals import Forbidden, NotFound
from sidetone.protocol.servers import CreateChannel, CreateRole, EditMember, EditRole, Server


@dataclass
class Pair:
    """Both share the database; *other* hears nothing of what *one* changes."""

    one: Stage
    other: Stage


@pytest.fixture(params=["embedded", "distributed"])
async def pair(request: pytest.FixtureRequest) -> AsyncGenerator[Pair]:
    async with open_stage(request.param) as one:
        other = Ground(one.ground.around, one.ground.outbox)
        yield Pair(one, Stage(other, one.clock))


async def known_to_both(pair: Pair) -> Server:
    server = await pair.one.new_server()
    await pair.other.see.state(server.id, server.owner)
    return server


async def test_who_came_in_elsewhere_is_not_turned_away(pair: Pair) -> None:
    server = await known_to_both(pair)
    lounge = await pair.one.place(server, "voice")
    ben = await pair.one.newcomer(server)
    assert await pair.other.may(ben, lounge.id) == EVERYONE
    cy = await pair.one.newcomer(server)
    assert cy in {each.user for each in (await pair.other.see.state(server.id, cy)).members}


async def test_a_channel_made_elsewhere_is_there(pair: Pair) -> None:
    server = await known_to_both(pair)
    room = await pair.one.channels.create(server.id, server.owner, CreateChannel("room", "text"))
    assert await pair.other.see.channel(room.id, server.owner) == room


async def test_who_was_put_out_elsewhere_has_no_rights_left(pair: Pair) -> None:
    server = await known_to_both(pair)
    lounge = await pair.one.place(server, "voice")
    ben = await pair.one.newcomer(server)
    await pair.other.may(ben, lounge.id)
    await pair.one.members.remove(server.id, server.owner, ben)
    with pytest.raises(NotFound, match="channel_unknown"):
        await pair.other.see.rights(ben, lounge.id)


async def test_a_change_is_decided_on_what_is_stored(pair: Pair) -> None:
    """A power that was taken away elsewhere is gone, though the memory here still has it."""
    server = await known_to_both(pair)
    ben, cy = await pair.one.newcomer(server), await pair.one.newcomer(server)
    role = await pair.one.roles.create(
        server.id, server.owner, CreateRole("mods", int(Permission.MUTE_MEMBERS))
    )
    await pair.one.roles.give(server.id, server.owner, ben, role.id)
    muted = EditMember(muted=True)
    await pair.other.members.edit(server.id, ben, cy, muted)
    await pair.one.roles.edit(server.id, server.owner, role.id, EditRole(permissions=0))
    with pytest.raises(Forbidden, match="permission_missing"):
        await pair.other.members.edit(server.id, ben, cy, EditMember(muted=False))
    assert (await pair.one.see.member(server.id, ben, cy)).muted


async def test_changes_of_both_make_one_line_of_generations(pair: Pair) -> None:
    server = await known_to_both(pair)
    for number in range(4):
        stage = (pair.one, pair.other)[number % 2]
        await stage.roles.create(server.id, server.owner, CreateRole(str(number)))
    state = await pair.one.ground.servers.state(server.id)
    assert (state.generation, len(state.roles)) == (5, 5)
    assert (await pair.one.audit.check(server.id, server.owner)).broken_at is None


async def test_a_server_deleted_elsewhere_is_unknown(pair: Pair) -> None:
    server = await known_to_both(pair)
    invite = await pair.one.invites.create(server.id, server.owner, OPEN_INVITE)
    general = await pair.one.place(server, "text")
    await pair.one.servers.delete(server.id, server.owner)
    with pytest.raises(NotFound, match="channel_unknown"):
        await pair.other.see.rights(server.owner, general.id)
    with pytest.raises(NotFound, match="invite_unknown"):
        await pair.other.invites.accept(invite.code, pair.one.stranger())
    with pytest.raises(NotFound, match="server_unknown"):
        await pair.other.members.remove(server.id, server.owner, server.owner)
