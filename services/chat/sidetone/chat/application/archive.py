"""What an import needs from the outside: something to read, and somewhere to put it."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias

import msgspec

from sidetone.chat.domain.imported import (
    ForeignChannel,
    ForeignFile,
    ForeignMessage,
    ForeignRole,
)
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, FileId, MessageId, UserId
from sidetone.protocol.messages import Message

# What was left out, and how often, by what it is called in the report.
Skipped: TypeAlias = dict[str, int]


class Export(Protocol):
    """A server of another platform, read piece by piece."""

    @property
    def guild(self) -> int:
        """Return the id of the server there."""
        ...

    @property
    def name(self) -> str:
        """Return what the server is called there."""
        ...

    def channels(self) -> Sequence[ForeignChannel]:
        """Return the categories, then the channels, then the threads."""
        ...

    def messages(self, channel: int, skipped: Skipped) -> Iterator[ForeignMessage]:
        """Yield the messages of *channel*, and count into *skipped* what is left out.

        Raises ``Invalid`` where it cannot be read any further.
        """
        ...

    def roles(self) -> Sequence[ForeignRole]:
        """Return the roles that authors of the messages read so far had, the lowest first."""
        ...


class OldReaction(msgspec.Struct, frozen=True):
    """How many put an emoji to a message, and those of them who are known."""

    emoji: str
    count: int
    members: Sequence[UserId]


class OldMessage(msgspec.Struct, frozen=True):
    """A message of the past; *root* is its channel, or the one its thread hangs in."""

    message: Message
    root: ChannelId
    reactions: Sequence[OldReaction]


class Luggage(Protocol):
    """Where files of an export are taken in."""

    async def bring(
        self, file: FileId, author: UserId, foreign: ForeignFile, channel: ChannelId
    ) -> File | None:
        """Return the file as it is here; None where it cannot be had, or is refused.

        Bringing it again brings nothing new. Raises ``Unavailable``.
        """
        ...


class Archive(Protocol):
    """Where old messages are put, without telling anybody of each."""

    async def known(self, channel: ChannelId, first: MessageId, last: MessageId) -> set[MessageId]:
        """Return which messages of the range are there."""
        ...

    async def put(self, messages: Sequence[OldMessage]) -> None:
        """Store *messages*, which are not there, all or none of them."""
        ...
