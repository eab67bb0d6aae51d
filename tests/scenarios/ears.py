"""What a person of the stories is told by the gateway."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from sidetone.client.gateway_link import Happening
from sidetone.protocol.events import MessageSent
from sidetone.protocol.frames import Ready
from sidetone.protocol.ids import MessageId
from sidetone.protocol.servers import Server, ServerState

H = TypeVar("H", bound=Happening)


class Ears:
    """What one person is told, in order."""

    def __init__(self, ready: Ready, happenings: AsyncIterator[Happening]) -> None:
        self.ready = ready
        self._happenings = happenings

    async def next(self, kind: type[H], which: Callable[[H], bool] = lambda _: True) -> H:
        """Return the next happening of *kind*, of those *which* is true for; skip all others."""
        async with asyncio.timeout(30):
            async for happening in self._happenings:
                if isinstance(happening, kind) and which(happening):
                    return happening
        raise AssertionError("the gateway went away")

    async def until(self, kind: type[H], which: Callable[[H], bool]) -> list[Happening]:
        """Return all that happens up to the happening of *kind* that *which* is true for."""
        heard: list[Happening] = []
        async with asyncio.timeout(30):
            async for happening in self._happenings:
                heard.append(happening)
                if isinstance(happening, kind) and which(happening):
                    return heard
        raise AssertionError("the gateway went away")

    async def count(self, heard: Counter[MessageId]) -> None:
        """Count how often each message is told of, until cancelled."""
        async for happening in self._happenings:
            if isinstance(happening, MessageSent):
                heard[happening.message.id] += 1

    def server(self, server: Server) -> ServerState:
        """Return how *server* stood when the session began."""
        return next(state for state in self.ready.servers if state.server.id == server.id)
