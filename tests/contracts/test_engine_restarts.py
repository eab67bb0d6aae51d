"""Engines that die and come back: refusals meanwhile, and work again soon, with nothing lost."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar
from uuid import UUID

import pytest

from sidetone.bus import Bus, Journal
from sidetone.bus.memory import MemoryBus
from sidetone.bus.nats import NatsBus
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import InServer, ServerChanged, VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.questions import ChannelRights, WhatMayUserDo
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import Database
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.valkey import ValkeyKeyValue
from tests import engines
from tests.contracts.listening import SERVER, Follower
from tests.surroundings import open_database_at, open_nats_journal

# A promise to operators, and so not a matter of how fast this machine is.
RECOVERY_SECONDS_MAX = 5.0

T = TypeVar("T")


async def again(work: Callable[[], Awaitable[T]]) -> T:
    """Return what *work* says once it is refused no more, within the promised time."""
    deadline = time.monotonic() + RECOVERY_SECONDS_MAX
    while True:
        try:
            return await work()
        except Unavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_a_database_that_comes_back_is_used_again_and_has_lost_nothing() -> None:
    with engines.start_postgres(durable=True) as engine:
        async with open_database_at(engine.url) as database:
            await database.run_script("CREATE TABLE notes (number BIGINT NOT NULL);")
            insert = "INSERT INTO notes VALUES (:number)"
            await database.execute(insert, {"number": 1})
            # Several connections, so that several are stale afterwards.
            await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.1)", {}) for _ in range(6)))

            async def write_until_killed() -> None:
                async with database.transaction() as transaction:
                    await transaction.execute(insert, {"number": 2})
                    engine.kill()
                    await transaction.execute(insert, {"number": 3})

            with pytest.raises(Unavailable):
                await write_until_killed()
            # An outage of some length: the pauses between attempts may not grow with it.
            for _ in range(4):
                with pytest.raises(Unavailable):
                    await database.fetch("SELECT 1", {})
            await asyncio.to_thread(engine.start)
            rows = await again(lambda: database.fetch("SELECT number FROM notes", {}))
            assert rows == [(1,)]
            # Nobody is refused any more: the stale connections are gone.
            await asyncio.gather(
                *(database.execute(insert, {"number": number}) for number in range(20))
            )


async def test_a_key_value_store_that_comes_back_is_used_again() -> None:
    with engines.start_valkey() as engine:
        store = await ValkeyKeyValue.open(engine.url)
        try:
            await store.put("key", b"value", lifetime_seconds=60)
            await asyncio.gather(*(store.take("key of a limit", 100, 1_000) for _ in range(6)))
            engine.kill()
            for work in (
                store.get("key"),
                store.take("ada", 1, 1_000),
                store.add_member("room", "ada", 60),
                store.members("room"),
            ):
                with pytest.raises(Unavailable):
                    await work
            await asyncio.to_thread(engine.start)
            assert await again(lambda: store.get("key")) is None
            assert await again(lambda: store.take("ada", 1, 3_600_000)) == 0
            assert await store.take("ada", 1, 3_600_000) > 0
        finally:
            await store.close()


@asynccontextmanager
async def nats_bus(url: str) -> AsyncGenerator[NatsBus]:
    bus = await NatsBus.connect(url)
    try:
        yield bus
    finally:
        await bus.close()


async def test_a_bus_that_comes_back_carries_events_and_questions_again() -> None:
    user, channel = UserId(UUID(int=1)), ChannelId(UUID(int=2))
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def hear(event: VoiceRights) -> None:
        heard.put_nowait(event.generation)

    async def answer(_: WhatMayUserDo) -> ChannelRights:
        return ChannelRights(permissions=1, generation=1)

    with engines.start_nats() as engine:
        async with nats_bus(engine.url) as here, nats_bus(engine.url) as there:
            await there.subscribe(VoiceRights, hear)
            await there.answer(WhatMayUserDo, answer)
            question = WhatMayUserDo(user=user, channel=channel)
            await here.ask(question)
            engine.kill()
            await asyncio.to_thread(engine.start)
            assert (await again(lambda: here.ask(question))).permissions == 1

            async def announce() -> int:
                await here.publish(VoiceRights(channel, user, 1, 7))
                try:
                    async with asyncio.timeout(0.2):
                        return await heard.get()
                except TimeoutError:
                    raise Unavailable("not_heard", "not yet") from None

            assert await again(announce) == 7


class Cluster:
    """An outbox on a real database and a real journal, both of which can be killed."""

    def __init__(self, outbox: Outbox, follower: Follower) -> None:
        self._outbox = outbox
        self.follower = follower
        self._kept = 0
        self._more = asyncio.Condition()

    async def note(self, number: int) -> None:
        """Store a row and its fact, as often as it takes."""

        async def attempt() -> None:
            async with self._outbox.transaction() as rows:
                await rows.execute(
                    "INSERT INTO notes VALUES (:number) ON CONFLICT DO NOTHING", {"number": number}
                )
                rows.announce(InServer(SERVER), ServerChanged(SERVER, number))

        await again(attempt)
        async with self._more:
            self._kept += 1
            self._more.notify_all()

    async def wait_for_more(self, count: int) -> None:
        """Wait until *count* more are stored."""
        async with self._more:
            enough = self._kept + count
            await self._more.wait_for(lambda: self._kept >= enough)


@asynccontextmanager
async def cluster(postgres: str, nats: str) -> AsyncGenerator[Cluster]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database_at(postgres))
        journal = await stack.enter_async_context(open_nats_journal(nats))
        bus = MemoryBus()
        stack.push_async_callback(bus.close)
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        await database.run_script("CREATE TABLE notes (number BIGINT PRIMARY KEY);")
        follower = Follower()
        await journal.follow(follower)
        around = surroundings(database, journal, bus, tasks)
        yield Cluster(await Outbox.open(around, "chat"), follower)


def surroundings(database: Database, journal: Journal, bus: Bus, tasks: Tasks) -> Surroundings:
    return Surroundings(database, MemoryKeyValue(), bus, journal, SystemClock(), tasks)


async def test_facts_wait_for_a_journal_that_is_away() -> None:
    with engines.start_postgres() as postgres, engines.start_nats() as nats:
        async with cluster(postgres.url, nats.url) as there:
            await there.note(1)
            assert await there.follower.wait_for(1) == [1]
            nats.kill()
            for number in range(2, 6):
                await there.note(number)
            await asyncio.to_thread(nats.start)
            assert await there.follower.wait_for(5) == [1, 2, 3, 4, 5]


async def test_kills_of_both_engines_lose_no_fact_and_change_no_order() -> None:
    with engines.start_postgres(durable=True) as postgres, engines.start_nats() as nats:
        async with cluster(postgres.url, nats.url) as there:
            stop = asyncio.Event()

            async def write() -> int:
                number = 0
                while not stop.is_set():
                    number += 1
                    await there.note(number)
                return number

            writing = asyncio.create_task(write())
            for engine in (nats, postgres, nats, postgres):
                await there.wait_for_more(30)
                engine.kill()
                await asyncio.to_thread(engine.start)
            stop.set()
            last = await writing
            heard = await there.follower.wait_for(last)
            # A commit whose answer was lost is tried again, with a fact of its own.
            assert list(dict.fromkeys(heard)) == list(range(1, last + 1))
