"""Where messages are kept, in the words of the use cases."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

import msgspec

from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.requests import Page


class Outdated(Exception):
    """The server has changed since it was decided on: decide again with what it is now."""


class NewMessage(msgspec.Struct, frozen=True):
    """A message to store; *subjects* are whom it calls, *root* the channel that hides or shows it.

    It is stored only while the server is at *generation*; None: whatever it is.
    """

    message: Message
    root: ChannelId
    subjects: Sequence[UUID] = ()
    generation: int | None = None


class MessageChange(Protocol):
    """A change of what stands in one channel: as a whole or not at all, told when it is done."""

    async def find(self, message: MessageId) -> Message:
        """Return the message, which nobody else changes until the end. Raises ``NotFound``."""
        ...

    async def find_all(self, messages: Sequence[MessageId]) -> list[Message]:
        """Return those of *messages* that exist."""
        ...

    async def add(self, new: NewMessage) -> bool:
        """Store and tell of a message; return False if its author had used the nonce before."""
        ...

    async def save(
        self,
        message: Message,
        subjects: Sequence[UUID] | None = None,
        pinned_at_ms: int | None = None,
    ) -> None:
        """Store and tell what the message is now; *subjects* replace whom it calls.

        *pinned_at_ms* is for a message that becomes pinned now.
        """
        ...

    async def remove(self, messages: Sequence[Message]) -> None:
        """Remove *messages* with all that hangs at them, and tell so."""
        ...

    async def count_pins(self) -> int:
        """Return how many messages are pinned."""
        ...

    async def kinds(self, message: MessageId) -> list[str]:
        """Return the kinds of reaction that a message has."""
        ...

    async def put_reaction(
        self, message: MessageId, user: UserId, emoji: str, now_ms: int
    ) -> None:
        """Store and tell of a reaction; one that is there already changes nothing."""
        ...

    async def take_reaction(self, message: MessageId, user: UserId, emoji: str) -> None:
        """Remove a reaction and tell so; one that is not there changes nothing."""
        ...


class Messages(Protocol):
    """All messages. A *reader* is who asks: what is theirs is marked so."""

    async def add(self, new: NewMessage) -> Message:
        """Store a message and tell of it, or return the first with its nonce.

        Raises ``Outdated`` where the server has changed.
        """
        ...

    def change(
        self, server: ServerId, channel: ChannelId, generation: int | None = None
    ) -> AbstractAsyncContextManager[MessageChange]:
        """Open a change of what stands in *channel*; it raises ``Outdated`` at its begin."""
        ...

    async def find(self, channel: ChannelId, message: MessageId, reader: UserId) -> Message:
        """Return the message. Raises ``NotFound``."""
        ...

    async def by_nonce(self, channel: ChannelId, author: UserId, nonce: str) -> Message | None:
        """Return what *author* wrote in *channel* with *nonce*."""
        ...

    async def before(
        self, channel: ChannelId, mark: MessageId | None, limit: int, reader: UserId
    ) -> list[Message]:
        """Return the last messages before *mark*, or of all, newest first."""
        ...

    async def after(
        self, channel: ChannelId, mark: MessageId, limit: int, reader: UserId
    ) -> list[Message]:
        """Return the first messages after *mark*, newest first."""
        ...

    async def pinned(self, channel: ChannelId, reader: UserId) -> list[Message]:
        """Return the pinned messages, the one pinned last first."""
        ...

    async def every(
        self, hits: Sequence[tuple[ChannelId, MessageId]], reader: UserId
    ) -> list[Message]:
        """Return those of *hits* that exist, in their order."""
        ...

    async def reacted(
        self, channel: ChannelId, message: MessageId, emoji: str, cursor: str | None, limit: int
    ) -> Page[UserId]:
        """Return who reacted to a message with *emoji*."""
        ...

    async def written_by(
        self, channel: ChannelId, author: UserId, since: MessageId, limit: int
    ) -> list[MessageId]:
        """Return what *author* wrote in *channel* since *since*, oldest first."""
        ...
