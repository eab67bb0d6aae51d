"""A remembered login that is not there yet: its server machine is away, or has ended it."""

import asyncio
from contextlib import suppress

from sidetone.desktop.application.logins import Remembered


class Returning:
    """What is shown of it: *problem* says why it is not there, *ended* that it will not be."""

    def __init__(self, remembered: Remembered) -> None:
        self.remembered = remembered
        self.problem = ""
        self.ended = False
        # Set once it is there, or will never be.
        self.over = asyncio.Event()
        self._again = asyncio.Event()

    def try_again(self) -> None:
        """Try at once."""
        self._again.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it is time to try again."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._again.wait(), seconds)
        self._again.clear()
