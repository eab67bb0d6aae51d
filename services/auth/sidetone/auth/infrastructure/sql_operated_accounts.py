"""Accounts from above, in a relational database."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.auth.application.operator_ports import AccountLine
from sidetone.auth.application.ports import Ended
from sidetone.auth.infrastructure.sql import announce_end, end_logins, record
from sidetone.protocol.ids import UserId
from sidetone.runtime.outbox import Outbox
from sidetone.storage import Database

_LINES = """
SELECT id, name, display_name, bot, disabled, created_at_ms,
    (SELECT count(*) FROM logins WHERE logins.account = accounts.id),
    (SELECT max(used_at_ms) FROM logins WHERE logins.account = accounts.id)
FROM accounts WHERE NOT closed
"""
_PAGE = f"""
{_LINES} AND id > :after AND name_key LIKE :pattern ESCAPE '!' ORDER BY id LIMIT :limit
"""
_ESCAPES = str.maketrans({"!": "!!", "%": "!%", "_": "!_"})
_FIRST = UserId(UUID(int=0))


class SqlOperatedAccounts:
    """What ends a login announces it in the same transaction, as everywhere."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def page(self, search: str, after: UserId | None, limit: int) -> Sequence[AccountLine]:
        """Return the accounts whose name contains *search*, the oldest first, from *after* on."""
        values = {
            "pattern": f"%{search.translate(_ESCAPES)}%",
            "after": after or _FIRST,
            "limit": limit,
        }
        return [record(row, AccountLine) for row in await self._database.fetch(_PAGE, values)]

    async def find(self, name_key: str, user: UserId | None) -> AccountLine | None:
        """Return the account of that name, or that id."""
        rows = await self._database.fetch(
            f"{_LINES} AND (name_key = :name_key OR id = :user) ORDER BY id LIMIT 1",
            {"name_key": name_key, "user": user or _FIRST},
        )
        return record(rows[0], AccountLine) if rows else None

    async def disable(self, user: UserId) -> list[Ended]:
        """Let nobody log in to it any more; end all logins, and those of its bots."""
        async with self._outbox.transaction() as rows:
            await rows.execute(
                "UPDATE accounts SET disabled = TRUE WHERE id = :user", {"user": user}
            )
            bots = await rows.fetch(
                "SELECT account, login FROM bots WHERE owner = :user OR account = :user",
                {"user": user},
            )
            ended = [msgspec.convert({"user": bot, "login": login}, Ended) for bot, login in bots]
            for bot in ended:
                announce_end(rows, bot)
            return ended + await end_logins(rows, user)

    async def enable(self, user: UserId) -> None:
        """Let its owner log in again."""
        await self._database.execute(
            "UPDATE accounts SET disabled = FALSE WHERE id = :user", {"user": user}
        )

    async def set_password(self, user: UserId, password_hash: str) -> list[Ended]:
        """Replace the password, and end all logins; codes that are under way by mail are void."""
        async with self._outbox.transaction() as rows:
            await rows.execute(
                "UPDATE accounts SET password_hash = :hash WHERE id = :user AND NOT closed",
                {"hash": password_hash, "user": user},
            )
            await rows.execute(
                "DELETE FROM mail_tokens WHERE account = :user AND purpose = 'reset'",
                {"user": user},
            )
            return await end_logins(rows, user)

    async def end_logins(self, user: UserId) -> list[Ended]:
        """End all logins."""
        async with self._outbox.transaction() as rows:
            return await end_logins(rows, user)
