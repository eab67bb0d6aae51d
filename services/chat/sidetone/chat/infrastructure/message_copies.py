"""All messages and read marks from one store to another, and the proof that they are the same.

Nothing notes how far a copy came: that is seen in the target. So a copy that was interrupted goes
on where it was, and one that is made again after more was written takes what is new. A channel is
done when both stores say the same of it: as many messages, and the same sum over all they hold.
"""

import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from sidetone.chat.infrastructure.message_rows import Held
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.storage import StorageError

PAGE = 200
_NAMED_AT_ONCE = 500
_SAID_EVERY = 50_000
_FIRST = MessageId(UUID(int=0))

Marks = list[tuple[ChannelId, MessageId]]


class Copied(msgspec.Struct, frozen=True):
    """A message with all that hangs at it."""

    held: Held
    reactions: list[tuple[str, UserId]]


class Sum(msgspec.Struct, frozen=True):
    """How much there is, and what it adds up to."""

    count: int
    digest: bytes


class Shelf(Protocol):
    """A store of messages as a copy sees it: all that is put twice is there once."""

    async def channels(self, after: ChannelId | None, limit: int) -> list[ChannelId]:
        """Return existing channels that hold messages, by id."""
        ...

    async def read(self, channel: ChannelId, after: MessageId, limit: int) -> list[Copied]:
        """Return the first messages after one, oldest first."""
        ...

    async def last(self, channel: ChannelId, limit: int) -> list[MessageId]:
        """Return the ids of the last messages, newest first."""
        ...

    async def put(self, channel: ChannelId, messages: Sequence[Copied]) -> None:
        """Store *messages* of *channel*."""
        ...

    async def clear(self, channel: ChannelId) -> None:
        """Remove all that the channel holds."""
        ...

    async def members(self, after: UserId | None, limit: int) -> list[UserId]:
        """Return users with read marks, in an order of the store's own."""
        ...

    async def marks(self, member: UserId) -> Marks:
        """Return how far *member* has read, by channel."""
        ...

    async def put_marks(self, member: UserId, marks: Marks) -> None:
        """Store how far *member* has read."""
        ...


class Copy:
    """Copies from *source* to *target* and tells how it goes through *say*."""

    def __init__(self, source: Shelf, target: Shelf, say: Callable[[str], None]) -> None:
        self._source = source
        self._target = target
        self._say = say
        self._messages = 0
        self._said = 0

    async def all(self) -> None:
        """Copy what is not there yet and compare everything. Raises ``StorageError``."""
        channels = 0
        async for channel in _channels_of(self._source):
            self._messages += await self._channel(channel)
            channels += 1
            if self._messages - self._said >= _SAID_EVERY:
                self._said = self._messages
                self._say(f"{channels} channels, {self._messages} messages")
        members = 0
        async for member in _members_of(self._source):
            await self._marks(member)
            members += 1
        self._say(
            f"{channels} channels with {self._messages} messages and the read marks of "
            f"{members} users are the same in both stores."
        )

    async def _channel(self, channel: ChannelId) -> int:
        await self._go_on(channel, await self._resumed(channel))
        there = await sum_of(self._target, channel)
        if await sum_of(self._source, channel) != there:
            # What was copied before was edited or removed since.
            await self._target.clear(channel)
            await self._go_on(channel, _FIRST)
            there = await sum_of(self._target, channel)
            if await sum_of(self._source, channel) != there:
                raise StorageError(
                    f"the channel {channel} differs after the copy: it is being written to; "
                    "stop the chat service and copy again, which goes on from here"
                )
        return there.count

    async def _resumed(self, channel: ChannelId) -> MessageId:
        """Return the message after which the copy goes on: a page may be there in part."""
        last = await self._target.last(channel, PAGE + 1)
        return last[-1] if len(last) > PAGE else _FIRST

    async def _go_on(self, channel: ChannelId, after: MessageId) -> None:
        async for page in _pages_of(self._source, channel, after):
            await self._target.put(channel, page)

    async def _marks(self, member: UserId) -> None:
        marks = await self._source.marks(member)
        await self._target.put_marks(member, marks)
        there = dict(await self._target.marks(member))
        if any(there.get(channel) != last_read for channel, last_read in marks):
            raise StorageError(
                f"the read marks of the user {member} differ after the copy: they are being "
                "moved; stop the chat service and copy again"
            )


async def sum_of(shelf: Shelf, channel: ChannelId) -> Sum:
    """Return what the channel holds there, in one figure."""
    digest, count = hashlib.sha256(), 0
    async for page in _pages_of(shelf, channel, _FIRST):
        for copied in page:
            digest.update(msgspec.msgpack.encode(_in_order(copied)))
            count += 1
    return Sum(count, digest.digest())


def _in_order(copied: Copied) -> Copied:
    kinds = sorted(copied.held.kinds, key=lambda kind: kind.emoji)
    held = msgspec.structs.replace(copied.held, kinds=kinds)
    return Copied(held, sorted(copied.reactions))


async def _channels_of(shelf: Shelf) -> AsyncGenerator[ChannelId]:
    after: ChannelId | None = None
    while found := await shelf.channels(after, _NAMED_AT_ONCE):
        for channel in found:
            yield channel
        after = found[-1]


async def _members_of(shelf: Shelf) -> AsyncGenerator[UserId]:
    after: UserId | None = None
    while found := await shelf.members(after, _NAMED_AT_ONCE):
        for member in found:
            yield member
        after = found[-1]


async def _pages_of(
    shelf: Shelf, channel: ChannelId, after: MessageId
) -> AsyncGenerator[list[Copied]]:
    while page := await shelf.read(channel, after, PAGE):
        yield page
        after = page[-1].held.message.id
