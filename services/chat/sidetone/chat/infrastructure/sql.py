"""Servers in a relational database: one text for SQLite and PostgreSQL."""

from collections.abc import Sequence

import msgspec

from sidetone.chat.domain.channel import Membership, unknown_channel
from sidetone.chat.domain.invite import unknown_invite
from sidetone.chat.domain.server import MEMBERS_MAX, SERVERS_MAX, Standing, unknown_server
from sidetone.permissions import Overwrite, Permission
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel, ChannelKind, Invite, Member, Server
from sidetone.storage import Row, Transaction

# One row for each pair of a member and a channel, with all that decides what they may do.
_MEMBERSHIPS = """
    SELECT c.id, c.server, c.name, c.kind, s.owner, u.member, s.generation,
           COALESCE(e.allow, 0), COALESCE(e.deny, 0), COALESCE(o.allow, 0), COALESCE(o.deny, 0)
    FROM channels c
    JOIN servers s ON s.id = c.server
    JOIN members u ON u.server = c.server
    LEFT JOIN overwrites e ON e.channel = c.id AND e.subject = c.server
    LEFT JOIN overwrites o ON o.channel = c.id AND o.subject = u.member
"""


class SqlServers:
    """What there is to know of servers, read by single statements or within a transaction."""

    def __init__(self, rows: Transaction) -> None:
        self._rows = rows

    async def of(self, user: UserId) -> Sequence[Server]:
        """Return the servers that *user* is a member of, oldest first."""
        rows = await self._rows.fetch(
            """
            SELECT s.id, s.name, s.owner FROM members u JOIN servers s ON s.id = u.server
            WHERE u.member = :user ORDER BY s.id LIMIT :limit
            """,
            {"user": user, "limit": SERVERS_MAX},
        )
        return [_server(row) for row in rows]

    async def find(self, server: ServerId) -> Server:
        """Return the server. Raises ``NotFound``."""
        rows = await self._rows.fetch(
            "SELECT id, name, owner FROM servers WHERE id = :server", {"server": server}
        )
        if not rows:
            raise unknown_server()
        return _server(rows[0])

    async def has_member(self, server: ServerId, user: UserId) -> bool:
        """Return whether *user* is a member."""
        rows = await self._rows.fetch(
            "SELECT member FROM members WHERE server = :server AND member = :user",
            {"server": server, "user": user},
        )
        return bool(rows)

    async def standing(self, server: ServerId, user: UserId) -> Standing:
        """Return the member's place. Raises ``NotFound``."""
        rows = await self._rows.fetch(
            """
            SELECT s.id, s.name, s.owner FROM servers s JOIN members u ON u.server = s.id
            WHERE s.id = :server AND u.member = :user
            """,
            {"server": server, "user": user},
        )
        if not rows:
            raise unknown_server()
        return Standing(_server(rows[0]), user)

    async def members(self, server: ServerId) -> Sequence[Member]:
        """Return all members, longest there first."""
        rows = await self._rows.fetch(
            """
            SELECT member, joined_at_ms FROM members WHERE server = :server
            ORDER BY joined_at_ms, member LIMIT :limit
            """,
            {"server": server, "limit": MEMBERS_MAX},
        )
        return [Member(*fields) for fields in msgspec.convert(rows, list[tuple[UserId, int]])]

    async def membership(self, channel: ChannelId, user: UserId) -> Membership:
        """Return what *user* may do in *channel*. Raises ``NotFound``."""
        rows = await self._rows.fetch(
            f"{_MEMBERSHIPS} WHERE c.id = :channel AND u.member = :user",
            {"channel": channel, "user": user},
        )
        if not rows:
            raise unknown_channel()
        return _membership(rows[0])

    async def memberships_of(self, server: ServerId, user: UserId) -> Sequence[Membership]:
        """Return the member's memberships, oldest channel first."""
        rows = await self._rows.fetch(
            f"{_MEMBERSHIPS} WHERE c.server = :server AND u.member = :user ORDER BY c.id",
            {"server": server, "user": user},
        )
        return [_membership(row) for row in rows]

    async def memberships_in(self, channel: ChannelId) -> Sequence[Membership]:
        """Return the memberships in *channel*."""
        rows = await self._rows.fetch(
            f"{_MEMBERSHIPS} WHERE c.id = :channel", {"channel": channel}
        )
        return [_membership(row) for row in rows]

    async def invite(self, code: str) -> Invite:
        """Return the invite, dead ones too. Raises ``NotFound``."""
        rows = await self._rows.fetch(
            "SELECT code, server, expires_at_ms, uses_left FROM invites WHERE code = :code",
            {"code": code},
        )
        if not rows:
            raise unknown_invite()
        return Invite(*msgspec.convert(rows[0], tuple[str, ServerId, int | None, int | None]))


def _server(row: Row) -> Server:
    return Server(*msgspec.convert(row, tuple[ServerId, str, UserId]))


def _membership(row: Row) -> Membership:
    id_, server, name, kind, owner, user, generation, *bits = msgspec.convert(
        row,
        tuple[ChannelId, ServerId, str, ChannelKind, UserId, UserId, int, int, int, int, int],
    )
    allow, deny, own_allow, own_deny = (Permission(mask) for mask in bits)
    return Membership(
        Channel(id_, server, name, kind),
        owner,
        user,
        generation,
        everyone=Overwrite(allow, deny),
        member=Overwrite(own_allow, own_deny),
    )
