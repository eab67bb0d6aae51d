"""Invites in a relational database."""

import msgspec

from sidetone.chat.domain.invite import unknown_invite
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Invite
from sidetone.storage import Row, Transaction

_INVITES = "SELECT code, server, expires_at_ms, uses_left, creator FROM invites"


class SqlInvites:
    """The codes that let people in."""

    def __init__(self, rows: Transaction) -> None:
        self._rows = rows

    async def find(self, code: str) -> Invite:
        """Return the invite, used up and expired ones too. Raises ``NotFound``."""
        found = await self._rows.fetch(f"{_INVITES} WHERE code = :code", {"code": code})
        if not found:
            raise unknown_invite()
        return _invite(found[0])

    async def of(self, server: ServerId, cursor: str | None, limit: int) -> Page[Invite]:
        """Return the invites of *server*, in the order of their codes."""
        found = await self._rows.fetch(
            f"""
            {_INVITES} WHERE server = :server AND code > :cursor
            ORDER BY code LIMIT :limit
            """,
            {"server": server, "cursor": cursor or "", "limit": limit + 1},
        )
        invites = [_invite(row) for row in found[:limit]]
        return Page(invites, invites[-1].code if len(found) > limit else None)

    async def count(self, server: ServerId) -> int:
        """Return how many invites the server has, dead ones too."""
        found = await self._rows.fetch(
            "SELECT COUNT(*) FROM invites WHERE server = :server", {"server": server}
        )
        return msgspec.convert(found[0][0], int)

    async def add(self, invite: Invite) -> None:
        """Store an invite."""
        await self._rows.execute(
            """
            INSERT INTO invites (code, server, creator, expires_at_ms, uses_left)
            VALUES (:code, :server, :creator, :expires_at_ms, :uses_left)
            """,
            msgspec.structs.asdict(invite),
        )

    async def remove(self, code: str) -> None:
        """Forget an invite."""
        await self._rows.execute("DELETE FROM invites WHERE code = :code", {"code": code})

    async def drop_dead(self, server: ServerId, now_ms: int) -> None:
        """Forget the invites of *server* that are expired or used up."""
        await self._rows.execute(
            """
            DELETE FROM invites
            WHERE server = :server AND (expires_at_ms <= :now_ms OR uses_left = 0)
            """,
            {"server": server, "now_ms": now_ms},
        )

    async def use(self, code: str, now_ms: int) -> bool:
        """Take one use from the invite; return whether there was one to take."""
        taken = await self._rows.execute(
            """
            UPDATE invites SET uses_left = uses_left - 1
            WHERE code = :code
              AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)
              AND (uses_left IS NULL OR uses_left > 0)
            """,
            {"code": code, "now_ms": now_ms},
        )
        return taken == 1


def _invite(row: Row) -> Invite:
    return Invite(
        *msgspec.convert(row, tuple[str, ServerId, int | None, int | None, UserId | None])
    )
