"""Accounts in a relational database, the same for SQLite and PostgreSQL."""

from collections.abc import Sequence

import msgspec

from sidetone.auth.application.ports import Ended
from sidetone.auth.domain.account import Account
from sidetone.auth.infrastructure.sql import announce_end, end_logins, record
from sidetone.protocol.events import AccountClosed, Around, UserChanged
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Conflict
from sidetone.runtime.outbox import Outbox, Rows
from sidetone.storage import Database, Transaction

_COLUMNS = "id, name, password_hash, display_name, bio, avatar, version, bot, created_at_ms"
_ONE = f"SELECT {_COLUMNS} FROM accounts WHERE NOT closed AND "  # noqa: S608 - a constant
_PERSONAL = (
    "devices",
    "addresses",
    "mail_tokens",
    "totp",
    "recovery_codes",
    "passkeys",
    "identities",
)


class SqlAccounts:
    """Accounts; the unique key on ``name_key`` settles who gets a name."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def add(self, account: Account, name_key: str) -> None:
        """Store a new account. Raises ``Conflict`` if the name is taken."""
        await add_account(self._database, account, name_key)

    async def named(self, name_key: str) -> Account | None:
        """Return the account of that name."""
        rows = await self._database.fetch(_ONE + "name_key = :name_key", {"name_key": name_key})
        return record(rows[0], Account) if rows else None

    async def get(self, user: UserId) -> Account | None:
        """Return the account with that id."""
        rows = await self._database.fetch(_ONE + "id = :id", {"id": user})
        return record(rows[0], Account) if rows else None

    async def many(self, users: Sequence[UserId]) -> list[Account]:
        """Return the accounts of *users* that exist, in any order."""
        if not users:
            return []
        marks = ", ".join(f":u{number}" for number in range(len(users)))
        rows = await self._database.fetch(
            _ONE + f"id IN ({marks})", {f"u{number}": user for number, user in enumerate(users)}
        )
        return [record(row, Account) for row in rows]

    async def edit(self, account: Account, version: int) -> bool:
        """Store and announce what others see, unless it is no longer *version*."""
        async with self._outbox.transaction() as rows:
            changed = await rows.execute(
                """
                UPDATE accounts SET display_name = :display_name, bio = :bio, avatar = :avatar,
                    version = version + 1
                WHERE id = :id AND version = :version AND NOT closed
                """,
                {
                    "id": account.id,
                    "display_name": account.display_name,
                    "bio": account.bio,
                    "avatar": account.avatar,
                    "version": version,
                },
            )
            if changed:
                rows.announce(Around(account.id), UserChanged(account.user()))
        return changed == 1

    async def renew_password_hash(self, user: UserId, before: str, after: str) -> None:
        """Replace the hash by one of the same password, unless it is no longer *before*."""
        await _replace_hash(self._database, user, before, after)

    async def change_password(
        self, user: UserId, before: str, after: str, keep: LoginId
    ) -> list[Ended] | None:
        """Replace the hash and end all logins but *keep*; None if it was no longer *before*."""
        async with self._outbox.transaction() as rows:
            if not await _replace_hash(rows, user, before, after):
                return None
            await _forget_resets(rows, user)
            return await end_logins(rows, user, "id <> :keep", keep=keep)

    async def reset_password(
        self, user: UserId, token_sha256: bytes, after: str
    ) -> list[Ended] | None:
        """Use the token up, replace the hash and end all logins; None if the token is gone."""
        async with self._outbox.transaction() as rows:
            used = await rows.execute(
                "DELETE FROM mail_tokens WHERE account = :user AND token_sha256 = :token",
                {"user": user, "token": token_sha256},
            )
            if not used:
                return None
            await rows.execute(
                "UPDATE accounts SET password_hash = :after WHERE id = :user AND NOT closed",
                {"user": user, "after": after},
            )
            return await end_logins(rows, user)

    async def close(self, user: UserId, now_ms: int) -> list[Ended]:
        """Forget all that is personal, of the user and of their bots; end and announce it."""
        async with self._outbox.transaction() as rows:
            bots = await rows.fetch(
                "DELETE FROM bots WHERE owner = :user RETURNING account, login", {"user": user}
            )
            ended = [msgspec.convert({"user": bot, "login": login}, Ended) for bot, login in bots]
            for bot in ended:
                announce_end(rows, bot)
                await close_account(rows, bot.user, now_ms)
            return ended + await close_account(rows, user, now_ms)


async def add_account(where: Transaction, account: Account, name_key: str) -> None:
    """Store a new account. Raises ``Conflict`` if the name is taken."""
    try:
        await where.execute(
            """
            INSERT INTO accounts
                (id, name, name_key, password_hash, display_name, created_at_ms, bot)
            VALUES (:id, :name, :name_key, :password_hash, :display_name, :created_at_ms, :bot)
            """,
            {
                "id": account.id,
                "name": account.name,
                "name_key": name_key,
                "password_hash": account.password_hash,
                "display_name": account.display_name,
                "created_at_ms": account.created_at_ms,
                "bot": account.bot,
            },
        )
    except Conflict:
        raise Conflict("name_taken", "this name is taken; choose another one") from None


async def close_account(rows: Rows, user: UserId, now_ms: int) -> list[Ended]:
    """Forget what is personal about one account, end its logins, announce it; the name stays."""
    for table in _PERSONAL:
        await rows.execute(f"DELETE FROM {table} WHERE account = :user", {"user": user})  # noqa: S608 - our own names
    await rows.execute(
        """
        UPDATE accounts SET closed = TRUE, name = '', password_hash = '', display_name = '',
            bio = '', avatar = NULL, version = version + 1, closed_at_ms = :now_ms
        WHERE id = :user
        """,
        {"user": user, "now_ms": now_ms},
    )
    ended = await end_logins(rows, user)
    rows.announce(Around(user), AccountClosed(user))
    return ended


async def _replace_hash(where: Transaction, user: UserId, before: str, after: str) -> bool:
    changed = await where.execute(
        """
        UPDATE accounts SET password_hash = :after
        WHERE id = :id AND password_hash = :before AND NOT closed
        """,
        {"id": user, "before": before, "after": after},
    )
    return changed == 1


async def _forget_resets(rows: Rows, user: UserId) -> None:
    await rows.execute(
        "DELETE FROM mail_tokens WHERE account = :user AND purpose = 'reset'", {"user": user}
    )
