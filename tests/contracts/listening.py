"""A follower of facts that tests can wait for."""

import asyncio
from uuid import UUID, uuid4

from sidetone.protocol.events import Fact, InServer, ServerChanged
from sidetone.protocol.ids import FactId, ServerId

SERVER = ServerId(UUID(int=7))


def fact(generation: int) -> Fact:
    """Return a new fact that is told from others by its *generation*."""
    return Fact(FactId(uuid4()), InServer(SERVER), ServerChanged(SERVER, generation))


class Follower:
    """Remembers the generations that it was told."""

    def __init__(self) -> None:
        self.generations: list[int] = []
        self._more = asyncio.Condition()

    async def __call__(self, told: Fact) -> None:
        """Take a fact that ``fact`` made; others come from elsewhere."""
        if isinstance(told.event, ServerChanged):
            async with self._more:
                self.generations.append(told.event.generation)
                self._more.notify_all()

    async def wait_for(self, generation: int) -> list[int]:
        """Wait until *generation* is told, and return all that were."""
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: generation in self.generations)
        return self.generations

    async def wait_for_count(self, count: int) -> list[int]:
        """Wait until *count* facts are told, and return their generations."""
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: len(self.generations) >= count)
        return self.generations
