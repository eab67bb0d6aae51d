"""Servers in a relational database: one text for SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from sidetone.chat.domain.channel import unknown_channel
from sidetone.chat.domain.server import CONVERSATIONS_MAX, SERVERS_MAX, unknown_server
from sidetone.protocol.ids import ChannelId, EmojiId, FileId, RoleId, ServerId, UserId
from sidetone.protocol.servers import (
    Channel,
    Emoji,
    Member,
    Overwrite,
    Role,
    Server,
    ServerKind,
    ServerState,
)
from sidetone.storage import Row, Transaction

T = TypeVar("T")

_SERVERS = """
    SELECT s.id, s.name, s.owner, s.kind, s.description, s.icon, s.generation FROM servers s
"""
_CHANNEL_FIELDS = (
    "id",
    "server",
    "name",
    "kind",
    "position",
    "parent",
    "topic",
    "slow_mode_seconds",
    "origin",
    "creator",
    "archived",
)
_CHANNELS = f"SELECT {', '.join(_CHANNEL_FIELDS)} FROM channels"  # noqa: S608 - of our own words


class SqlServers:
    """What there is to know of servers, read by single statements or within a transaction."""

    def __init__(self, rows: Transaction) -> None:
        self._rows = rows

    async def of(self, user: UserId) -> Sequence[Server]:
        """Return the servers and conversations that *user* is a member of, oldest first."""
        rows = await self._rows.fetch(
            f"""
            {_SERVERS} JOIN members u ON u.server = s.id
            WHERE u.member = :user ORDER BY s.id LIMIT :limit
            """,
            {"user": user, "limit": SERVERS_MAX + CONVERSATIONS_MAX},
        )
        return [_server(row) for row in rows]

    async def owned_by(self, user: UserId) -> Sequence[ServerId]:
        """Return the communities that *user* owns."""
        rows = await self._rows.fetch(
            """
            SELECT id FROM servers WHERE owner = :user AND kind = 'community'
            ORDER BY id LIMIT :limit
            """,
            {"user": user, "limit": SERVERS_MAX},
        )
        return [id_ for (id_,) in msgspec.convert(rows, list[tuple[ServerId]])]

    async def count_of(self, user: UserId, kinds: Sequence[ServerKind]) -> int:
        """Return how many servers of *kinds* the user is a member of."""
        rows = await self._rows.fetch(
            """
            SELECT s.kind, COUNT(*) FROM members u JOIN servers s ON s.id = u.server
            WHERE u.member = :user GROUP BY s.kind
            """,
            {"user": user},
        )
        counts = dict(msgspec.convert(rows, list[tuple[str, int]]))
        return sum(counts.get(kind, 0) for kind in kinds)

    async def between(self, one: UserId, other: UserId) -> ServerId | None:
        """Return the conversation of two users."""
        rows = await self._rows.fetch(
            "SELECT server FROM direct_pairs WHERE one = :one AND other = :other",
            {"one": min(one, other), "other": max(one, other)},
        )
        return msgspec.convert(rows[0][0], ServerId) if rows else None

    async def channel(self, channel: ChannelId) -> Channel:
        """Return the channel as it is stored, an archived thread too. Raises ``NotFound``."""
        rows = await self._rows.fetch(f"{_CHANNELS} WHERE id = :channel", {"channel": channel})
        if not rows:
            raise unknown_channel()
        found = await self._rows.fetch(
            "SELECT channel, subject, kind, allow, deny FROM overwrites WHERE channel = :channel",
            {"channel": channel},
        )
        return _channel(rows[0], _overwrites(found))

    async def generation(self, server: ServerId) -> int:
        """Return which generation of the server is stored. Raises ``NotFound``."""
        rows = await self._rows.fetch(
            "SELECT generation FROM servers WHERE id = :server", {"server": server}
        )
        if not rows:
            raise unknown_server()
        return msgspec.convert(rows[0][0], int)

    async def state(self, server: ServerId) -> ServerState:
        """Return all of the server that decisions follow from. Raises ``NotFound``.

        The generation is read first: what changes meanwhile is announced with a greater one, and
        applying it again does no harm.
        """
        found = await self._rows.fetch(
            f"{_SERVERS} WHERE s.id = :server",
            {"server": server},
        )
        if not found:
            raise unknown_server()
        return ServerState(
            _server(found[0]),
            msgspec.convert(found[0][-1], int),
            [Role(*each) for each in await self._pieces(server, _ROLES, _RoleRow)],
            await self._channels(server),
            await self._members(server),
            [Emoji(*each) for each in await self._pieces(server, _EMOJI, _EmojiRow)],
        )

    async def _channels(self, server: ServerId) -> list[Channel]:
        overwrites = _overwrites(await self._rows.fetch(_OVERWRITES, {"server": server}))
        rows = await self._rows.fetch(
            f"""
            {_CHANNELS} WHERE server = :server AND archived = :archived
            ORDER BY position, id
            """,
            {"server": server, "archived": False},
        )
        return [_channel(row, overwrites) for row in rows]

    async def _members(self, server: ServerId) -> list[Member]:
        roles: dict[UserId, list[RoleId]] = {}
        for user, role in await self._pieces(server, _MEMBER_ROLES, tuple[UserId, RoleId]):
            roles.setdefault(user, []).append(role)
        members = await self._pieces(server, _MEMBERS, _MemberRow)
        return [
            Member(user, joined_at_ms, nickname, roles.get(user, []), until_ms, muted, deafened)
            for user, joined_at_ms, nickname, until_ms, muted, deafened in members
        ]

    async def _pieces(self, server: ServerId, query: str, kind: type[T]) -> list[T]:
        rows = await self._rows.fetch(query, {"server": server})
        return msgspec.convert(rows, list[kind])


_ROLES = """
    SELECT id, name, position, permissions, color, hoisted, mentionable
    FROM roles WHERE server = :server ORDER BY position, id
