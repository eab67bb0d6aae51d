"""See where one belongs, and what is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.ports import Servers
from sidetone.chat.domain.member import member_order, order_after
from sidetone.chat.domain.role import unknown_role
from sidetone.protocol.ids import ChannelId, RoleId, ServerId, UserId
from sidetone.protocol.questions import ChannelRights
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel, Member, Role, Server, ServerState


@dataclass(frozen=True, slots=True)
class SeeServers:
    """Return what a member may know, from memory."""

    servers: Servers
    enter_server: EnterServer
    enter_channel: EnterChannel

    async def of(self, user: UserId) -> Sequence[Server]:
        """Return the communities that *user* is a member of, oldest first."""
        return [each for each in await self.servers.of(user) if each.kind == "community"]

    async def state(self, server: ServerId, user: UserId) -> ServerState:
        """Return the server as *user* sees it. Raises ``NotFound``."""
        return (await self.enter_server(user, server)).community.view(user)

    async def channels(self, server: ServerId, user: UserId) -> Sequence[Channel]:
        """Return the channels that exist for *user*, from the top."""
        standing = await self.enter_server(user, server)
        visible = standing.community.visible(user)
        return sorted(visible, key=lambda channel: (channel.position, channel.id))

    async def channel(self, channel: ChannelId, user: UserId) -> Channel:
        """Return a channel, an archived thread too. Raises ``NotFound``."""
        return (await self.enter_channel(user, channel)).channel

    async def roles(self, server: ServerId, user: UserId) -> Sequence[Role]:
        """Return the roles, everyone's first and the highest last."""
        standing = await self.enter_server(user, server)
        return sorted(standing.community.roles.values(), key=lambda role: role.position)

    async def role(self, server: ServerId, user: UserId, role: RoleId) -> Role:
        """Return one role. Raises ``NotFound``."""
        found = (await self.enter_server(user, server)).community.roles.get(role)
        if found is None:
            raise unknown_role()
        return found

    async def members(
        self, server: ServerId, user: UserId, cursor: str | None, limit: int
    ) -> Page[Member]:
        """Return members, longest there first. Raises ``Invalid`` for a cursor of others."""
        standing = await self.enter_server(user, server)
        mark = order_after(cursor)
        rest = (each for each in standing.community.members.values() if member_order(each) > mark)
        found = nsmallest(limit + 1, rest, key=member_order)
        items = found[:limit]
        if len(found) <= limit:
            return Page(items)
        return Page(items, f"{items[-1].joined_at_ms}-{items[-1].user}")

    async def member(self, server: ServerId, user: UserId, member: UserId) -> Member:
        """Return one member. Raises ``NotFound``."""
        return (await self.enter_server(user, server)).member(member)

    async def rights(self, user: UserId, channel: ChannelId) -> ChannelRights:
        """Return what *user* may do in *channel*, with the generation that it belongs to."""
        place = await self.enter_channel.up_to_date(user, channel)
        return ChannelRights(int(place.permissions), place.generation)
