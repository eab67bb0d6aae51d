"""Look for messages in a server."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sidetone.chat.application.messages import Messages
from sidetone.chat.application.places import Places
from sidetone.chat.application.search import Search
from sidetone.chat.domain.channel import unknown_channel
from sidetone.chat.domain.place import Place, root_of
from sidetone.chat.domain.reading import id_at
from sidetone.chat.domain.search_query import SearchQuery, Trait, words_of
from sidetone.chat.domain.server import unknown_server
from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.requests import Page
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter


class Wish(msgspec.Struct, frozen=True):
    """What somebody looks for; *before* and *after* are times in milliseconds."""

    text: str = ""
    author: UserId | None = None
    channel: ChannelId | None = None
    traits: Sequence[Trait] = ()
    before_ms: int | None = None
    after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SearchMessages:
    """Ask the index for channels that the user may read, and for no others."""

    places: Places
    messages: Messages
    search: Search
    pace: Limiter
    clock: Clock

    async def __call__(
        self, user: UserId, server: ServerId, wish: Wish, cursor: str | None, limit: int
    ) -> Page[Message]:
        """Return what was found, newest first. Raises ``Refusal``."""
        await self.pace.take(user.hex)
        community = await self._up_to_date(server)
        if user not in community.members:
            raise unknown_server()
        words = words_of(wish.text)
        if not (words or wish.author or wish.traits):
            raise Invalid("query_empty", "look for words, for an author, or for what is in it")
        query = SearchQuery(
            server,
            await self._channels(community, user, wish.channel),
            words,
            author=wish.author,
            traits=frozenset(wish.traits),
            thread=await self._thread(wish.channel),
            since=None if wish.after_ms is None else id_at(wish.after_ms),
            until=None if wish.before_ms is None else id_at(wish.before_ms),
        )
        hits, more = await self.search.find(query, cursor, limit)
        return Page(await self.messages.every(hits, user), more)

    async def _up_to_date(self, server: ServerId) -> Community:
        """Return the server by what is stored now: the index answers for it alone.

        A right that was taken away through another process a moment ago finds nothing any more.
        """
        community = await self.places.community(server)
        if await self.places.catch_up(community):
            community = await self.places.community(server)
        return community

    async def _channels(
        self, community: Community, user: UserId, channel: ChannelId | None
    ) -> list[ChannelId]:
        """Return where to look: in one channel, or in all that the user may read."""
        now_ms = self.clock.now_ms()
        if channel is not None:
            home, found = await self.places.find(channel)
            if home.server.id != community.server.id:
                raise unknown_channel()
            place = Place.enter(home, found, user, now_ms)
            place.require(Permission.READ_HISTORY)
            return [place.root]
        return [
            each.id
            for each in community.channels.values()
            if each.kind not in {"category", "thread"}
            and Permission.READ_HISTORY in community.permissions(user, each.id, now_ms)
        ]

    async def _thread(self, channel: ChannelId | None) -> ChannelId | None:
        if channel is None:
            return None
        _, found = await self.places.find(channel)
        return None if root_of(found) == channel else channel
