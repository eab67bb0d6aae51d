"""Carry what two devices of one user say to each other until the new one has the user's key.

The server learns nothing from it: what passes is sealed, and proven by a code that it never sees.
"""

from dataclasses import dataclass

from sidetone.auth.application.ports import Devices, Links
from sidetone.auth.domain.device import Device
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.protocol.linking import LinkAsked, LinkState
from sidetone.protocol.refusals import Invalid, NotFound

ASK_BYTES = 16
GIVE_BYTES = 96
LIFETIME_MS = 10 * 60_000


@dataclass(frozen=True)
class LinkDevice:
    """Ask, list who asks, answer, and look for the answer: all within ten minutes."""

    devices: Devices
    links: Links

    async def ask(self, user: UserId, device: DeviceId, ask: bytes) -> None:
        """Let *device* wait for the user's key; asking again begins anew."""
        await self._own(user, device)
        _require_length(ask, ASK_BYTES)
        await self.links.ask(device, ask, LIFETIME_MS)

    async def waiting(self, user: UserId) -> list[LinkAsked]:
        """Return the devices of *user* that wait, which one that was answered does no longer."""
        asked = [
            (device, await self._unanswered(device.id))
            for device in await self.devices.of_user(user)
        ]
        return [
            LinkAsked(device.id, device.device_key, ask)
            for device, ask in asked
            if ask is not None
        ]

    async def answer(self, user: UserId, device: DeviceId, give: bytes) -> None:
        """Keep what is for *device*. Raises ``NotFound`` if it does not wait (any more)."""
        await self._own(user, device)
        _require_length(give, GIVE_BYTES)
        if await self._unanswered(device) is None:
            raise _nobody_asked()
        await self.links.answer(device, give, LIFETIME_MS)

    async def state(self, user: UserId, device: DeviceId) -> LinkState:
        """Return what was given to *device*. Raises ``NotFound`` when its time is over."""
        await self._own(user, device)
        if await self.links.asked(device) is None:
            raise _nobody_asked()
        return LinkState(await self.links.answered(device))

    async def _unanswered(self, device: DeviceId) -> bytes | None:
        answered = await self.links.answered(device)
        return await self.links.asked(device) if answered is None else None

    async def _own(self, user: UserId, device: DeviceId) -> Device:
        for each in await self.devices.of_user(user):
            if each.id == device:
                return each
        raise NotFound("device_unknown", "you have no such device; list them again")


def _require_length(value: bytes, length: int) -> None:
    if len(value) != length:
        raise Invalid("link_malformed", f"this takes {length} bytes")


def _nobody_asked() -> NotFound:
    return NotFound("link_unknown", "this device does not wait to be linked; begin anew on it")
