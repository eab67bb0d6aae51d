"""Threads that are not in the state of their server."""

from typing import Protocol

from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel


class Threads(Protocol):
    """What is stored of threads."""

    async def archived(
        self, parent: ChannelId, cursor: ChannelId | None, limit: int
    ) -> Page[Channel]:
        """Return the archived threads of a channel, newest first."""
        ...

    async def idle(self, since: MessageId, limit: int) -> list[Channel]:
        """Return open threads that began, and were written in last, before *since*."""
        ...
