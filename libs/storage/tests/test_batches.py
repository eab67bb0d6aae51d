import asyncio
from collections.abc import Sequence

import pytest

from sidetone.protocol.refusals import Conflict, Unavailable
from sidetone.storage.batches import Batcher


class Store:
    """Keeps batches when its gate is open; refuses those with a negative number in them."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.away = False
        self.attempts = 0
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, items: Sequence[int]) -> None:
        self.attempts += 1
        self.asked.set()
        await self.gate.wait()
        if self.away:
            raise Unavailable("database_unavailable", "away")
        if any(item < 0 for item in items):
            raise Conflict("already_exists", "negative")
        self.batches.append(list(items))


async def test_a_lone_item_is_written_at_once() -> None:
    store = Store()
    batcher = Batcher(store.write)
    for number in range(3):
        await batcher.add(number)
    assert store.batches == [[0], [1], [2]]


async def test_what_comes_during_a_write_goes_together_with_the_next() -> None:
    store = Store()
    store.gate.clear()
    batcher = Batcher(store.write, items_max=5)
    first = asyncio.create_task(batcher.add(0))
    await store.asked.wait()
    rest = [asyncio.create_task(batcher.add(number)) for number in range(1, 9)]
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(first, *rest)
    assert store.batches == [[0], [1, 2, 3, 4, 5], [6, 7, 8]]


async def test_a_bad_item_fails_alone() -> None:
    store = Store()
    batcher = Batcher(store.write)
    results = await asyncio.gather(
        *(batcher.add(number) for number in (1, -2, 3, 4)), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), Conflict, type(None), type(None)]
    assert store.batches == [[1], [3], [4]]


async def test_a_store_that_is_away_is_asked_once_for_all() -> None:
    store = Store()
    store.away = True
    batcher = Batcher(store.write)
    results = await asyncio.gather(*map(batcher.add, range(100)), return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert store.attempts == 1
    store.away = False
    await batcher.add(7)
    assert store.batches == [[7]]


async def test_a_full_batcher_refuses() -> None:
    store = Store()
    store.gate.clear()
    batcher = Batcher(store.write, items_max=1, waiting_max=2)
    waiting = [asyncio.create_task(batcher.add(number)) for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await batcher.add(3)
    store.gate.set()
    await asyncio.gather(*waiting)
    assert store.batches == [[0], [1]]


async def test_a_cancelled_caller_takes_nobody_along() -> None:
    store = Store()
    store.gate.clear()
    batcher = Batcher(store.write)
    tasks = [asyncio.create_task(batcher.add(number)) for number in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[1].cancel()
    await asyncio.sleep(0)
    store.gate.set()
    await tasks[2]
    await batcher.close()
    assert sorted(number for batch in store.batches for number in batch) == [0, 1, 2]


async def test_closing_waits_for_what_was_added() -> None:
    store = Store()
    batcher = Batcher(store.write, items_max=1)
    tasks = [asyncio.create_task(batcher.add(number)) for number in range(5)]
    await asyncio.sleep(0)
    await batcher.close()
    assert store.batches == [[0], [1], [2], [3], [4]]
    await asyncio.gather(*tasks)
    await batcher.close()


async def test_a_cancelled_write_leaves_nobody_waiting() -> None:
    store = Store()
    store.gate.clear()
    batcher = Batcher(store.write, items_max=1)
    tasks = [asyncio.create_task(batcher.add(number)) for number in range(3)]
    await store.asked.wait()
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    closing.cancel()
    results = await asyncio.gather(*tasks, closing, return_exceptions=True)
    assert {type(result) for result in results} == {asyncio.CancelledError}
