"""Make a way in."""

import secrets
from dataclasses import dataclass

from sidetone.chat.application.ports import Changes
from sidetone.chat.domain.invite import CODE_BYTES, INVITES_MAX, code_of, invite
from sidetone.chat.domain.server import require_room_for_one_more
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import CreateInvite as Wish
from sidetone.protocol.servers import Invite
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class CreateInvite:
    """Make a code of 80 random bits that lets its holder in."""

    changes: Changes
    clock: Clock

    async def __call__(self, server: ServerId, user: UserId, wish: Wish) -> Invite:
        """Return the new invite. Raises ``Refusal``."""
        now_ms = self.clock.now_ms()
        code = code_of(secrets.token_bytes(CODE_BYTES))
        made = invite(code, server, wish, now_ms)
        async with self.changes.of(server) as change:
            standing = await change.servers.standing(server, user)
            standing.require(Permission.CREATE_INVITE)
            # Dead invites are kept while there is room: a repeat of the last use still finds one.
            if await change.count_invites() >= INVITES_MAX:
                await change.drop_dead_invites(now_ms)
            require_room_for_one_more(await change.count_invites(), INVITES_MAX, "invites")
            await change.add_invite(made)
        return made
