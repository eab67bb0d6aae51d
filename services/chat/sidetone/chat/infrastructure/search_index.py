"""What the store of messages tells the index, whichever it is."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.bus.tasks import Tasks
from sidetone.chat.application.search import Search
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.messages import Message
from sidetone.storage import Transaction


class Entry(msgspec.Struct, frozen=True):
    """A message as it is to be found; *root* is its channel, or the one its thread hangs in."""

    message: Message
    root: ChannelId


class SearchIndex(Search, Protocol):
    """An index that is written with the messages: in their transaction, or through a queue."""

    async def begin(self, tasks: Tasks) -> None:
        """Make ready, and start what it does beside answering; its tables exist."""
        ...

    async def put(self, rows: Transaction, entries: Sequence[Entry]) -> None:
        """Take *entries* into the index, in the place of what it knew of them."""
        ...

    async def drop(
        self, rows: Transaction, channel: ChannelId, messages: Sequence[MessageId]
    ) -> None:
        """Forget *messages* of *channel*."""
        ...
