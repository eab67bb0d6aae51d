"""Grant a device a place in a channel's calls."""

from dataclasses import dataclass

from sidetone.auth.application.ports import Devices, SigningKeys
from sidetone.auth.domain.device import GRANT_LIFETIME_MS
from sidetone.bus import Bus
from sidetone.e2ee.grant import Grant as Vx1Grant
from sidetone.e2ee.grant import sign_grant
from sidetone.permissions import Permission
from sidetone.protocol.accounts import Grant
from sidetone.protocol.ids import ChannelId, DeviceId, UserId
from sidetone.protocol.questions import IssuedGrant, WhatMayUserDo
from sidetone.protocol.refusals import Forbidden, NotFound
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class IssueGrant:
    """Sign the auth service's word that a device may be in a channel for two hours."""

    devices: Devices
    bus: Bus
    keys: SigningKeys
    clock: Clock

    async def __call__(self, user: UserId, device: DeviceId, channel: ChannelId) -> IssuedGrant:
        """Return the grant. Chat is asked each time: a grant outlives a kick by its lifetime.

        Another user's device is as unknown as one that does not exist.
        """
        found = await self.devices.get(device)
        if found is None or found.user != user:
            raise NotFound("device_unknown", "this device is not registered; register it first")
        rights = await self.bus.ask(WhatMayUserDo(user, channel))
        if not rights.permissions & Permission.CONNECT:
            raise Forbidden("connect_denied", "you may not join calls in this channel")
        not_after_ms = self.clock.now_ms() + GRANT_LIFETIME_MS
        wire = sign_grant(
            self.keys.grant_seed,
            Vx1Grant(
                channel=channel.bytes,
                user=user.bytes,
                device=device.bytes,
                uik=found.identity_key,
                dk=found.device_key,
                not_after_ms=not_after_ms,
            ),
        )
        return IssuedGrant(Grant(wire, not_after_ms), list(self.keys.grant_keys))
