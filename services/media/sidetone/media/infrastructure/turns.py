"""A few at a time for each key; the others wait their turn."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Turns:
    """Lets *at_once* in for each key; keys that nobody waits for take no room."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._places: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def of(self, key: str) -> AsyncGenerator[None]:
        """Wait for a turn of *key*, and have it for the block."""
        places, users = self._places.get(key, (asyncio.Semaphore(self._at_once), 0))
        self._places[key] = (places, users + 1)
        try:
            async with places:
                yield
        finally:
            places, users = self._places.pop(key)
            if users > 1:
                self._places[key] = (places, users - 1)
