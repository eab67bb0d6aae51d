"""Logins in a relational database; one row each, whatever the number of tokens it has used up."""

from sidetone.auth.application.ports import Ended
from sidetone.auth.domain.login import (
    IDLE_MS_MAX,
    LIFETIME_MS_MAX,
    LOGINS_PER_ACCOUNT_MAX,
    Login,
    RefreshToken,
)
from sidetone.auth.infrastructure.sql import end_logins, record
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Forbidden
from sidetone.runtime.outbox import Outbox
from sidetone.storage import Database

_SELECT = """
SELECT logins.id, logins.account, accounts.name, logins.secret_sha256,
       logins.created_at_ms, logins.used_at_ms, logins.client, logins.address
FROM logins JOIN accounts ON accounts.id = logins.account
"""
# What the row becomes here is what it was: but until the end it is ours.
_LOCK_OPEN = """
UPDATE accounts SET disabled = disabled WHERE id = :account AND NOT disabled AND NOT closed
"""


class SqlLogins:
    """Logins; whoever ends one announces it in the same transaction."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def add(self, login: Login, token: RefreshToken) -> list[Ended]:
        """Store a new login with its first token; the account's dead and oldest ones go.

        Whoever disables or closes the account waits, or was first: none of its logins is left.
        """
        async with self._outbox.transaction() as rows:
            if not await rows.execute(_LOCK_OPEN, {"account": login.user}):
                raise Forbidden(
                    "account_disabled", "this account is disabled; ask who runs the server"
                )
            await rows.execute(
                """
                DELETE FROM logins WHERE account = :account
                    AND (used_at_ms <= :idle_since OR created_at_ms <= :made_before)
                """,
                {
                    "account": login.user,
                    "idle_since": login.created_at_ms - IDLE_MS_MAX,
                    "made_before": login.created_at_ms - LIFETIME_MS_MAX,
                },
            )
            ended = await end_logins(
                rows,
                login.user,
                """id NOT IN (SELECT id FROM logins WHERE account = :user
                              ORDER BY used_at_ms DESC LIMIT :others)""",
                others=LOGINS_PER_ACCOUNT_MAX - 1,
            )
            await rows.execute(
                """
                INSERT INTO logins
                    (id, account, family_sha256, secret_sha256, created_at_ms, used_at_ms,
                     client, address)
                VALUES (:id, :account, :family, :secret, :created, :used, :client, :address)
                """,
                {
                    "id": login.id,
                    "account": login.user,
                    "family": token.family_sha256,
                    "secret": token.secret_sha256,
                    "created": login.created_at_ms,
                    "used": login.used_at_ms,
                    "client": login.client,
                    "address": login.address,
                },
            )
        return ended

    async def of_family(self, token: RefreshToken) -> Login | None:
        """Return the login whose family *token* claims to be of."""
        rows = await self._database.fetch(
            _SELECT + "WHERE logins.family_sha256 = :family", {"family": token.family_sha256}
        )
        return record(rows[0], Login) if rows else None

    async def of_user(self, user: UserId) -> list[Login]:
        """Return the logins of *user*, the one used last first."""
        rows = await self._database.fetch(
            _SELECT + "WHERE logins.account = :user ORDER BY logins.used_at_ms DESC LIMIT :limit",
            {"user": user, "limit": LOGINS_PER_ACCOUNT_MAX},
        )
        return [record(row, Login) for row in rows]

    async def rotate(self, before: RefreshToken, after: RefreshToken, now_ms: int) -> bool:
        """Put *after* in the place of *before*, atomically; False if another was faster."""
        changed = await self._database.execute(
            """
            UPDATE logins SET secret_sha256 = :after, used_at_ms = :now
            WHERE family_sha256 = :family AND secret_sha256 = :before
            """,
            {
                "family": before.family_sha256,
                "before": before.secret_sha256,
                "after": after.secret_sha256,
                "now": now_ms,
            },
        )
        return changed == 1

    async def end(self, user: UserId, login: LoginId) -> list[Ended]:
        """End one login of *user*."""
        async with self._outbox.transaction() as rows:
            return await end_logins(rows, user, "id = :login", login=login)

    async def end_others(self, user: UserId, keep: LoginId) -> list[Ended]:
        """End all logins of *user* but *keep*."""
        async with self._outbox.transaction() as rows:
            return await end_logins(rows, user, "id <> :keep", keep=keep)
