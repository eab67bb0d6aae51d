"""Changes of servers in a relational database, one after the other for each server."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import msgspec

from sidetone.chat.domain.server import unknown_server
from sidetone.chat.infrastructure.sql import SqlServers
from sidetone.permissions import NO_OVERWRITE, Overwrite, Permission
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel, Invite, Server
from sidetone.storage import Database, Transaction, Values

_INSERT_MEMBER = """
    INSERT INTO members (server, member, joined_at_ms) VALUES (:server, :member, :now_ms)
"""
_INSERT_CHANNEL = """
    INSERT INTO channels (id, server, name, kind) VALUES (:id, :server, :name, :kind)
"""


class SqlChanges:
    """Opens changes. Raising the generation locks the server's row until the change ends."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, server: Server, channels: Sequence[Channel], now_ms: int) -> None:
        """Store a server with its owner as first member and its first channels."""
        async with self._database.transaction() as rows:
            await rows.execute(
                """
                INSERT INTO servers (id, name, owner, generation, created_at_ms)
                VALUES (:id, :name, :owner, 1, :now_ms)
                """,
                {**msgspec.structs.asdict(server), "now_ms": now_ms},
            )
            await rows.execute(
                _INSERT_MEMBER, {"server": server.id, "member": server.owner, "now_ms": now_ms}
            )
            for channel in channels:
                await rows.execute(_INSERT_CHANNEL, msgspec.structs.asdict(channel))

    @asynccontextmanager
    async def of(self, server: ServerId) -> AsyncGenerator["SqlChange"]:
        """Open a change of *server*. Raises ``NotFound``."""
        async with self._database.transaction() as rows:
            touched = await rows.execute(
                "UPDATE servers SET generation = generation + 1 WHERE id = :server",
                {"server": server},
            )
            if not touched:
                raise unknown_server()
            yield SqlChange(rows, server)


class SqlChange:
    """One change of one server, within one transaction."""

    def __init__(self, rows: Transaction, server: ServerId) -> None:
        self._rows = rows
        self._server = server
        self.servers = SqlServers(rows)

    async def add_channel(self, channel: Channel) -> None:
        """Store a channel."""
        await self._rows.execute(_INSERT_CHANNEL, msgspec.structs.asdict(channel))

    async def count_channels(self) -> int:
        """Return how many channels the server has."""
        return await self._count("SELECT COUNT(*) FROM channels WHERE server = :server")

    async def add_member(self, user: UserId, now_ms: int) -> None:
        """Let *user* in."""
        await self._rows.execute(
            _INSERT_MEMBER, {"server": self._server, "member": user, "now_ms": now_ms}
        )

    async def count_members(self) -> int:
        """Return how many members the server has."""
        return await self._count("SELECT COUNT(*) FROM members WHERE server = :server")

    async def remove_member(self, user: UserId) -> bool:
        """Remove the member and what channels allowed them; return whether they were there."""
        values: Values = {"server": self._server, "user": user}
        await self._rows.execute(
            """
            UPDATE overwrites SET allow = 0 WHERE subject = :user
            AND channel IN (SELECT id FROM channels WHERE server = :server)
            """,
            values,
        )
        removed = await self._rows.execute(
            "DELETE FROM members WHERE server = :server AND member = :user", values
        )
        return removed == 1

    async def overwrite(self, channel: ChannelId, subject: UserId | None) -> Overwrite:
        """Return the overwrite of one member, or of everyone."""
        rows = await self._rows.fetch(
            "SELECT allow, deny FROM overwrites WHERE channel = :channel AND subject = :subject",
            {"channel": channel, "subject": subject or self._server},
        )
        if not rows:
            return NO_OVERWRITE
        allow, deny = msgspec.convert(rows[0], tuple[int, int])
        return Overwrite(Permission(allow), Permission(deny))

    async def put_overwrite(
        self, channel: ChannelId, subject: UserId | None, overwrite: Overwrite
    ) -> None:
        """Replace the overwrite of one member, or of everyone."""
        await self._rows.execute(
            """
            INSERT INTO overwrites (channel, subject, allow, deny)
            VALUES (:channel, :subject, :allow, :deny)
            ON CONFLICT (channel, subject)
            DO UPDATE SET allow = excluded.allow, deny = excluded.deny
            """,
            {
                "channel": channel,
                "subject": subject or self._server,
                "allow": int(overwrite.allow),
                "deny": int(overwrite.deny),
            },
        )

    async def add_invite(self, invite: Invite) -> None:
        """Store an invite."""
        await self._rows.execute(
            """
            INSERT INTO invites (code, server, expires_at_ms, uses_left)
            VALUES (:code, :server, :expires_at_ms, :uses_left)
            """,
            msgspec.structs.asdict(invite),
        )

    async def count_invites(self) -> int:
        """Return how many invites the server has, dead ones too."""
        return await self._count("SELECT COUNT(*) FROM invites WHERE server = :server")

    async def drop_dead_invites(self, now_ms: int) -> None:
        """Forget the invites that are expired or used up."""
        await self._rows.execute(
            """
            DELETE FROM invites
            WHERE server = :server AND (expires_at_ms <= :now_ms OR uses_left = 0)
            """,
            {"server": self._server, "now_ms": now_ms},
        )

    async def use_invite(self, code: str, now_ms: int) -> bool:
        """Take one use from the invite; return whether there was one to take."""
        taken = await self._rows.execute(
            """
            UPDATE invites SET uses_left = uses_left - 1
            WHERE code = :code AND server = :server
              AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)
              AND (uses_left IS NULL OR uses_left > 0)
            """,
            {"code": code, "server": self._server, "now_ms": now_ms},
        )
        return taken == 1

    async def _count(self, query: str) -> int:
        rows = await self._rows.fetch(query, {"server": self._server})
        return msgspec.convert(rows[0][0], int)
