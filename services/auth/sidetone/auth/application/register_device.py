"""Make a device known, so that it can be granted a place in calls."""

from dataclasses import dataclass

from sidetone.auth.application.ports import Devices
from sidetone.auth.domain.device import DEVICES_PER_ACCOUNT_MAX, Device
from sidetone.protocol.refusals import Conflict, Invalid
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class RegisterDevice:
    """Store a device's certified keys."""

    devices: Devices
    clock: Clock

    async def __call__(self, device: Device) -> None:
        """Store *device*; again is fine. An id never changes its user or its keys."""
        device.require_certified(self.clock.now_ms())
        if await self.devices.count_others(device) >= DEVICES_PER_ACCOUNT_MAX:
            raise Invalid(
                "devices_too_many", f"an account has at most {DEVICES_PER_ACCOUNT_MAX} devices"
            )
        if not await self.devices.put(device):
            raise Conflict(
                "device_taken", "this device id is registered with other keys; make a new id"
            )
