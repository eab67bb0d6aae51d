"""Waiting for what happens elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(
    condition: Callable[[], object | Awaitable[object]], seconds: float = 30.0
) -> None:
    """Return when *condition* holds, or what it lets us await; fail after *seconds*."""
    async with asyncio.timeout(seconds):
        while not await _outcome(condition()):  # noqa: ASYNC110 - elsewhere offers nothing to wait on
            await asyncio.sleep(0.01)


async def _outcome(held: object | Awaitable[object]) -> object:
    return await held if isinstance(held, Awaitable) else held
