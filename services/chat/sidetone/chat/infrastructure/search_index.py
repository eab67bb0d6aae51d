"""What the store of messages tells the index, whichever it is, and what an index reads back."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.bus.tasks import Tasks
from sidetone.chat.application.search import Hit, Search
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.messages import Message
from sidetone.storage import Transaction


class Entry(msgspec.Struct, frozen=True):
    """A message as it is to be found; *root* is its channel, or the one its thread hangs in.

    One *of_the_past* comes later than what was written after it.
    """

    message: Message
    root: ChannelId
    of_the_past: bool = False


class Indexed(Protocol):
    """What is told of messages in their own transaction: an index, or the queue before one."""

    async def put(self, rows: Transaction, entries: Sequence[Entry]) -> None:
        """Take *entries* into the index, in the place of what it knew of them."""
        ...

    async def drop(
        self, rows: Transaction, channel: ChannelId, messages: Sequence[MessageId]
    ) -> None:
        """Forget *messages* of *channel*."""
        ...


class SearchIndex(Search, Indexed, Protocol):
    """An index that is written with the messages: in their transaction, or through a queue."""

    async def begin(self, tasks: Tasks) -> None:
        """Make ready, and start what it does beside answering; its tables exist."""
        ...


class Source(Protocol):
    """Where an index that is written through a queue reads what messages are now."""

    async def read(self, hits: Sequence[Hit]) -> Sequence[Entry]:
        """Return those of *hits* that exist, in any order."""
        ...

    async def scan(self, after: Hit, limit: int) -> Sequence[Entry]:
        """Return messages behind *after*, one channel after the other; fewer: it was the end."""
        ...
