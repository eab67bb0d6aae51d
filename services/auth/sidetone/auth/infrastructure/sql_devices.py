"""Devices in a relational database; an id belongs to one user and one pair of keys for ever."""

import msgspec

from sidetone.auth.domain.device import DEVICES_PER_ACCOUNT_MAX, Device
from sidetone.auth.infrastructure.sql import record
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.storage import Database

_SELECT = """
SELECT id, account, identity_key, device_key, created_at_ms, certificate FROM devices
"""


class SqlDevices:
    """Devices of all users."""

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
        rows = await self._database.fetch(_SELECT + "WHERE id = :id", {"id": device})
        return record(rows[0], Device) if rows else None

    async def of_user(self, user: UserId) -> list[Device]:
        """Return the devices of *user*, the oldest first."""
        rows = await self._database.fetch(
            _SELECT + "WHERE account = :user ORDER BY created_at_ms, id LIMIT :limit",
            {"user": user, "limit": DEVICES_PER_ACCOUNT_MAX},
        )
        return [record(row, Device) for row in rows]

    async def remove(self, user: UserId, device: DeviceId) -> bool:
        """Forget a device of *user*; False if there is none."""
        removed = await self._database.execute(
            "DELETE FROM devices WHERE id = :id AND account = :user", {"id": device, "user": user}
        )
        return removed == 1

    async def count_others(self, device: Device) -> int:
        """Return how many devices its user has besides this one."""
        rows = await self._database.fetch(
            "SELECT count(*) FROM devices WHERE account = :user AND id <> :id",
            {"user": device.user, "id": device.id},
        )
        return msgspec.convert(rows[0][0], int)
