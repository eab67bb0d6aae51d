"""Slow mode in the key-value store, so that it holds on every process."""

import math

from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import RateLimited, Unavailable
from sidetone.storage import KeyValue


class StorePatience:
    """While the store is down nobody waits: people who talk are let talk."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    async def take_turn(self, user: UserId, channel: ChannelId, seconds: int) -> None:
        """Take the turn of *user*. Raises ``RateLimited`` with the time until the next one."""
        key = f"slow:{channel.hex}{user.hex}"
        try:
            wait_seconds = await self._store.take(key, 1, seconds * 1_000)
        except Unavailable:
            return
        if wait_seconds:
            rest = math.ceil(wait_seconds)
            raise RateLimited("slow_mode", f"this channel is slow: wait {rest} s", rest)
