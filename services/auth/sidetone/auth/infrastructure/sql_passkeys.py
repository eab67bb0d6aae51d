"""Passkeys in a relational database."""

import msgspec

from sidetone.auth.application.proof_ports import Credential
from sidetone.auth.domain.passkey import PASSKEYS_PER_ACCOUNT_MAX
from sidetone.auth.infrastructure.sql import record
from sidetone.protocol.accounts import Passkey
from sidetone.protocol.ids import PasskeyId, UserId
from sidetone.protocol.refusals import Conflict
from sidetone.storage import Database


class SqlPasskeys:
    """Passkeys of all users; a credential id belongs to one account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, credential: Credential, name: str, now_ms: int) -> None:
        """Store a passkey. Raises ``Conflict`` where it is known already."""
        try:
            await self._database.execute(
                """
                INSERT INTO passkeys
                    (id, account, name, credential, public_key, uses, created_at_ms)
                VALUES (:id, :user, :name, :credential, :public_key, :uses, :now)
                """,
                {**msgspec.structs.asdict(credential), "name": name, "now": now_ms},
            )
        except Conflict:
            raise Conflict("passkey_known", "this passkey is registered already") from None

    async def of_user(self, user: UserId) -> list[Passkey]:
        """Return what *user* may see of theirs, the oldest first."""
        rows = await self._database.fetch(
            """
            SELECT id, name, created_at_ms, used_at_ms FROM passkeys
            WHERE account = :user ORDER BY id LIMIT :limit
            """,
            {"user": user, "limit": PASSKEYS_PER_ACCOUNT_MAX},
        )
        return [record(row, Passkey) for row in rows]

    async def credentials(self, user: UserId) -> list[bytes]:
        """Return the credential ids of *user*, by which authenticators know them."""
        rows = await self._database.fetch(
            "SELECT credential FROM passkeys WHERE account = :user ORDER BY id LIMIT :limit",
            {"user": user, "limit": PASSKEYS_PER_ACCOUNT_MAX},
        )
        return [msgspec.convert(row[0], bytes) for row in rows]

    async def find(self, credential: bytes) -> Credential | None:
        """Return the passkey with that credential id."""
        rows = await self._database.fetch(
            """
            SELECT id, account, credential, public_key, uses FROM passkeys
            WHERE credential = :credential
            """,
            {"credential": credential},
        )
        return record(rows[0], Credential) if rows else None

    async def used(self, before: Credential, uses: int, now_ms: int) -> bool:
        """Note a use; False if another use was faster and the counter is no longer *before*'s."""
        changed = await self._database.execute(
            """
            UPDATE passkeys SET uses = :uses, used_at_ms = :now
            WHERE id = :id AND uses = :before
            """,
            {"id": before.id, "before": before.uses, "uses": uses, "now": now_ms},
        )
        return changed == 1

    async def rename(self, user: UserId, passkey: PasskeyId, name: str) -> bool:
        """Name a passkey of *user*; False if there is none."""
        changed = await self._database.execute(
            "UPDATE passkeys SET name = :name WHERE id = :id AND account = :user",
            {"id": passkey, "user": user, "name": name},
        )
        return changed == 1

    async def remove(self, user: UserId, passkey: PasskeyId) -> bool:
        """Forget a passkey of *user*; False if there is none."""
        removed = await self._database.execute(
            "DELETE FROM passkeys WHERE id = :id AND account = :user",
            {"id": passkey, "user": user},
        )
        return removed == 1
