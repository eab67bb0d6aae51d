"""E-mail addresses and the tokens that are under way to them, in a relational database."""

import msgspec

from sidetone.auth.application.ports import Offer, Purpose
from sidetone.auth.domain.mailbox import address_key
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict
from sidetone.storage import Database


class SqlAddresses:
    """Verified addresses; the newest token of a purpose is the only one that holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, user: UserId, now_ms: int) -> tuple[str | None, str | None]:
        """Return the verified address of *user*, and one that waits to be verified."""
        verified = await self._database.fetch(
            "SELECT address FROM addresses WHERE account = :user", {"user": user}
        )
        waiting = await self._database.fetch(
            """
            SELECT address FROM mail_tokens
            WHERE account = :user AND purpose = 'verify' AND expires_at_ms > :now
            """,
            {"user": user, "now": now_ms},
        )
        return (
            str(verified[0][0]) if verified else None,
            str(waiting[0][0]) if waiting else None,
        )

    async def holder(self, address: str) -> UserId | None:
        """Return whose verified address it is."""
        rows = await self._database.fetch(
            "SELECT account FROM addresses WHERE address_key = :address_key",
            {"address_key": address_key(address)},
        )
        return msgspec.convert(rows[0][0], UserId) if rows else None

    async def offer(self, user: UserId, purpose: Purpose, offer: Offer) -> None:
        """Store a token that travels by mail; older ones of the same purpose are void."""
        await self._database.execute(
            """
            INSERT INTO mail_tokens (account, purpose, token_sha256, address, expires_at_ms)
            VALUES (:user, :purpose, :token_sha256, :address, :expires_at_ms)
            ON CONFLICT (account, purpose) DO UPDATE
                SET token_sha256 = :token_sha256, address = :address,
                    expires_at_ms = :expires_at_ms
            """,
            {"user": user, "purpose": purpose, **msgspec.structs.asdict(offer)},
        )

    async def reset_for(self, token_sha256: bytes, now_ms: int) -> UserId | None:
        """Return whose password the token may reset."""
        rows = await self._database.fetch(
            """
            SELECT account FROM mail_tokens
            WHERE token_sha256 = :token AND purpose = 'reset' AND expires_at_ms > :now
            """,
            {"token": token_sha256, "now": now_ms},
        )
        return msgspec.convert(rows[0][0], UserId) if rows else None

    async def verify(self, token_sha256: bytes, now_ms: int) -> bool:
        """Use the token up and make its address the account's; False if there is none.

        Raises ``Conflict`` where another account has the address.
        """
        try:
            return await self._verify(token_sha256, now_ms)
        except Conflict:
            raise Conflict(
                "address_taken", "another account has this address; take it off there first"
            ) from None

    async def _verify(self, token_sha256: bytes, now_ms: int) -> bool:
        async with self._database.transaction() as rows:
            found = await rows.fetch(
                """
                DELETE FROM mail_tokens
                WHERE token_sha256 = :token AND purpose = 'verify' AND expires_at_ms > :now
                RETURNING account, address
                """,
                {"token": token_sha256, "now": now_ms},
            )
            for account, address in found:
                # A reset that is under way to the old address must not open the account.
                await rows.execute(
                    "DELETE FROM mail_tokens WHERE account = :account", {"account": account}
                )
                await rows.execute(
                    """
                    INSERT INTO addresses (account, address, address_key)
                    VALUES (:account, :address, :address_key)
                    ON CONFLICT (account) DO UPDATE
                        SET address = :address, address_key = :address_key
                    """,
                    {
                        "account": account,
                        "address": address,
                        "address_key": address_key(str(address)),
                    },
                )
        return bool(found)

    async def remove(self, user: UserId) -> None:
        """Forget the address of *user*, and what is under way to it."""
        async with self._database.transaction() as rows:
            for table in ("mail_tokens", "addresses"):
                await rows.execute(f"DELETE FROM {table} WHERE account = :user", {"user": user})  # noqa: S608 - our own names
