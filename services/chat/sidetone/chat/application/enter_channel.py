"""Stand in a channel, and act there on what is true now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from sidetone.chat.application.messages import Outdated
from sidetone.chat.application.places import Places
from sidetone.chat.domain.place import Place
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Conflict, NotFound
from sidetone.runtime.clock import Clock

T = TypeVar("T")
_ATTEMPTS_MAX = 3


@dataclass(frozen=True, slots=True)
class EnterChannel:
    """Decides from memory: no query, unless the server is not known here yet.

    Before anybody is turned away it is made sure that the memory is up to date: they may have
    come in a moment ago, through another process.
    """

    places: Places
    clock: Clock

    async def __call__(self, user: UserId, channel: ChannelId) -> Place:
        """Return the place of *user* in *channel*. Raises ``NotFound``."""
        community, found = await self.places.find(channel)
        try:
            return Place.enter(community, found, user, self.clock.now_ms())
        except NotFound:
            if not await self.places.catch_up(community):
                raise
        community, found = await self.places.find(channel)
        return Place.enter(community, found, user, self.clock.now_ms())

    async def up_to_date(self, user: UserId, channel: ChannelId) -> Place:
        """Return the place by what is stored at this moment: others will act on it.

        Raises ``NotFound``.
        """
        community, _ = await self.places.find(channel)
        await self.places.catch_up(community)
        return await self(user, channel)

    async def act(
        self, user: UserId, channel: ChannelId, deed: Callable[[Place], Awaitable[T]]
    ) -> T:
        """Return what *deed* returns, done while what it was decided on still held.

        The memory may be a moment behind the database; whoever writes compares the generation and
        raises ``Outdated``, and then it is decided anew. A right that was taken away is noticed.
        """
        for _ in range(_ATTEMPTS_MAX):
            place = await self(user, channel)
            try:
                return await deed(place)
            except Outdated:
                await self.places.refresh(place.community.server.id)
        raise Conflict("server_changing", "the server is being changed right now; try again")
