"""Facts reach the journal if and only if their transaction was kept, in both topologies."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from sidetone.protocol.events import Fact, InServer, ServerChanged
from sidetone.protocol.ids import ServerId
from sidetone.runtime.outbox import FACTS_MAX, Outbox
from sidetone.runtime.surroundings import Surroundings
from tests.surroundings import TOPOLOGIES, open_surroundings

SERVER = ServerId(UUID(int=7))


class Heard:
    """A follower that remembers the generations it was told, and can be waited for."""

    def __init__(self) -> None:
        self.generations: list[int] = []
        self._more = asyncio.Condition()

    async def take(self, fact: Fact) -> None:
        if isinstance(fact.event, ServerChanged):
            async with self._more:
                self.generations.append(fact.event.generation)
                self._more.notify_all()

    async def wait_for(self, generation: int) -> None:
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: generation in self.generations)


@pytest.fixture(params=TOPOLOGIES)
async def around(request: pytest.FixtureRequest) -> AsyncGenerator[Surroundings]:
    async with open_surroundings(request.param) as around:
        await around.database.run_script("CREATE TABLE notes (number BIGINT NOT NULL UNIQUE);")
        yield around


async def note(outbox: Outbox, *numbers: int) -> None:
    async with outbox.transaction() as rows:
        for number in numbers:
            await rows.execute("INSERT INTO notes VALUES (:number)", {"number": number})
            rows.announce(InServer(SERVER), ServerChanged(SERVER, number))


async def test_a_fact_is_told_once_its_transaction_is_kept(around: Surroundings) -> None:
    heard, outbox = Heard(), await Outbox.open(around, "chat")
    await around.journal.follow(heard.take)
    await note(outbox, 1)
    await note(outbox, 2, 3)
    await heard.wait_for(3)
    assert heard.generations == [1, 2, 3]


async def test_a_transaction_that_is_undone_announces_nothing(around: Surroundings) -> None:
    heard, outbox = Heard(), await Outbox.open(around, "chat")
    await around.journal.follow(heard.take)
    with pytest.raises(ZeroDivisionError):
        async with outbox.transaction() as rows:
            rows.announce(InServer(SERVER), ServerChanged(SERVER, 1))
            raise ZeroDivisionError
    await note(outbox, 2)
    await heard.wait_for(2)
    assert heard.generations == [2]


async def test_more_facts_than_one_round_takes_are_told_in_order(around: Surroundings) -> None:
    heard, outbox = Heard(), await Outbox.open(around, "chat")
    await around.journal.follow(heard.take)
    count = 2 * FACTS_MAX + 1
    await note(outbox, *range(count))
    await heard.wait_for(count - 1)
    assert heard.generations == list(range(count))


async def test_what_a_dead_process_stored_is_told_by_the_next(around: Surroundings) -> None:
    heard = Heard()
    dead = await Outbox.open(around, "chat")
    await around.tasks.close()
    await note(dead, 1)
    await around.journal.follow(heard.take)
    await Outbox.open(around, "chat")
    await heard.wait_for(1)
