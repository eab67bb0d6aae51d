"""Waiting for what other processes bring about."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the awaitable that *condition* makes is true; fail after thirty seconds."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110  # other processes offer nothing to wait on
            await asyncio.sleep(0.01)
