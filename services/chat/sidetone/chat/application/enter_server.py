"""Stand in a server."""

from dataclasses import dataclass

from sidetone.chat.application.places import Places
from sidetone.chat.domain.standing import Standing
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class EnterServer:
    """Decides from memory: no query, unless the server is not known here yet."""

    places: Places
    clock: Clock

    async def __call__(
        self, user: UserId, server: ServerId, needed: Permission = Permission.NONE
    ) -> Standing:
        """Return the place of *user*. Raises ``NotFound``, or ``Forbidden`` without *needed*."""
        standing = Standing(await self.places.community(server), user, self.clock.now_ms())
        standing.require(needed)
        return standing
