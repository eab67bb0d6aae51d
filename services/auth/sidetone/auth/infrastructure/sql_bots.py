"""Bots in a relational database; a bot's account is one like any other, without a password."""

from collections.abc import Sequence

from sidetone.auth.application.ports import Ended
from sidetone.auth.domain.account import Account
from sidetone.auth.domain.bot import BOTS_PER_ACCOUNT_MAX, BotRecord
from sidetone.auth.infrastructure.sql import announce_end, record
from sidetone.auth.infrastructure.sql_accounts import add_account, close_account
from sidetone.protocol.bots import BotScope
from sidetone.protocol.ids import LoginId, UserId
from sidetone.runtime.outbox import Outbox, Rows
from sidetone.storage import Database, Row

_SELECT = """
SELECT bots.account, bots.owner, bots.login, accounts.name, accounts.display_name, bots.scopes,
       bots.created_at_ms
FROM bots JOIN accounts ON accounts.id = bots.account
"""
_OF_THE_OPEN = """
JOIN accounts AS owners ON owners.id = bots.owner
WHERE bots.token_sha256 = :token AND NOT accounts.disabled AND NOT owners.disabled
"""


class SqlBots:
    """Bots of all users; what changes a bot's rights ends the login that its tokens name."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def add(
        self, bot: BotRecord, account: Account, name_key: str, token_sha256: bytes
    ) -> None:
        """Store a bot and its account. Raises ``Conflict`` if the name is taken."""
        async with self._database.transaction() as rows:
            await add_account(rows, account, name_key)
            await rows.execute(
                """
                INSERT INTO bots (account, owner, login, token_sha256, scopes, created_at_ms)
                VALUES (:user, :owner, :login, :token, :scopes, :now)
                """,
                {
                    "user": bot.user,
                    "owner": bot.owner,
                    "login": bot.login,
                    "token": token_sha256,
                    "scopes": " ".join(bot.scopes),
                    "now": bot.created_at_ms,
                },
            )

    async def of_owner(self, owner: UserId) -> list[BotRecord]:
        """Return the bots of *owner*, the oldest first."""
        rows = await self._database.fetch(
            _SELECT + "WHERE bots.owner = :owner ORDER BY bots.account LIMIT :limit",
            {"owner": owner, "limit": BOTS_PER_ACCOUNT_MAX},
        )
        return [_bot(row) for row in rows]

    async def with_token(self, token_sha256: bytes) -> BotRecord | None:
        """Return the bot that has this secret, unless it or its owner is disabled."""
        rows = await self._database.fetch(_SELECT + _OF_THE_OPEN, {"token": token_sha256})
        return _bot(rows[0]) if rows else None

    async def change_scopes(
        self, bot: BotRecord, login: LoginId, scopes: Sequence[BotScope]
    ) -> list[Ended]:
        """Let the next access tokens be good for *scopes*; the present ones end."""
        async with self._outbox.transaction() as rows:
            changed = await rows.execute(
                """
                UPDATE bots SET scopes = :scopes, login = :login
                WHERE account = :user AND login = :before
                """,
                {
                    "user": bot.user,
                    "before": bot.login,
                    "login": login,
                    "scopes": " ".join(scopes),
                },
            )
            return _end(rows, bot) if changed else []

    async def change_token(
        self, bot: BotRecord, login: LoginId, token_sha256: bytes
    ) -> list[Ended]:
        """Put a new secret in the place of the old one, whose access tokens end."""
        async with self._outbox.transaction() as rows:
            changed = await rows.execute(
                """
                UPDATE bots SET token_sha256 = :token, login = :login
                WHERE account = :user AND login = :before
                """,
                {"user": bot.user, "before": bot.login, "login": login, "token": token_sha256},
            )
            return _end(rows, bot) if changed else []

    async def remove(self, bot: BotRecord, now_ms: int) -> list[Ended]:
        """Close the bot's account."""
        async with self._outbox.transaction() as rows:
            removed = await rows.execute(
                "DELETE FROM bots WHERE account = :user", {"user": bot.user}
            )
            if not removed:
                return []
            return _end(rows, bot) + await close_account(rows, bot.user, now_ms)


def _end(rows: Rows, bot: BotRecord) -> list[Ended]:
    ended = Ended(bot.user, bot.login)
    announce_end(rows, ended)
    return [ended]


def _bot(row: Row) -> BotRecord:
    user, owner, login, name, display_name, scopes, created_at_ms = row
    listed = str(scopes).split()
    return record((user, owner, login, name, display_name, listed, created_at_ms), BotRecord)
