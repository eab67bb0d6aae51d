"""Servers, channels, roles, members, invites, emoji and templates over REST."""

from typing import Literal
from uuid import UUID

from sidetone.client.requests import Requests
from sidetone.protocol.ids import ChannelId, EmojiId, FileId, RoleId, ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import (
    Channel,
    ChannelKind,
    CreateChannel,
    CreateEmoji,
    CreateInvite,
    CreateRole,
    CreateServer,
    EditChannel,
    EditEmoji,
    EditMember,
    EditRole,
    EditServer,
    Emoji,
    Invite,
    InvitePreview,
    Member,
    OrderChannels,
    OrderRoles,
    Role,
    SaveTemplate,
    Server,
    ServerState,
    SetOverwrite,
    Template,
    TemplateDocument,
    TransferServer,
)


class Servers:
    """Servers as wholes, and the ways into them."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def mine(self) -> list[Server]:
        """Return the servers that the account is a member of."""
        return await self._requests.ask("GET", "/chat/servers", list[Server])

    async def state(self, server: ServerId) -> ServerState:
        """Return the roles, members, emoji and visible channels of *server*."""
        return await self._requests.ask("GET", f"/chat/servers/{server}/state", ServerState)

    async def create(
        self,
        name: str,
        *,
        template: str | None = None,
        document: TemplateDocument | None = None,
    ) -> Server:
        """Found a server; without a template it starts with one text and one voice channel."""
        body = CreateServer(name, template, document)
        return await self._requests.ask("POST", "/chat/servers", Server, body)

    async def edit(self, server: ServerId, changes: EditServer) -> Server:
        """Change what *server* is called and shows."""
        return await self._requests.ask("PATCH", f"/chat/servers/{server}", Server, changes)

    async def transfer(self, server: ServerId, user: UserId) -> Server:
        """Make *user* the owner."""
        path = f"/chat/servers/{server}/transfer"
        return await self._requests.ask("POST", path, Server, TransferServer(user))

    async def delete(self, server: ServerId) -> None:
        """Delete *server* with all that is in it."""
        await self._requests.tell("DELETE", f"/chat/servers/{server}")

    async def invite(
        self,
        server: ServerId,
        *,
        uses_max: int | None = None,
        lifetime_seconds: int | None = None,
    ) -> Invite:
        """Make a code that lets its holder into *server*."""
        body = CreateInvite(uses_max, lifetime_seconds)
        return await self._requests.ask("POST", f"/chat/servers/{server}/invites", Invite, body)

    async def invites(self, server: ServerId, cursor: str | None = None) -> Page[Invite]:
        """Return a page of the invites of *server*."""
        query = {"cursor": cursor}
        path = f"/chat/servers/{server}/invites"
        return await self._requests.ask("GET", path, Page[Invite], query=query)

    async def preview_invite(self, code: str) -> InvitePreview:
        """Return where *code* leads."""
        return await self._requests.ask("GET", f"/chat/invites/{code}", InvitePreview)

    async def accept_invite(self, code: str) -> Server:
        """Join the server that *code* invites to."""
        return await self._requests.ask("POST", f"/chat/invites/{code}/accept", Server)

    async def revoke_invite(self, code: str) -> None:
        """Make *code* useless."""
        await self._requests.tell("DELETE", f"/chat/invites/{code}")

    async def emoji(self, server: ServerId) -> list[Emoji]:
        """Return the emoji of *server*."""
        return await self._requests.ask("GET", f"/chat/servers/{server}/emoji", list[Emoji])

    async def create_emoji(self, server: ServerId, name: str, file: FileId) -> Emoji:
        """Add an emoji, whose picture was uploaded for it."""
        path = f"/chat/servers/{server}/emoji"
        return await self._requests.ask("POST", path, Emoji, CreateEmoji(name, file))

    async def rename_emoji(self, server: ServerId, emoji: EmojiId, name: str) -> Emoji:
        """Call an emoji something else."""
        path = f"/chat/servers/{server}/emoji/{emoji}"
        return await self._requests.ask("PATCH", path, Emoji, EditEmoji(name))

    async def delete_emoji(self, server: ServerId, emoji: EmojiId) -> None:
        """Remove an emoji."""
        await self._requests.tell("DELETE", f"/chat/servers/{server}/emoji/{emoji}")

    async def save_template(self, server: ServerId, name: str) -> Template:
        """Keep *server* without its people as something to make others from."""
        path = f"/chat/servers/{server}/templates"
        return await self._requests.ask("POST", path, Template, SaveTemplate(name))

    async def template(self, code: str) -> Template:
        """Return what is kept under *code*."""
        return await self._requests.ask("GET", f"/chat/templates/{code}", Template)

    async def templates(self) -> list[Template]:
        """Return the templates that the account saved."""
        return await self._requests.ask("GET", "/chat/templates", list[Template])

    async def delete_template(self, code: str) -> None:
        """Forget a template of the account's own."""
        await self._requests.tell("DELETE", f"/chat/templates/{code}")


