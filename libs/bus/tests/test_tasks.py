"""Tasks end together, also those that do not want to."""

import asyncio

from sidetone.bus.tasks import Tasks


async def test_a_task_that_swallowed_its_cancellation_is_cancelled_again() -> None:
    tasks = Tasks()

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    tasks.start(stubborn())
    async with asyncio.timeout(30):
        await tasks.close()
    assert len(tasks) == 0
