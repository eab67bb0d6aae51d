"""What is known of how long messages are kept."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.protocol.ids import ChannelId, MessageId, ServerId


class Kept(msgspec.Struct, frozen=True):
    """A server, or a conversation, whose messages go after *days*."""

    server: ServerId
    name: str
    days: int


class Retention(Protocol):
    """Where messages do not stay for ever."""

    async def page(self, platform_days: int, after: ServerId | None, limit: int) -> Sequence[Kept]:
        """Return servers with a limit, or all where the platform has one, from *after* on."""
        ...

    async def channels(self, server: ServerId) -> Sequence[ChannelId]:
        """Return the channels of *server*, archived threads too."""
        ...

    async def count(self, channel: ChannelId, before: MessageId) -> int:
        """Return how many messages of *channel* are older."""
        ...

    async def put(self, server: ServerId, days: int | None) -> None:
        """Keep the messages of *server* for so long; None: as long as those of all others."""
        ...
