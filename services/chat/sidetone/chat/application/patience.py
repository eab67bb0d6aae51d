"""Slow mode: who has written waits before writing again."""

from typing import Protocol

from sidetone.protocol.ids import ChannelId, UserId


class Patience(Protocol):
    """One turn for each user and channel in so many seconds."""

    async def take_turn(self, user: UserId, channel: ChannelId, seconds: int) -> None:
        """Take the turn of *user*. Raises ``RateLimited`` with the time until the next one."""
        ...