"""
_RoleRow = tuple[RoleId, str, int, int, int | None, bool, bool]
_EMOJI = "SELECT id, name, file, animated, creator FROM emoji WHERE server = :server ORDER BY id"
_EmojiRow = tuple[EmojiId, str, FileId, bool, UserId | None]
_MEMBERS = """
    SELECT member, joined_at_ms, nickname, timeout_until_ms, muted, deafened
    FROM members WHERE server = :server ORDER BY joined_at_ms, member
"""
_MemberRow = tuple[UserId, int, str | None, int, bool, bool]
_MEMBER_ROLES = "SELECT member, role FROM member_roles WHERE server = :server ORDER BY role"
_OVERWRITES = """
    SELECT o.channel, o.subject, o.kind, o.allow, o.deny
    FROM overwrites o JOIN channels c ON c.id = o.channel WHERE c.server = :server
    ORDER BY o.subject
"""
_OverwriteRow = tuple[ChannelId, UUID, Literal["role", "member"], int, int]


def _server(row: Row) -> Server:
    return Server(
        *msgspec.convert(row[:-1], tuple[ServerId, str, UserId, ServerKind, str, FileId | None])
    )


def _overwrites(rows: Sequence[Row]) -> Mapping[ChannelId, list[Overwrite]]:
    found: dict[ChannelId, list[Overwrite]] = {}
    for channel, subject, kind, allow, deny in msgspec.convert(rows, list[_OverwriteRow]):
        found.setdefault(channel, []).append(Overwrite(subject, kind, allow, deny))
    return found


def _channel(row: Row, overwrites: Mapping[ChannelId, list[Overwrite]]) -> Channel:
    channel = msgspec.convert(dict(zip(_CHANNEL_FIELDS, row, strict=True)), Channel)
    return msgspec.structs.replace(channel, overwrites=overwrites.get(channel.id, []))
