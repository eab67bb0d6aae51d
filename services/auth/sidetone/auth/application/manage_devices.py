"""See which devices are known, and forget those that are lost."""

from dataclasses import dataclass

from sidetone.auth.application.ports import Devices
from sidetone.protocol.accounts import DeviceInfo
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.protocol.refusals import NotFound


@dataclass(frozen=True)
class ManageDevices:
    """List and forget the devices of a user."""

    devices: Devices

    async def list(self, user: UserId) -> list[DeviceInfo]:
        """Return the devices of *user*, the oldest first."""
        return [
            DeviceInfo(d.id, d.identity_key, d.device_key, d.created_at_ms)
            for d in await self.devices.of_user(user)
        ]

    async def remove(self, user: UserId, device: DeviceId) -> None:
        """Forget a device: it gets no grants any more. Raises ``NotFound``."""
        if not await self.devices.remove(user, device):
            raise NotFound("device_unknown", "you have no such device; list them again")
