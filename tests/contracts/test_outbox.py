"""Facts reach the journal if and only if their transaction was kept, in both topologies."""

from collections.abc import AsyncGenerator

import pytest

from sidetone.protocol.events import InServer, ServerChanged
from sidetone.runtime.outbox import FACTS_MAX, Outbox
from sidetone.runtime.surroundings import Surroundings
from tests.contracts.listening import SERVER, Follower
from tests.surroundings import TOPOLOGIES, open_surroundings


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
    heard, outbox = Follower(), await Outbox.open(around, "chat")
    await around.journal.follow(heard)
    await note(outbox, 1)
    await note(outbox, 2, 3)
    await heard.wait_for(3)
    assert heard.generations == [1, 2, 3]


async def test_a_transaction_that_is_undone_announces_nothing(around: Surroundings) -> None:
    heard, outbox = Follower(), await Outbox.open(around, "chat")
    await around.journal.follow(heard)

    async def announce_and_fail() -> None:
        async with outbox.transaction() as rows:
            rows.announce(InServer(SERVER), ServerChanged(SERVER, 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await announce_and_fail()
    await note(outbox, 2)
    await heard.wait_for(2)
    assert heard.generations == [2]


async def test_more_facts_than_one_round_takes_are_told_in_order(around: Surroundings) -> None:
    heard, outbox = Follower(), await Outbox.open(around, "chat")
    await around.journal.follow(heard)
    count = 2 * FACTS_MAX + 1
    await note(outbox, *range(count))
    await heard.wait_for(count - 1)
    assert heard.generations == list(range(count))


async def test_what_a_dead_process_stored_is_told_by_the_next(around: Surroundings) -> None:
    heard = Follower()
    dead = await Outbox.open(around, "chat")
    await around.tasks.close()
    await note(dead, 1)
    await around.journal.follow(heard)
    await Outbox.open(around, "chat")
    await heard.wait_for(1)
