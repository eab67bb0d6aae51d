"""Stand in a server."""

from dataclasses import dataclass

from sidetone.chat.application.places import Places
from sidetone.chat.domain.standing import Standing
from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.refusals import Forbidden, NotFound
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class EnterServer:
    """Decides from memory: no query, unless the server is not known here yet.

    Before anybody is turned away it is made sure that the memory is up to date.
    """

    places: Places
    clock: Clock

    async def __call__(
        self, user: UserId, server: ServerId, needed: Permission = Permission.NONE
    ) -> Standing:
        """Return the place of *user*. Raises ``NotFound``, or ``Forbidden`` without *needed*."""
        community = await self.places.community(server)
        try:
            return self._standing(community, user, needed)
        except (NotFound, Forbidden):
            if not await self.places.catch_up(community):
                raise
        return self._standing(await self.places.community(server), user, needed)

    def _standing(self, community: Community, user: UserId, needed: Permission) -> Standing:
        standing = Standing(community, user, self.clock.now_ms())
        standing.require(needed)
        return standing
