"""Accounts, logins and devices in a relational database, the same for SQLite and PostgreSQL."""

from typing import TypeVar

import msgspec

from sidetone.auth.domain.account import Account
from sidetone.auth.domain.device import Device
from sidetone.auth.domain.login import (
    IDLE_MS_MAX,
    LIFETIME_MS_MAX,
    LOGINS_PER_ACCOUNT_MAX,
    Login,
    RefreshToken,
)
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.protocol.refusals import Conflict
from sidetone.storage import Database, Row

R = TypeVar("R", bound=msgspec.Struct)


class SqlAccounts:
    """Accounts; the unique key on ``name_key`` settles who gets a name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: Account, name_key: str, now_ms: int) -> None:
        """Store a new account. Raises ``Conflict`` if the name is taken."""
        try:
            await self._database.execute(
                """
                INSERT INTO accounts (id, name, name_key, password_hash, created_at_ms)
                VALUES (:id, :name, :name_key, :password_hash, :now)
                """,
                {
                    "id": account.id,
                    "name": account.name,
                    "name_key": name_key,
                    "password_hash": account.password_hash,
                    "now": now_ms,
                },
            )
        except Conflict:
            raise Conflict("name_taken", "this name is taken; choose another one") from None

    async def named(self, name_key: str) -> Account | None:
        """Return the account of that name."""
        rows = await self._database.fetch(
            "SELECT id, name, password_hash FROM accounts WHERE name_key = :name_key",
            {"name_key": name_key},
        )
        return _record(rows[0], Account) if rows else None

    async def get(self, user: UserId) -> Account | None:
        """Return the account with that id."""
        rows = await self._database.fetch(
            "SELECT id, name, password_hash FROM accounts WHERE id = :id", {"id": user}
        )
        return _record(rows[0], Account) if rows else None

    async def change_password_hash(self, user: UserId, before: str, after: str) -> None:
        """Replace the hash, unless it is no longer *before*."""
        await self._database.execute(
            """
            UPDATE accounts SET password_hash = :after
            WHERE id = :id AND password_hash = :before
            """,
            {"id": user, "before": before, "after": after},
        )


class SqlLogins:
    """Logins; one row each, whatever the number of tokens it has used up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, login: Login, token: RefreshToken) -> None:
        """Store a new login with its first token; the account's dead and oldest ones go."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                """
                DELETE FROM logins WHERE account = :account AND (
                    used_at_ms <= :idle_since OR created_at_ms <= :made_before
                    OR id NOT IN (
                        SELECT id FROM logins WHERE account = :account
                        ORDER BY used_at_ms DESC LIMIT :others))
                """,
                {
                    "account": login.user,
                    "idle_since": login.created_at_ms - IDLE_MS_MAX,
                    "made_before": login.created_at_ms - LIFETIME_MS_MAX,
                    "others": LOGINS_PER_ACCOUNT_MAX - 1,
                },
            )
            await transaction.execute(
                """
                INSERT INTO logins
                    (id, account, family_sha256, secret_sha256, created_at_ms, used_at_ms)
                VALUES (:id, :account, :family, :secret, :created, :used)
                """,
                {
                    "id": login.id,
                    "account": login.user,
                    "family": token.family_sha256,
                    "secret": token.secret_sha256,
                    "created": login.created_at_ms,
                    "used": login.used_at_ms,
                },
            )

    async def of_family(self, token: RefreshToken) -> Login | None:
        """Return the login whose family *token* claims to be of."""
        rows = await self._database.fetch(
            """
            SELECT logins.id, logins.account, accounts.name, logins.secret_sha256,
                   logins.created_at_ms, logins.used_at_ms
            FROM logins JOIN accounts ON accounts.id = logins.account
            WHERE logins.family_sha256 = :family
            """,
            {"family": token.family_sha256},
        )
        return _record(rows[0], Login) if rows else None

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

    async def end(self, token: RefreshToken) -> None:
        """End the login whose family *token* is of."""
        await self._database.execute(
            "DELETE FROM logins WHERE family_sha256 = :family", {"family": token.family_sha256}
        )


class SqlDevices:
    """Devices; an id belongs to one user and one pair of keys for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, device: Device) -> bool:
        """Store *device*, or renew it; False if its id stands for other keys or another user."""
        changed = await self._database.execute(
            """
            INSERT INTO devices
                (id, account, identity_key, device_key, created_at_ms, certificate)
            VALUES (:id, :user, :identity_key, :device_key, :created_at_ms, :certificate)
            ON CONFLICT (id) DO UPDATE
                SET created_at_ms = :created_at_ms, certificate = :certificate
                WHERE devices.account = :user AND devices.identity_key = :identity_key
                    AND devices.device_key = :device_key
            """,
            msgspec.structs.asdict(device),
        )
        return changed == 1

    async def get(self, device: DeviceId) -> Device | None:
        """Return a device."""
        rows = await self._database.fetch(
            """
            SELECT id, account, identity_key, device_key, created_at_ms, certificate
            FROM devices WHERE id = :id
            """,
            {"id": device},
        )
        return _record(rows[0], Device) if rows else None

    async def count_others(self, device: Device) -> int:
        """Return how many devices its user has besides this one."""
        rows = await self._database.fetch(
            "SELECT count(*) FROM devices WHERE account = :user AND id <> :id",
            {"user": device.user, "id": device.id},
        )
        return msgspec.convert(rows[0][0], int)


def _record(row: Row, kind: type[R]) -> R:
    """Return *row*, whose columns stand in the order of the fields of *kind*."""
    return msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), kind)
