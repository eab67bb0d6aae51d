"""Who is known to a provider as whom, in a relational database."""

import msgspec

from sidetone.auth.domain.account import Account
from sidetone.auth.infrastructure.sql import record
from sidetone.auth.infrastructure.sql_accounts import add_account
from sidetone.protocol.accounts import Identity
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict
from sidetone.storage import Database, Transaction

# More providers than any operator sets up.
_IDENTITIES_MAX = 100


class SqlIdentities:
    """Links; an identity belongs to one account, an account has one of each provider."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, provider: str, subject: str) -> UserId | None:
        """Return whose account the provider's *subject* is."""
        rows = await self._database.fetch(
            "SELECT account FROM identities WHERE provider = :provider AND subject = :subject",
            {"provider": provider, "subject": subject},
        )
        return msgspec.convert(rows[0][0], UserId) if rows else None

    async def add(self, user: UserId, provider: str, subject: str, now_ms: int) -> None:
        """Link them. Raises ``Conflict`` where either is linked already."""
        await _link(self._database, user, provider, subject, now_ms)

    async def add_with_account(
        self, account: Account, name_key: str, provider: str, subject: str
    ) -> None:
        """Store a new account that is linked. Raises ``Conflict``: name or identity is taken."""
        async with self._database.transaction() as rows:
            await add_account(rows, account, name_key)
            await _link(rows, account.id, provider, subject, account.created_at_ms)

    async def of_user(self, user: UserId) -> list[Identity]:
        """Return what *user* is linked to."""
        rows = await self._database.fetch(
            """
            SELECT provider, created_at_ms FROM identities
            WHERE account = :user ORDER BY provider LIMIT :limit
            """,
            {"user": user, "limit": _IDENTITIES_MAX},
        )
        return [record(row, Identity) for row in rows]

    async def remove(self, user: UserId, provider: str) -> bool:
        """Unlink; False if there was no link."""
        removed = await self._database.execute(
            "DELETE FROM identities WHERE account = :user AND provider = :provider",
            {"user": user, "provider": provider},
        )
        return removed == 1


async def _link(
    where: Transaction, user: UserId, provider: str, subject: str, now_ms: int
) -> None:
    try:
        await where.execute(
            """
            INSERT INTO identities (provider, subject, account, created_at_ms)
            VALUES (:provider, :subject, :user, :now)
            """,
            {"provider": provider, "subject": subject, "user": user, "now": now_ms},
        )
    except Conflict:
        raise Conflict(
            "identity_linked",
            "this identity, or another one of this provider, is linked already; unlink it first",
        ) from None
