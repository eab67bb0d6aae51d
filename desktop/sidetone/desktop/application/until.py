"""Wait until something is known that the gateway tells a moment later."""

import asyncio
from collections.abc import Callable
from typing import Final

from sidetone.desktop.application.program import Core
from sidetone.desktop.domain.topics import Topics

# Who was disconnected meanwhile sees it by itself later, and need not be waited for.
PATIENCE_SECONDS: Final = 5.0


class _Ear:
    """Hears that anything was told."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()

    def told(self, changed: Topics) -> None:
        if changed:
            self.heard.set()


async def until(program: Core, known: Callable[[], bool]) -> bool:
    """Return whether *known* came to be true; it is asked again whenever something is told."""
    ear = _Ear()
    program.listen(ear)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not known():
                ear.heard.clear()
                await ear.heard.wait()
    except TimeoutError:
        return known()
    return True
