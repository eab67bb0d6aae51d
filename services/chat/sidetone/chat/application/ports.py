"""What the use cases need from the outside, in their own words."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from sidetone.chat.domain.channel import Membership
from sidetone.chat.domain.server import Standing
from sidetone.permissions import Overwrite
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel, Invite, Member, Server


class Servers(Protocol):
    """What there is to know of servers."""

    async def of(self, user: UserId) -> Sequence[Server]:
        """Return the servers that *user* is a member of, oldest first."""
        ...

    async def find(self, server: ServerId) -> Server:
        """Return the server. Raises ``NotFound``."""
        ...

    async def has_member(self, server: ServerId, user: UserId) -> bool:
        """Return whether *user* is a member."""
        ...

    async def standing(self, server: ServerId, user: UserId) -> Standing:
        """Return the member's place. Raises ``NotFound``: strangers learn of no server."""
        ...

    async def members(self, server: ServerId) -> Sequence[Member]:
        """Return all members, longest there first."""
        ...

    async def membership(self, channel: ChannelId, user: UserId) -> Membership:
        """Return what *user* may do in *channel*. Raises ``NotFound`` for who is no member."""
        ...

    async def memberships_of(self, server: ServerId, user: UserId) -> Sequence[Membership]:
        """Return the member's memberships, one for each channel, oldest channel first."""
        ...

    async def memberships_in(self, channel: ChannelId) -> Sequence[Membership]:
        """Return the memberships in *channel*, one for each member of its server."""
        ...

    async def invite(self, code: str) -> Invite:
        """Return the invite, used up and expired ones too. Raises ``NotFound``."""
        ...


class Change(Protocol):
    """One change of one server: it happens as a whole or not at all, after those before it.

    It raises the server's generation; ``servers`` is what the change sees, its own doing included.
    """

    @property
    def servers(self) -> Servers:
        """Return the servers as they are within the change."""
        ...

    async def add_channel(self, channel: Channel) -> None:
        """Store a channel."""
        ...

    async def count_channels(self) -> int:
        """Return how many channels the server has."""
        ...

    async def add_member(self, user: UserId, now_ms: int) -> None:
        """Let *user* in."""
        ...

    async def count_members(self) -> int:
        """Return how many members the server has."""
        ...

    async def remove_member(self, user: UserId) -> bool:
        """Remove the member and what channels allowed them; return whether they were there.

        What channels denied them stays: leaving and coming back sheds no denial.
        """
        ...

    async def overwrite(self, channel: ChannelId, subject: UserId | None) -> Overwrite:
        """Return the overwrite of one member, or of everyone."""
        ...

    async def put_overwrite(
        self, channel: ChannelId, subject: UserId | None, overwrite: Overwrite
    ) -> None:
        """Replace the overwrite of one member, or of everyone."""
        ...

    async def add_invite(self, invite: Invite) -> None:
        """Store an invite."""
        ...

    async def count_invites(self) -> int:
        """Return how many invites the server has, dead ones too."""
        ...

    async def drop_dead_invites(self, now_ms: int) -> None:
        """Forget the invites that are expired or used up."""
        ...

    async def use_invite(self, code: str, now_ms: int) -> bool:
        """Take one use from the invite; return whether there was one to take."""
        ...


class Changes(Protocol):
    """The only way to change servers."""

    async def create(self, server: Server, channels: Sequence[Channel], now_ms: int) -> None:
        """Store a server with its owner as first member and its first channels."""
        ...

    def of(self, server: ServerId) -> AbstractAsyncContextManager[Change]:
        """Open a change of *server*; others wait for its end. Raises ``NotFound``."""
        ...
