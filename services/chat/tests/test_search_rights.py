"""A search finds nothing that its asker may not read, also just after that was decided."""

import msgspec

from services.chat.tests.stage_messages import Person, Tavern, open_stage
from sidetone.chat.application.manage_members import ManageMembers
from sidetone.chat.application.manage_overwrites import ManageOverwrites
from sidetone.chat.application.manage_roles import ManageRoles
from sidetone.permissions import Permission
from sidetone.protocol.messages import Message
from sidetone.protocol.servers import CreateRole, SetOverwrite

VIEW = int(Permission.VIEW_CHANNEL)


async def found(tavern: Tavern, person: Person) -> list[str]:
    path = f"/servers/{tavern.server.id}/search"
    answer = await person.ask("GET", path, params={"q": "apples"})
    if answer.status_code == 404:
        return []
    items = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])["items"]
    return [message.text for message in msgspec.json.decode(items, type=list[Message])]


async def test_a_role_that_was_taken_away_elsewhere_finds_nothing_at_once() -> None:
    """The other process has stored its change, and this one has not heard of it yet."""
    async with open_stage("embedded") as stage:
        tavern = await stage.tavern()
        owner, guest, server = tavern.owner, tavern.guest, tavern.server.id
        await owner.say(tavern.channel, "apples")
        other = stage.other_process()
        roles = ManageRoles(other.changes, stage.around.clock)
        overwrites = ManageOverwrites(other.enter_channel, other.changes)
        role = await roles.create(server, owner.user, CreateRole("readers"))
        await roles.give(server, owner.user, guest.user, role.id)
        await overwrites.put(tavern.channel, owner.user, None, SetOverwrite(0, VIEW))
        assert await found(tavern, guest) == []
        await overwrites.put(tavern.channel, owner.user, role.id, SetOverwrite(VIEW, 0))
        assert await found(tavern, guest) == ["apples"]
        await roles.take(server, owner.user, guest.user, role.id)
        assert await found(tavern, guest) == []
        assert await found(tavern, owner) == ["apples"]


async def test_who_was_put_out_elsewhere_finds_nothing_at_once() -> None:
    async with open_stage("embedded") as stage:
        tavern = await stage.tavern()
        await tavern.owner.say(tavern.channel, "apples")
        assert await found(tavern, tavern.guest) == ["apples"]
        members = ManageMembers(stage.other_process().changes)
        await members.remove(tavern.server.id, tavern.owner.user, tavern.guest.user)
        assert await found(tavern, tavern.guest) == []
