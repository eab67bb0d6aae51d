"""Get everything that opens the door to a call."""

from dataclasses import dataclass

import structlog

from sidetone.bus import Bus
from sidetone.credentials.tickets import LIFETIME_SECONDS, Ticket
from sidetone.permissions import Permission
from sidetone.protocol.calls import VoiceTicket
from sidetone.protocol.ids import ChannelId, DeviceId, LoginId, UserId
from sidetone.protocol.questions import IssueGrant, WhatMayUserDo
from sidetone.protocol.refusals import Forbidden, Unavailable
from sidetone.runtime.clock import Clock
from sidetone.telemetry.metrics import counter
from sidetone.voice.application.place_room import PlaceRoom
from sidetone.voice.application.places import Places
from sidetone.voice.application.ports import Entries, TicketKeys
from sidetone.voice.domain.rights import perms_of

_TICKETS = counter("sidetone_calls_tickets_total", "Tickets that were signed for calls.")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JoinVoice:
    """Answer with the unit that holds the call, a ticket for it, and a grant for the others.

    The ticket carries the generation of the rights that it was made from: when they change on the
    way, the unit's watermark is higher and it refuses the ticket.
    """

    place_room: PlaceRoom
    keys: TicketKeys
    places: Places
    entries: Entries
    bus: Bus
    clock: Clock

    async def __call__(
        self, channel: ChannelId, user: UserId, device: DeviceId, login: LoginId
    ) -> VoiceTicket:
        """Return where to go and what to show there. Raises ``Refusal``."""
        rights = await self.bus.ask(WhatMayUserDo(user, channel))
        permissions = Permission(rights.permissions)
        if Permission.CONNECT not in permissions:
            raise Forbidden(
                "permission_missing", "you need CONNECT in this channel, and it must be for voice"
            )
        community = await self.places.community_of(channel, rights.generation)
        perms = perms_of(permissions, community.members.get(user))
        node = await self.place_room(channel)
        issued = await self.bus.ask(IssueGrant(user, device, channel))
        await self._remember(login, channel, device)
        now = self.clock.now_ms() // 1000
        ticket = Ticket(
            kid=self.keys.kid,
            perms=perms,
            user=user,
            device=device,
            channel=channel,
            node=node.node,
            jti=self.clock.new_id(),
            generation=rights.generation,
            issued_at=now,
            expires_at=now + LIFETIME_SECONDS,
        )
        _TICKETS.inc()
        return VoiceTicket(
            host=node.host,
            port=node.port,
            spki_sha256=node.spki_sha256,
            certificate_sha256=node.certificate_sha256,
            ticket=self.keys.sign(ticket),
            grant=issued.grant,
            grant_keys=issued.keys,
        )

    async def _remember(self, login: LoginId, channel: ChannelId, device: DeviceId) -> None:
        """Remember where the login is; a call does not wait for a store that is down."""
        try:
            await self.entries.add(login, channel, device)
        except Unavailable as unavailable:
            log.warning("entry_not_stored", code=unavailable.code)