class Channels:
    """Channels, and what each allows and denies."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def of(self, server: ServerId) -> list[Channel]:
        """Return the channels of *server* that the account can see, from the top."""
        return await self._requests.ask("GET", f"/chat/servers/{server}/channels", list[Channel])

    async def create(
        self,
        server: ServerId,
        name: str,
        kind: ChannelKind = "text",
        *,
        parent: ChannelId | None = None,
        topic: str = "",
    ) -> Channel:
        """Add a channel to *server*."""
        path = f"/chat/servers/{server}/channels"
        body = CreateChannel(name, kind, parent, topic)
        return await self._requests.ask("POST", path, Channel, body)

    async def edit(self, channel: ChannelId, changes: EditChannel) -> Channel:
        """Change a channel, or move it to another category."""
        return await self._requests.ask("PATCH", f"/chat/channels/{channel}", Channel, changes)

    async def order(self, server: ServerId, channels: list[ChannelId]) -> None:
        """Put all channels of *server* in this order."""
        path = f"/chat/servers/{server}/channels/order"
        await self._requests.tell("PUT", path, OrderChannels(channels))

    async def delete(self, channel: ChannelId) -> None:
        """Delete a channel."""
        await self._requests.tell("DELETE", f"/chat/channels/{channel}")

    async def overwrite(
        self,
        channel: ChannelId,
        subject: UUID | Literal["everyone"],
        *,
        allow: int = 0,
        deny: int = 0,
    ) -> None:
        """Set what a role, a member or everyone may do in *channel*, beside their roles."""
        path = f"/chat/channels/{channel}/overwrites/{subject}"
        await self._requests.tell("PUT", path, SetOverwrite(allow, deny))


class Members:
    """Members, and the roles that they have."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def of(self, server: ServerId, cursor: str | None = None) -> Page[Member]:
        """Return a page of the members of *server*, longest there first."""
        query = {"cursor": cursor}
        path = f"/chat/servers/{server}/members"
        return await self._requests.ask("GET", path, Page[Member], query=query)

    async def edit(self, server: ServerId, user: UserId, changes: EditMember) -> Member:
        """Name, time out, mute or deafen a member."""
        path = f"/chat/servers/{server}/members/{user}"
        return await self._requests.ask("PATCH", path, Member, changes)

    async def remove(self, server: ServerId, user: UserId, *, reason: str = "") -> None:
        """Kick *user* from *server*, or leave it oneself; a call there ends at once."""
        path = f"/chat/servers/{server}/members/{user}"
        await self._requests.tell("DELETE", path, query={"reason": reason or None})

    async def roles(self, server: ServerId) -> list[Role]:
        """Return the roles of *server*, everyone's first."""
        return await self._requests.ask("GET", f"/chat/servers/{server}/roles", list[Role])

    async def create_role(self, server: ServerId, role: CreateRole) -> Role:
        """Add a role, the lowest above everyone's."""
        return await self._requests.ask("POST", f"/chat/servers/{server}/roles", Role, role)

    async def edit_role(self, server: ServerId, role: RoleId, changes: EditRole) -> Role:
        """Change a role."""
        path = f"/chat/servers/{server}/roles/{role}"
        return await self._requests.ask("PATCH", path, Role, changes)

    async def order_roles(self, server: ServerId, roles: list[RoleId]) -> None:
        """Put all roles but everyone's in this order, the lowest first."""
        await self._requests.tell("PUT", f"/chat/servers/{server}/roles/order", OrderRoles(roles))

    async def delete_role(self, server: ServerId, role: RoleId) -> None:
        """Delete a role."""
        await self._requests.tell("DELETE", f"/chat/servers/{server}/roles/{role}")

    async def give_role(self, server: ServerId, user: UserId, role: RoleId) -> Member:
        """Give a role to a member."""
        path = f"/chat/servers/{server}/members/{user}/roles/{role}"
        return await self._requests.ask("PUT", path, Member)

    async def take_role(self, server: ServerId, user: UserId, role: RoleId) -> None:
        """Take a role from a member."""
        await self._requests.tell("DELETE", f"/chat/servers/{server}/members/{user}/roles/{role}")
