"""Facts reach the journal if and only if their transaction was kept, in both topologies."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import InServer, ServerChanged
from sidetone.runtime.outbox import FACTS_MAX, Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import Transaction
from tests import engines
from tests.contracts.listening import SERVER, Follower
from tests.surroundings import (
    TOPOLOGIES,
    fresh_postgres,
    open_database_at,
    open_nats_journal,
    open_surroundings,
)


@pytest.fixture(params=TOPOLOGIES)
async def around(request: pytest.FixtureRequest) -> AsyncGenerator[Surroundings]:
    async with open_surroundings(request.param) as around:
        await around.database.run_script(
            "CREATE TABLE IF NOT EXISTS notes (number BIGINT NOT NULL UNIQUE);"
        )
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


async def test_services_tell_only_their_own(around: Surroundings) -> None:
    """Each service's relay takes its own rows, so that none waits for another."""
    heard = Follower()
    await around.journal.follow(heard)
    chat, auth = await Outbox.open(around, "chat"), await Outbox.open(around, "auth")
    await asyncio.gather(*(note(outbox, n) for n, outbox in enumerate([chat, auth] * 10)))
    assert sorted(await heard.wait_for_count(20)) == list(range(20))


async def test_what_was_told_is_kept_no_longer(around: Surroundings) -> None:
    heard, outbox = Follower(), await Outbox.open(around, "chat")
    await around.journal.follow(heard)
    await note(outbox, 1)
    await heard.wait_for(1)
    # The relay deletes after it told; whoever gets its place finds it done.
    async with around.database.alone("outbox of chat"):
        pass
    assert await around.database.fetch("SELECT number FROM outbox LIMIT 1", {}) == []


async def test_a_transaction_with_nothing_to_tell_tells_nothing(around: Surroundings) -> None:
    heard, outbox = Follower(), await Outbox.open(around, "chat")
    await around.journal.follow(heard)
    async with outbox.transaction() as rows:
        await rows.execute_many("INSERT INTO notes VALUES (:n)", [{"n": 1}, {"n": 2}])
        assert await rows.fetch("SELECT number FROM notes ORDER BY number", {}) == [(1,), (2,)]
    await note(outbox, 3)
    await heard.wait_for(3)
    assert heard.generations == [3]


async def test_a_fact_of_a_version_that_nobody_can_read_stops_no_other(
    around: Surroundings,
) -> None:
    heard, outbox = Follower(), await Outbox.open(around, "chat")
    await around.journal.follow(heard)
    async with outbox.transaction() as rows:
        insert = "INSERT INTO outbox (service, fact) VALUES ('chat', :fact)"
        await rows.execute(insert, {"fact": b"\xc1 from long ago"})
        rows.announce(InServer(SERVER), ServerChanged(SERVER, 1))
    assert await heard.wait_for(1) == [1]


COUNT = "UPDATE counters SET number = number + 1 RETURNING number"


async def counted(rows: Transaction) -> int:
    """Return the next number; whoever comes second waits for the first one's commit."""
    ((number,),) = await rows.fetch(COUNT, {})
    return int(str(number))


async def test_changes_that_wait_for_each_other_are_told_in_their_order(
    around: Surroundings,
) -> None:
    heard = Follower()
    await around.journal.follow(heard)
    await around.database.run_script(
        "CREATE TABLE counters (number BIGINT NOT NULL); INSERT INTO counters VALUES (0);"
    )
    # Two relays of one service, as where two processes run it.
    outboxes = [await Outbox.open(around, "chat") for _ in range(2)]

    async def change(outbox: Outbox) -> None:
        async with outbox.transaction() as rows:
            number = await counted(rows)
            await asyncio.sleep(0)
            rows.announce(InServer(SERVER), ServerChanged(SERVER, number))

    await asyncio.gather(*(change(outbox) for outbox in outboxes * 60))
    assert await heard.wait_for(120) == list(range(1, 121))


WRITER = """
import asyncio, sys
from sidetone.bus.memory import MemoryBus
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import InServer, ServerChanged
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.memory import MemoryKeyValue
from tests.contracts.listening import SERVER
from tests.surroundings import open_database_at, open_nats_journal

async def main(postgres, nats):
    async with open_database_at(postgres) as database, open_nats_journal(nats) as journal:
        store, bus, clock, tasks = MemoryKeyValue(), MemoryBus(), SystemClock(), Tasks()
        around = Surroundings(database, store, bus, journal, clock, tasks)
        outbox = await Outbox.open(around, "chat")
        for number in range(1_000_000):
            async with outbox.transaction() as rows:
                await rows.execute("INSERT INTO notes VALUES (:n)", {"n": number})
                rows.announce(InServer(SERVER), ServerChanged(SERVER, number))
            print(number, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def write_until_killed(postgres: str) -> None:
    """Kill a process that stores facts with SIGKILL, between or within any of its steps."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, postgres, engines.nats_url()],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) == 50:
            os.kill(writer.pid, signal.SIGKILL)
            break
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL


async def test_each_kept_row_is_told_once_although_its_process_was_killed() -> None:
    with fresh_postgres() as postgres:
        async with (
            open_database_at(postgres) as database,
            open_nats_journal(engines.nats_url()) as journal,
        ):
            await database.run_script("CREATE TABLE notes (number BIGINT NOT NULL UNIQUE);")
            heard = Follower()
            await journal.follow(heard)
            await asyncio.to_thread(write_until_killed, postgres)
            rows = await database.fetch("SELECT number FROM notes ORDER BY number", {})
            kept = [number for (number,) in rows]
            assert len(kept) > 50
            async with open_surroundings("embedded") as embedded:
                tasks = Tasks()
                around = Surroundings(
                    database, embedded.store, embedded.bus, journal, embedded.clock, tasks
                )
                await Outbox.open(around, "chat")
                assert await heard.wait_for(len(kept) - 1) == kept
                await tasks.close()
