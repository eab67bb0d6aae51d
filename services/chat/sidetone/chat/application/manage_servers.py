"""Found communities, and run them."""

from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.ports import Changes, Claims, Servers, Templates
from sidetone.chat.domain.name import checked_description, checked_name
from sidetone.chat.domain.server import SERVERS_MAX, community, require_room_for_one_more
from sidetone.chat.domain.template import state_of
from sidetone.chat.domain.version import require_version
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import CreateServer, EditServer, Server, ServerState
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ManageServers:
    """Create, edit, hand over and delete servers."""

    servers: Servers
    changes: Changes
    enter_server: EnterServer
    claims: Claims
    templates: Templates
    clock: Clock

    async def create(self, owner: UserId, wish: CreateServer) -> Server:
        """Return a new server that can be used at once. Raises ``Refusal``."""
        server = Server(ServerId(self.clock.new_id()), checked_name(wish.name), owner)
        count = await self.servers.count_of(owner, ["community"])
        require_room_for_one_more(count, SERVERS_MAX, "servers")
        state = await self._first_state(server, wish)
        await self.changes.create(state)
        return state.server

    async def _first_state(self, server: Server, wish: CreateServer) -> ServerState:
        new_id, now_ms = self.clock.new_id, self.clock.now_ms()
        document = wish.document
        if wish.template is not None:
            document = (await self.templates.find(wish.template)).document
        if document is None:
            return community(server, ChannelId(new_id()), ChannelId(new_id()), now_ms)
        return state_of(document, server, new_id, now_ms)

    async def edit(
        self, server: ServerId, user: UserId, wish: EditServer, version: int | None
    ) -> Server:
        """Return the server with what *wish* changes. Raises ``Refusal``."""
        if wish.icon is not UNSET and wish.icon is not None:
            await self.enter_server(user, server, Permission.MANAGE_SERVER)
            await self.claims.claim(user, "icon", wish.icon)
        async with self.changes.of(server) as change:
            draft = change.draft
            draft.standing(user).require(Permission.MANAGE_SERVER)
            before = draft.before.server
            require_version(before, version)
            after = _edited(before, wish)
            if after != before:
                draft.put(after)
                draft.note(user, "server.edit", server, before, after)
        return after

    async def transfer(self, server: ServerId, user: UserId, to: UserId) -> Server:
        """Make another member the owner. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            standing.require_owner()
            standing.member(to)
            before = draft.before.server
            after = msgspec.structs.replace(before, owner=to)
            if after != before:
                draft.put(after)
                draft.note(user, "server.transfer", server, before, after)
        return after

    async def delete(self, server: ServerId, user: UserId) -> None:
        """Delete the server with all that is in it. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            change.draft.standing(user).require_owner()
            change.draft.delete()


def _edited(server: Server, wish: EditServer) -> Server:
    return msgspec.structs.replace(
        server,
        name=server.name if wish.name is UNSET else checked_name(wish.name),
        description=server.description
        if wish.description is UNSET
        else checked_description(wish.description),
        icon=server.icon if wish.icon is UNSET else wish.icon,
    )
