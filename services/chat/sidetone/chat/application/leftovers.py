"""What outlived what it belonged to."""

from collections.abc import Sequence
from typing import Protocol

from sidetone.protocol.ids import ChannelId, FileId


class Leftovers(Protocol):
    """Messages of channels that are gone, and files of messages that are gone."""

    async def channels(self, limit: int) -> list[ChannelId]:
        """Return channels that hold messages and exist no more."""
        ...

    async def clear(self, channel: ChannelId, limit: int) -> int:
        """Remove the oldest messages of a channel that is gone; return how many there were."""
        ...

    async def files(self, limit: int) -> list[FileId]:
        """Return files that nobody has dropped yet."""
        ...

    async def forget_files(self, files: Sequence[FileId]) -> None:
        """Note that *files* were dropped."""
        ...
