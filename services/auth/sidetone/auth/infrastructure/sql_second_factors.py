"""Authenticator apps and recovery codes, in a relational database.

The secret stands there as it is: whoever reads this database also has the keys that sign tokens,
so a cipher whose key stands beside it would protect nothing.
"""

from collections.abc import Sequence

import msgspec

from sidetone.auth.application.proof_ports import Totp
from sidetone.auth.infrastructure.sql import record
from sidetone.protocol.ids import UserId
from sidetone.storage import Database, Transaction


class SqlSecondFactors:
    """Every use of a code is one conditional write: of two at once, one counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totp(self, user: UserId) -> Totp | None:
        """Return the secret of *user*, confirmed or not."""
        rows = await self._database.fetch(
            "SELECT secret, confirmed, last_step FROM totp WHERE account = :user", {"user": user}
        )
        return record(rows[0], Totp) if rows else None

    async def begin(self, user: UserId, secret: bytes) -> bool:
        """Store a secret that is to be confirmed; False where one is confirmed already."""
        stored = await self._database.execute(
            """
            INSERT INTO totp (account, secret, confirmed, last_step)
            VALUES (:user, :secret, FALSE, 0)
            ON CONFLICT (account) DO UPDATE SET secret = :secret WHERE NOT totp.confirmed
            """,
            {"user": user, "secret": secret},
        )
        return stored == 1

    async def confirm(
        self, user: UserId, secret: bytes, step: int, codes_sha256: Sequence[bytes]
    ) -> bool:
        """Make *secret* the second factor, with its recovery codes; False if it is not begun."""
        async with self._database.transaction() as rows:
            confirmed = await rows.execute(
                """
                UPDATE totp SET confirmed = TRUE, last_step = :step
                WHERE account = :user AND secret = :secret AND NOT confirmed
                """,
                {"user": user, "secret": secret, "step": step},
            )
            if confirmed:
                await _replace_codes(rows, user, codes_sha256)
        return confirmed == 1

    async def accept_step(self, user: UserId, step: int) -> bool:
        """Use the code of *step* up, atomically; False if it or a later one was used."""
        changed = await self._database.execute(
            """
            UPDATE totp SET last_step = :step
            WHERE account = :user AND confirmed AND last_step < :step
            """,
            {"user": user, "step": step},
        )
        return changed == 1

    async def use_recovery_code(self, user: UserId, code_sha256: bytes) -> bool:
        """Use a recovery code up, atomically; False if there is no such one."""
        removed = await self._database.execute(
            "DELETE FROM recovery_codes WHERE account = :user AND code_sha256 = :code",
            {"user": user, "code": code_sha256},
        )
        return removed == 1

    async def replace_recovery_codes(self, user: UserId, codes_sha256: Sequence[bytes]) -> None:
        """Put new recovery codes in the place of all old ones."""
        async with self._database.transaction() as rows:
            await _replace_codes(rows, user, codes_sha256)

    async def recovery_codes_left(self, user: UserId) -> int:
        """Return how many recovery codes are not used."""
        rows = await self._database.fetch(
            "SELECT count(*) FROM recovery_codes WHERE account = :user", {"user": user}
        )
        return msgspec.convert(rows[0][0], int)

    async def remove(self, user: UserId) -> None:
        """Forget the secret and the recovery codes of *user*."""
        async with self._database.transaction() as rows:
            await _replace_codes(rows, user, [])
            await rows.execute("DELETE FROM totp WHERE account = :user", {"user": user})


async def _replace_codes(rows: Transaction, user: UserId, codes_sha256: Sequence[bytes]) -> None:
    await rows.execute("DELETE FROM recovery_codes WHERE account = :user", {"user": user})
    await rows.execute_many(
        "INSERT INTO recovery_codes (account, code_sha256) VALUES (:user, :code)",
        [{"user": user, "code": code} for code in codes_sha256],
    )
