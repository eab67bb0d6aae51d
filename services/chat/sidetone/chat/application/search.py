"""What a search needs from the outside: an index that answers with the ids of messages."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from sidetone.chat.domain.search_query import SearchQuery
from sidetone.protocol.ids import ChannelId, MessageId

Hit: TypeAlias = tuple[ChannelId, MessageId]


class Search(Protocol):
    """An index of all messages, which may lag behind them by a moment."""

    async def find(
        self, query: SearchQuery, cursor: str | None, limit: int
    ) -> tuple[Sequence[Hit], str | None]:
        """Return up to *limit* hits, newest first, and the cursor of the next ones, if any.

        Raises ``Invalid`` for a cursor that is none of its own, ``Unavailable``.
        """
        ...
